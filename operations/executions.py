"""What an execution did, read from its history: the states it passed and how it ended."""

import json
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

POLL_SECONDS = 1.0
FAIL_STATE = "Failed"


@dataclass(frozen=True)
class Execution:
    """An execution that has ended, or goes on with no more than waiting.

    Attributes:
        states: names of the states passed, in order.
        output: the result, when it succeeded.
        error, cause: when it did not; both may be empty.
    """

    arn: str
    status: str
    states: tuple[str, ...]
    output: dict[str, Any] | None
    error: str
    cause: str


def follow(
    client: Any,
    arn: str,
    on_state: Callable[[str], None],
    *,
    until: Collection[str] = (),
    sleep: Callable[[float], None] = time.sleep,
) -> Execution:
    """Wait until an execution ends, or enters a state of `until`, telling `on_state` of each it enters."""
    told = 0
    while True:
        # Asked before the history is read, so that the history of an ended execution is whole.
        described = client.describe_execution(executionArn=arn)
        states = tuple(_states(client, arn))
        for state in states[told:]:
            on_state(state)
        told = len(states)
        if described["status"] not in ("RUNNING", "PENDING_REDRIVE") or not set(until).isdisjoint(states):
            output = described.get("output") if described["status"] == "SUCCEEDED" else None
            return Execution(
                arn,
                described["status"],
                states,
                json.loads(output) if output else None,
                described.get("error") or "",
                described.get("cause") or "",
            )
        sleep(POLL_SECONDS)


def ended_on_purpose(client: Any, arn: str) -> bool:
    """Whether a FAILED execution ended in the Fail state: the order can never be settled as asked."""
    # The last two events are ExecutionFailed and what led to it.
    last = client.get_execution_history(
        executionArn=arn, reverseOrder=True, maxResults=2, includeExecutionData=False
    )
    return any(
        event.get("stateEnteredEventDetails", {}).get("name") == FAIL_STATE for event in last["events"]
    )


def message_of(cause: str) -> str:
    """Return what a cause says: a raised error's message, or that of the result's `error`; else all of it."""
    try:
        found = json.loads(cause)
    except ValueError:
        return cause
    if not isinstance(found, dict):
        return cause
    if "errorMessage" in found:
        return str(found["errorMessage"])
    detail = found.get("detail")
    told = "; ".join(map(str, detail)) if isinstance(detail, list) else detail
    return " | ".join(str(part) for part in (found.get("code"), found.get("message"), told) if part) or cause


def _states(client: Any, arn: str) -> list[str]:
    pages = client.get_paginator("get_execution_history").paginate(
        executionArn=arn, includeExecutionData=False
    )
    return [
        event["stateEnteredEventDetails"]["name"]
        for page in pages
        for event in page["events"]
        if event["type"].endswith("StateEntered")
    ]
