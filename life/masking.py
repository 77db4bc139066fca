"""What keeps a shown order harmless: tickets and keys are masked, control and direction characters inert."""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

MASK = "***"
_SECRET = ("ticket", "secret", "private_key", "api_v3_key", "password", "authorization", "token")
# Control, format (direction overrides, zero-width), surrogate, private and unassigned; and what breaks lines.
# Everything else is a character that a reader sees.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class Veil:
    """Masks the secrets of one order event, also where they turn up in other texts.

    Args:
        event: the order event, as parsed from JSON.
    """

    def __init__(self, event: Any) -> None:
        self._values = sorted(set(_secrets(event)), key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return a text without the event's secrets."""
        for value in self._values:
            text = text.replace(value, MASK)
        return text

    def value(self, value: Any) -> Any:
        """Return a JSON value in which every secret is masked."""
        match value:
            case Mapping():
                return {
                    self.text(str(name)): MASK if _names_a_secret(str(name)) else self.value(each)
                    for name, each in value.items()
                }
            case list():
                return [self.value(each) for each in value]
            case str():
                return MASK if "PRIVATE KEY" in value else self.text(value)
        return value


def inert(text: str) -> str:
    r"""Return a text in which characters that act instead of showing are written as `\u202e` is."""
    return "".join(_escaped(each) if unicodedata.category(each) in _HIDDEN else each for each in text)


def inert_json(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON that can be printed to a terminal, in its own script where that is harmless."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    return "\n".join(inert(line) for line in text.split("\n"))


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if character not in '"\\\x7f' else f"\\u{ord(character):04x}"


def _names_a_secret(name: str) -> bool:
    return any(word in name.casefold() for word in _SECRET)


def _secrets(value: Any) -> Iterator[str]:
    match value:
        case Mapping():
            for name, each in value.items():
                if _names_a_secret(str(name)):
                    yield from _texts(each)
                else:
                    yield from _secrets(each)
        case list():
            for each in value:
                yield from _secrets(each)


def _texts(value: Any) -> Iterator[str]:
    # A value of a few characters would black out innocent words.
    if isinstance(value, str) and len(value) >= 6:  # noqa: PLR2004
        yield value
