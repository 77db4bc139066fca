"""The part of Amazon States Language that the workflow uses, read and evaluated; the rest is refused.

What the definition uses beyond that is refused when it is read.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jsonata  # type: ignore[import-untyped]

JSON = dict[str, Any]
_KNOWN = {
    "Task": {"Resource", "Arguments", "Output", "Assign", "TimeoutSeconds", "Retry", "Catch", "Next"},
    "Choice": {"Choices", "Default"},
    "Wait": {"Seconds", "Output", "Assign", "Next"},
    "Succeed": set(),
    "Fail": {"Error", "Cause"},
}
_EXPRESSION = re.compile(r"\{%(.*)%\}", re.DOTALL)


class Unsupported(ValueError):
    """The definition uses something that is not known here."""


def checked(definition: JSON) -> JSON:
    """Return a definition that uses nothing but what is known here.

    Raises:
        Unsupported: it does.
    """
    if definition["QueryLanguage"] != "JSONata":
        raise Unsupported("QueryLanguage")
    for name, state in definition["States"].items():
        if state["Type"] not in _KNOWN:
            raise Unsupported(f"{name}: Type {state['Type']}")
        if unknown := state.keys() - _KNOWN[state["Type"]] - {"Type", "Comment"}:
            raise Unsupported(f"{name}: {', '.join(sorted(unknown))}")
    return definition


@cache
def _compiled(expression: str) -> Any:
    return jsonata.Jsonata(expression)


def evaluate(template: Any, states: JSON, variables: JSON) -> Any:
    """Evaluate every expression in a value of the definition; members that have no value are left out."""
    if isinstance(template, str):
        match = _EXPRESSION.fullmatch(template.strip())
        if not match:
            return template
        expression = _compiled(match[1].strip())
        frame = expression.create_frame()
        frame.bind("states", states)
        for name, value in variables.items():
            frame.bind(name, value)
        return expression.evaluate(None, frame)
    if isinstance(template, dict):
        return {name: evaluate(value, states, variables) for name, value in template.items()}
    if isinstance(template, list):
        return [evaluate(value, states, variables) for value in template]
    return template


def matching(rules: list[JSON], error: str) -> int | None:
    """Return the index of the first Retry or Catch rule that is about an error; None: no rule is."""
    for index, rule in enumerate(rules):
        for name in rule["ErrorEquals"]:
            if name in (error, "States.ALL") or (name == "States.TaskFailed" and error != "States.Timeout"):
                return index
    return None


def delay(retrier: JSON, retries: int) -> float:
    """Return the longest pause before a retry, in seconds, after so many of them."""
    if retrier["JitterStrategy"] != "FULL":
        raise Unsupported(f"JitterStrategy {retrier['JitterStrategy']}")
    seconds = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** retries
    return float(min(seconds, retrier["MaxDelaySeconds"]))


def iso(moment: float) -> str:
    """Return a moment as Step Functions writes it."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
