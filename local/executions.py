"""What an execution of the workflow did: the states it passed, what was tried again, and how it ended."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Entered:
    """The execution entered a state."""

    state: str

    def __str__(self) -> str:
        return self.state


@dataclass(frozen=True)
class Raised:
    """A Task failed by the name of an error. Whether it is tried again, the next step shows."""

    error: str
    message: str

    def __str__(self) -> str:
        return f"raised {self.error}"


Step = Entered | Raised


@dataclass(frozen=True)
class Execution:
    """An execution as it is now. `output` is the result when it SUCCEEDED; `error` and `cause` when not."""

    arn: str
    status: str
    steps: tuple[Step, ...]
    output: dict[str, Any] | None
    error: str | None
    cause: str | None
    seconds: float

    @property
    def states(self) -> list[str]:
        """Names of the states passed, in order."""
        return [step.state for step in self.steps if isinstance(step, Entered)]

    @property
    def raised(self) -> list[str]:
        """Names of the errors that Tasks failed with, in order."""
        return [step.error for step in self.steps if isinstance(step, Raised)]


def follow(client: Any, arn: str, on_step: Callable[[Step], None] = lambda _step: None) -> Execution:
    """Wait until the execution ends, telling `on_step` of each step when it is seen."""
    told = 0
    while True:
        # Asked before the history is read, so that the history of an ended execution is whole.
        described = client.describe_execution(executionArn=arn)
        steps = tuple(_steps(client, arn))
        for step in steps[told:]:
            on_step(step)
        told = len(steps)
        if described["status"] != "RUNNING":
            return _execution(described, steps)
        time.sleep(_POLL_SECONDS)


def find(client: Any, state_machine: str, out_order_no: str) -> str | None:
    """ARN of an execution that was started for this order by whoever started it, if there is one yet."""
    for page in client.get_paginator("list_executions").paginate(stateMachineArn=state_machine):
        for listed in page["executions"]:
            described = client.describe_execution(executionArn=listed["executionArn"])
            if json.loads(described["input"]).get("out_order_no") == out_order_no:
                return str(listed["executionArn"])
    return None


def _steps(client: Any, arn: str) -> Iterator[Step]:
    for page in client.get_paginator("get_execution_history").paginate(executionArn=arn):
        for event in page["events"]:
            if event["type"].endswith("StateEntered"):
                yield Entered(event["stateEnteredEventDetails"]["name"])
            elif event["type"] == "TaskFailed":
                details = event["taskFailedEventDetails"]
                yield Raised(details.get("error", ""), _message(details.get("cause", "")))


def _message(cause: str) -> str:
    """Lambda gives the cause of a raised error as JSON; its errorMessage is what the function said."""
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return cause


def _execution(described: dict[str, Any], steps: tuple[Step, ...]) -> Execution:
    succeeded = described["status"] == "SUCCEEDED"
    return Execution(
        arn=described["executionArn"],
        status=described["status"],
        steps=steps,
        output=json.loads(described["output"]) if succeeded else None,
        error=None if succeeded else described.get("error"),
        cause=None if succeeded else described.get("cause"),
        seconds=(described["stopDate"] - described["startDate"]).total_seconds(),
    )
