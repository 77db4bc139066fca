"""Taking fields out of an untrusted object, and saying what is wrong with each, under its path.

It never stops at the first problem: whoever mends an event at night wants the whole list.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

SHANGHAI = timezone(timedelta(hours=8))

# Characters of four bytes in UTF-8, and surrogates, which have no UTF-8 at all.
_REFUSED = re.compile("[\U00010000-\U0010ffff\ud800-\udfff]")


@dataclass(frozen=True)
class ServiceTime:
    """A moment, or a whole day when only the date is known."""

    text: str
    earliest: datetime
    latest: datetime


class Fields:
    """Takes fields out of an object and collects what is wrong with each, under its path."""

    def __init__(self, found: Mapping[str, Any], path: str = "", problems: list[str] | None = None) -> None:
        self._found = found
        self._path = path
        self._taken: set[str] = set()
        self.problems = [] if problems is None else problems

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def take(self, name: str) -> Any:
        """Return a field as it is, None when absent; null is a problem."""
        self._taken.add(name)
        value = self._found.get(name)
        if value is None and name in self._found:
            self.wrong(name, "must not be null; leave it out")
        return value

    def wrong(self, name: str, rule: str) -> None:
        """Record that a field breaks a rule."""
        self.problems.append(f"{self._path}{name}: {rule}")

    def broken(self, *names: str) -> bool:
        """Tell whether one of these fields, or anything inside it, has a problem."""
        starts = tuple(name + mark for name in names for mark in (":", "["))
        return any(problem.startswith(starts) for problem in self.problems)

    def require(self, name: str, rule: str) -> None:
        """Record a problem when the field is absent."""
        if name not in self._found:
            self.wrong(name, rule)

    def forbid(self, name: str, rule: str) -> None:
        """Record a problem when the field is there."""
        if name in self._found:
            self.wrong(name, rule)

    def refuse_unknown(self) -> None:
        """Record a problem for every field nobody took."""
        for name in self._found:
            if name not in self._taken:
                self.wrong(_shown(name), "unknown field")

    def text(self, name: str, shortest: int, longest: int, *, required: bool = False) -> str | None:
        """Take text of so many characters, all of which WeChat Pay accepts."""
        value = self._required(name) if required else self.take(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.wrong(name, f"must be text, is {kind(value)}")
            return None
        if not shortest <= len(value) <= longest:
            self.wrong(name, f"must have {shortest}-{longest} characters, has {len(value)}")
        elif _REFUSED.search(value):
            self.wrong(
                name, "must be UTF-8 without 4-byte characters (such as emoji): WeChat Pay refuses them"
            )
        return value

    def matching(self, name: str, pattern: str, rule: str, *, required: bool = False) -> str | None:
        """Take text that matches a pattern as a whole; `rule` says the pattern in words."""
        value = self._required(name) if required else self.take(name)
        if value is None:
            return None
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            self.wrong(name, f"must be text of {rule}")
            return None
        return value

    def integer(self, name: str, least: int, most: int, *, required: bool = False) -> int | None:
        """Take an integer; `true`, `1.0` and `"1"` are none."""
        value = self._required(name) if required else self.take(name)
        if value is None:
            return None
        if type(value) is not int:  # isinstance would take true for 1
            self.wrong(name, f"must be an integer, is {kind(value)}")
            return None
        if not least <= value <= most:
            self.wrong(name, f"must be from {least} to {most}")
            return None
        return value

    def boolean(self, name: str) -> bool:
        """Take true or false; absent is false."""
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            self.wrong(name, f"must be true or false, is {kind(value)}")
        return value is True

    def time(self, name: str) -> ServiceTime | None:
        """Take a moment or a day of Asia/Shanghai."""
        value = self.matching(name, r"[0-9]{8}(?:[0-9]{6})?", "yyyyMMddHHmmss or yyyyMMdd")
        if value is None:
            return None
        whole_day = len(value) == len("yyyyMMdd")
        try:
            moment = datetime.fromisoformat(value if whole_day else f"{value[:8]}T{value[8:]}")
        except ValueError:
            self.wrong(name, "is not a real date and time")
            return None
        moment = moment.replace(tzinfo=SHANGHAI)
        latest = moment.replace(hour=23, minute=59, second=59) if whole_day else moment
        return ServiceTime(value, moment, latest)

    def entries(
        self, name: str, most: int, read: Callable[["Fields"], dict[str, Any]]
    ) -> list[dict[str, Any]] | None:
        """Take a list of at most so many objects, each read by `read` from a form of its own."""
        value = self.take(name)
        if value is None:
            return None
        if not isinstance(value, list):
            self.wrong(name, f"must be a list, is {kind(value)}")
            return None
        if len(value) > most:
            self.wrong(name, f"must have at most {most} entries, has {len(value)}")
            return None
        found = []
        for index, entry in enumerate(value):
            path = f"{self._path}{name}[{index}]"
            if not isinstance(entry, dict):
                self.problems.append(f"{path}: must be an object, is {kind(entry)}")
                continue
            form = Fields(entry, f"{path}.", self.problems)
            found.append({key: kept for key, kept in read(form).items() if kept is not None})
            form.refuse_unknown()
        return found

    def _required(self, name: str) -> Any:
        if name not in self._found:
            self.wrong(name, "required")
        return self.take(name)


def _shown(name: object) -> str:
    return repr(name)[1:-1][:64]  # repr escapes what has no UTF-8


def kind(value: object) -> str:
    """Return what a JSON value is, in words."""
    names = {type(None): "null", bool: "true or false", int: "a number", float: "a fraction", str: "text"}
    return names.get(type(value), "an object" if isinstance(value, dict) else "a list")
