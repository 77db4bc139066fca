"""WeChat Pay's rules as data: name, source, refusal, and the reason in plain words.

Sources: V official text or SDK code, T a third party's copy or code of merchants in production, I inferred,
D decided here. Where sources disagree or are silent, the strictest reading is a rule here, and a tolerance
lifts it by its name.
"""

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from wechatpay_sandbox.replies import UNDOCUMENTED_TAIL, Reply, error

SOURCE = re.compile(r"[VTID]: .*\S")


@dataclass(frozen=True)
class Rule:
    """One rule; its name is its key in the table it stands in.

    ``reason`` says in plain words what was wrong, for the sandbox's own record. ``message`` and ``status``,
    ``code``, ``tail`` (the internal code) are what the client gets; without a code the body is empty. A
    ``firm`` rule cannot be tolerated: what breaks it cannot be processed. What the ``gateway`` refuses,
    before WeChat Pay knows whom it serves, is not signed [T: probed without credentials on 2026-09-11].
    """

    source: str
    reason: str
    message: str
    status: int = 400
    code: str = "PARAM_ERROR"
    tail: str = UNDOCUMENTED_TAIL
    firm: bool = False
    gateway: bool = False


@dataclass(eq=False)
class Refusal(Exception):
    """The request is refused as WeChat Pay refuses it, by the rule that it broke."""

    name: str
    rule: Rule
    message: str
    detail: Mapping[str, Any] | None = None

    def reply(self) -> Reply:
        """The error body, in the form of every APIv3 error; empty when the rule has no code."""
        rule = self.rule
        if not rule.code:
            return Reply(rule.status, tail=rule.tail, signed=False)
        reply = error(rule.status, rule.code, self.message, tail=rule.tail, detail=self.detail)
        return replace(reply, signed=not rule.gateway)


def merge(*tables: Mapping[str, Rule]) -> dict[str, Rule]:
    """All rules of these tables. Raises ValueError for a name given twice, or a rule without a source."""
    rules = {name: rule for table in tables for name, rule in table.items()}
    if len(rules) != sum(len(table) for table in tables):
        raise ValueError("two rules of one name")
    for name, rule in rules.items():
        if SOURCE.fullmatch(rule.source) is None:
            raise ValueError(f"rule {name} has no source")
    return rules


class Rulebook:
    """The rules in force: all of them, but for those that are tolerated."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = dict(rules)
        self.tolerated: frozenset[str] = frozenset()

    def tolerate(self, names: Iterable[str]) -> list[str]:
        """Lift these rules and no others: names, or patterns like ``complete.*``; none: strict again.

        Returns the names lifted. Raises ValueError for what names no rule, or a firm one.
        """
        lifted: set[str] = set()
        for name in names:
            fitting = fnmatch.filter(self._rules, name) if isinstance(name, str) else []
            if not fitting:
                raise ValueError(f"no rule is called {name!r}; `wechatpay-sandbox rules` lists them")
            if fitting == [name] and self._rules[name].firm:
                raise ValueError(f"rule {name!r} cannot be tolerated: what breaks it cannot be processed")
            lifted |= {each for each in fitting if not self._rules[each].firm}
        self.tolerated = frozenset(lifted)
        return sorted(lifted)

    def refuse(self, name: str, field: str = "", *, location: str = "body", value: object = None) -> None:
        """Raise the refusal of a broken rule, unless it is tolerated. ``field`` goes into the detail."""
        rule = self._rules[name]
        if name in self.tolerated:
            return
        detail: dict[str, Any] | None = None
        if field:
            detail = {"field": field, "issue": rule.message, "location": location}
            if isinstance(value, str | int | float):
                detail["value"] = value
        message = f"参数错误: {rule.message}" if field else rule.message
        raise Refusal(name, rule, message, detail)


def describe(rules: Mapping[str, Rule]) -> list[dict[str, str]]:
    """Every rule as a row, for the documentation and ``rules``."""
    return [
        {
            "rule": name,
            "source": rule.source,
            "refusal": f"{rule.status} {rule.code} {rule.tail} {rule.message}",
            "tolerable": "" if rule.firm else "yes",
            "reason": rule.reason,
        }
        for name, rule in rules.items()
    ]
