"""Reading the fields of an untrusted object, an order event or a merchant's secret, by rules that are data.

A rule has its source beside it: V official text or SDK code, T a third party's copy or code of merchants in
production, I inferred, D decided by this project. Every problem is reported at once, under the path of its
field: whoever corrects an event at night wants the whole list. No problem quotes a value: it may be a secret.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .forms import BrokenRule, Form, Matching, OneOf, Text, Time, is_blank, kind

_OF_TEXT = (Text, Matching, OneOf, Time)


class Object(NamedTuple):
    """The form of an object of exactly these fields."""

    rules: "tuple[FieldRule, ...]"


class Entries(NamedTuple):
    """The form of a list of at most so many values of one form."""

    form: Form | Object
    most: int | None = None


class FieldRule(NamedTuple):
    """One field: its name, its form, whether it is required, and how the rule is known."""

    name: str
    form: Form | Object | Entries
    source: str
    required: bool = False


class Fields:
    """Reads the fields of an object and collects what is wrong with each, under its path.

    Args:
        values: the object's members.
        blanks_are_absent: whether any optional field counts as absent when it is null or blank. Otherwise
            only optional text does, when it is blank, and null is a problem.
        path, problems: of the object around this one.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        blanks_are_absent: bool = False,
        path: str = "",
        problems: list[str] | None = None,
    ) -> None:
        self._values = values
        self._blanks_are_absent = blanks_are_absent
        self._path = path
        self.problems = [] if problems is None else problems

    def read(self, rules: Sequence[FieldRule]) -> dict[str, Any]:
        """Return every field that is there and keeps its rule."""
        read = {}
        for rule in rules:
            value = self._values.get(rule.name)
            if self._absent(rule, value):
                if rule.required:
                    self.wrong(rule.name, "required")
            elif value is None:
                self.wrong(rule.name, "must not be null; leave it out")
            elif (kept := self._keep(rule.name, rule.form, value)) is not None:
                read[rule.name] = kept
        return read

    def wrong(self, name: str, rule: str) -> None:
        """Record that a field breaks a rule."""
        self.problems.append(f"{self._path}{name}: {rule}")

    def broken(self, *names: str) -> bool:
        """Tell whether one of these fields, or anything inside it, has a problem."""
        if not self.problems:
            return False
        starts = tuple(self._path + name + mark for name in names for mark in ":[.")
        return any(problem.startswith(starts) for problem in self.problems)

    def refuse_unknown(self, rules: Sequence[FieldRule]) -> None:
        """Record a problem for every field that has no rule."""
        known = {rule.name for rule in rules}
        for name in self._values:
            if name not in known:
                self.wrong(_printable(name), "unknown field")

    def _keep(self, name: str, form: Form | Object | Entries, value: Any) -> Any:
        """Return a value as its form keeps it; None, and a problem, when it has another form."""
        try:
            match form:
                case Object():
                    return self._object(name, form, value)
                case Entries():
                    return self._entries(name, form, value)
                case _:
                    return form.read(value)
        except BrokenRule as broken:
            self.wrong(name, str(broken))
            return None

    def _object(self, name: str, form: Object, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise BrokenRule(f"must be an object, is {kind(value)}")
        inner = Fields(
            value,
            blanks_are_absent=self._blanks_are_absent,
            path=f"{self._path}{name}.",
            problems=self.problems,
        )
        read = inner.read(form.rules)
        inner.refuse_unknown(form.rules)
        return read

    def _entries(self, name: str, form: Entries, value: Any) -> list[Any]:
        """Return the entries, None in place of each that has another form."""
        if not isinstance(value, list):
            raise BrokenRule(f"must be a list, is {kind(value)}")
        if form.most is not None and len(value) > form.most:
            raise BrokenRule(f"must have at most {form.most} entries, has {len(value)}")
        return [self._keep(f"{name}[{index}]", form.form, entry) for index, entry in enumerate(value)]

    def _absent(self, rule: FieldRule, value: Any) -> bool:
        if value is None:
            return rule.name not in self._values or self._blanks_are_absent
        if rule.required or not isinstance(value, str):
            return False
        return (self._blanks_are_absent or isinstance(rule.form, _OF_TEXT)) and is_blank(value)


def _printable(name: object) -> str:
    return repr(name)[1:-1][:64]  # repr escapes what has no UTF-8
