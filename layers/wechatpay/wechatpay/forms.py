"""The forms of fields of an untrusted object. A form says what is wrong, and never quotes the value."""

import re
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, Protocol

SHANGHAI = timezone(timedelta(hours=8))

# Characters of four bytes in UTF-8, and surrogates, which have no UTF-8 at all.
_FOUR_BYTES = re.compile("[\U00010000-\U0010ffff\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
# White space, and what shows as nothing: zero-width characters, joiners, fillers and marks of direction.
_BLANK = re.compile(
    "[\\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0]*"
)


class BrokenRule(ValueError):
    """A value breaks the rule of its field; says the rule, never the value."""


class Form(Protocol):
    """The form a value must have."""

    def read(self, value: Any) -> Any:
        """Return the value as it is kept, or raise BrokenRule."""


class Text(NamedTuple):
    """Text of 1 to so many characters, all of which WeChat Pay accepts."""

    longest: int

    def read(self, value: Any) -> str:
        """Return the text."""
        if not isinstance(value, str):
            raise BrokenRule(f"must be text, is {kind(value)}")
        if not 1 <= len(value) <= self.longest:
            raise BrokenRule(f"must have 1-{self.longest} characters, has {len(value)}")
        if _FOUR_BYTES.search(value):
            raise BrokenRule(
                "must be UTF-8 without 4-byte characters (such as emoji): WeChat Pay refuses them"
            )
        if is_blank(value):
            raise BrokenRule("must not be only blanks")
        if _CONTROL.search(value):
            raise BrokenRule("must not have control characters (such as line breaks)")
        return value


class Matching(NamedTuple):
    """Text that matches a pattern as a whole; `words` says the pattern."""

    pattern: str
    words: str

    def read(self, value: Any) -> str:
        """Return the text."""
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            raise BrokenRule(f"must be text of {self.words}")
        return value


class OneOf(NamedTuple):
    """One of these words."""

    words: tuple[str, ...]

    def read(self, value: Any) -> str:
        """Return the word."""
        if value not in self.words:
            raise BrokenRule(f"must be one of {', '.join(self.words)}")
        return str(value)


# The APIs an order may have been created with, by the last segment of their path.
ORDER_API = OneOf(("smartretail-orders", "payafter-orders", "serviceorder"))


class Integer(NamedTuple):
    """An integer from `least` to `most`; `true`, `1.0` and `"1"` are none."""

    least: int
    most: int

    def read(self, value: Any) -> int:
        """Return the integer."""
        if type(value) is not int:  # isinstance would take true for 1
            raise BrokenRule(f"must be an integer, is {kind(value)}")
        if not self.least <= value <= self.most:
            raise BrokenRule(f"must be from {self.least} to {self.most}")
        return value


class Flag:
    """True or false."""

    def read(self, value: Any) -> bool:
        """Return it."""
        if not isinstance(value, bool):
            raise BrokenRule(f"must be true or false, is {kind(value)}")
        return value


class ServiceTime(NamedTuple):
    """A moment, or a whole day when only the date is known."""

    text: str
    earliest: datetime
    latest: datetime


class Time:
    """A moment or a day of Asia/Shanghai."""

    def read(self, value: Any) -> ServiceTime:
        """Return the time."""
        text = Matching(r"[0-9]{8}(?:[0-9]{6})?", "yyyyMMddHHmmss or yyyyMMdd").read(value)
        whole_day = len(text) == len("yyyyMMdd")
        try:
            moment = datetime.fromisoformat(text if whole_day else f"{text[:8]}T{text[8:]}")
        except ValueError:
            raise BrokenRule("is not a real date and time") from None
        moment = moment.replace(tzinfo=SHANGHAI)
        latest = moment.replace(hour=23, minute=59, second=59) if whole_day else moment
        return ServiceTime(text, moment, latest)


def is_blank(text: str) -> bool:
    """Tell whether a text shows nothing."""
    return _BLANK.fullmatch(text) is not None


def kind(value: object) -> str:
    """Return what a JSON value is, in words."""
    names = {type(None): "null", bool: "true or false", int: "a number", float: "a fraction", str: "text"}
    return names.get(type(value), "an object" if isinstance(value, dict) else "a list")
