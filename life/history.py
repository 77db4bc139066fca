"""Reads the steps of an execution, and what it published, from its history and the workflow's definition.

The workflow has no Parallel and no Map, so that each event belongs to the state entered last.
Event types: https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from life.masking import Veil
from life.model import Attempt, Published, Step
from life.reading import message_of, parsed

_FAILED = ("TaskFailed", "TaskTimedOut", "TaskStartFailed", "TaskSubmitFailed", "EvaluationFailed")
_ENDED = ("ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted", "ExecutionSucceeded")


def steps(history: Iterable[Mapping[str, Any]], veil: Veil) -> tuple[Step, ...]:
    """Return the states entered, in order, each with its attempts."""
    passed: list[Step] = []
    for event in history:
        kind, at = str(event["type"]), event["timestamp"]
        if kind.endswith("StateEntered"):
            name = event["stateEnteredEventDetails"]["name"]
            passed.append(Step(name, kind.removesuffix("StateEntered"), at))
        elif passed:
            passed[-1] = _with(passed[-1], kind, at, event, veil)
    return tuple(passed)


def published(
    history: Iterable[Mapping[str, Any]], states: Mapping[str, Any], arn: str, veil: Veil
) -> Iterator[Published]:
    """Tell what was put on the bus: by Tasks that succeeded, of states whose definition puts an event.

    The detail is the state's input and the execution, as the definition composes it.
    """
    types: list[str] = []
    detail: Any = None
    for event in history:
        if "stateEnteredEventDetails" in event:
            entered = event["stateEnteredEventDetails"]
            types, detail = _detail_types(states.get(entered["name"])), parsed(entered.get("input"))
        elif event["type"] == "TaskSucceeded":
            for each in types:
                whole = {**detail, "execution": arn} if isinstance(detail, dict) else {"execution": arn}
                yield Published(event["timestamp"], each, veil.value(whole))


def _with(step: Step, kind: str, at: datetime, event: Mapping[str, Any], veil: Veil) -> Step:
    """Return the step as it is after one more event."""
    if kind == "TaskScheduled":
        return replace(step, ended=None, attempts=(*step.attempts, Attempt(at)))
    if kind == "TaskSucceeded":
        return _ending(step, Attempt(at, at))
    if kind in _FAILED:
        details = event.get(f"{kind[0].lower()}{kind[1:]}EventDetails", {})
        message = veil.text(message_of(details.get("cause") or ""))
        return _ending(step, Attempt(at, at, details.get("error") or kind, message))
    if kind.endswith("StateExited"):
        output = parsed(event.get("stateExitedEventDetails", {}).get("output"))
        return replace(step, ended=at, outcome=_outcome(step, output))
    if kind in _ENDED or kind.endswith("StateAborted"):
        return replace(step, ended=step.ended or at)
    return step


def _ending(step: Step, end: Attempt) -> Step:
    """End the attempt that is under way; one that never began (EvaluationFailed) begins and ends at once."""
    if step.attempts and step.attempts[-1].ended is None:
        last = replace(step.attempts[-1], ended=end.ended, error=end.error, message=end.message)
        return replace(step, attempts=(*step.attempts[:-1], last))
    return replace(step, attempts=(*step.attempts, end)) if end.error else step


def _outcome(step: Step, output: Any) -> str:
    if step.kind != "Task" or not isinstance(output, dict):
        return ""
    payment, error = output.get("payment"), output.get("error")
    if isinstance(error, dict):
        return " ".join(str(each) for each in (output.get("outcome"), error.get("category")) if each)
    if isinstance(payment, dict):
        return str(payment.get("state") or "")
    evidence = output.get("evidence")
    return f"{output.get('outcome')} by {evidence}" if evidence else str(output.get("outcome") or "")


def _detail_types(state: Any) -> list[str]:
    arguments = state.get("Arguments") if isinstance(state, Mapping) else None
    entries = arguments.get("Entries") if isinstance(arguments, Mapping) else None
    if not isinstance(entries, list):
        return []
    return [
        str(entry["DetailType"]) for entry in entries if isinstance(entry, Mapping) and "DetailType" in entry
    ]
