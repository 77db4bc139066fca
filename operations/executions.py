"""What an execution did, read from its history: the states it passed, what was tried again, how it ended."""

import json
import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from life.causes import message_of as message_of

POLL_SECONDS = 0.1
FAIL_STATE = "Failed"
GOES_ON = ("RUNNING", "PENDING_REDRIVE")
REDRIVABLE_FOR = timedelta(days=14)
# In these the order is accepted, and the workflow waits for the debit: seconds, or days.
WAITS_FOR_PAYMENT = frozenset({"AwaitPayment", "AwaitNotification"})


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
    """An execution that has ended, or is followed no longer.

    Attributes:
        output: the result, when it SUCCEEDED.
        error, cause: when it did not; both may be empty.
        seconds: from its start to its end, or to now.
    """

    arn: str
    status: str
    steps: tuple[Step, ...]
    output: dict[str, Any] | None
    error: str
    cause: str
    seconds: float

    @property
    def states(self) -> list[str]:
        """Names of the states passed, in order."""
        return [step.state for step in self.steps if isinstance(step, Entered)]

    @property
    def accepted(self) -> bool:
        """Whether it went on to wait for the payment of its order."""
        return not WAITS_FOR_PAYMENT.isdisjoint(self.states)

    @property
    def raised(self) -> list[str]:
        """Names of the errors that Tasks failed with, in order."""
        return [step.error for step in self.steps if isinstance(step, Raised)]


def follow(
    client: Any,
    arn: str,
    on_step: Callable[[Step], None] = lambda _step: None,
    *,
    until: Collection[str] = (),
    poll_seconds: float = POLL_SECONDS,
    seconds: float = math.inf,
) -> Execution:
    """Wait until an execution ends, enters a state of `until`, or time is up; call `on_step` with each step.

    Args:
        client: a boto3 Step Functions client.
        on_step: is called in order.
        until: names of states.
        poll_seconds: between two looks; against AWS, whose limits are low, a second.
        seconds: for so long it is followed.
    """
    seen, end = 0, time.monotonic() + seconds
    while True:
        # Asked before the history is read, so that the history of an ended execution is whole.
        described = client.describe_execution(executionArn=arn)
        steps = tuple(_steps(client, arn))
        for step in steps[seen:]:
            on_step(step)
        seen = len(steps)
        execution = _execution(described, steps)
        if execution.status not in GOES_ON or not set(until).isdisjoint(execution.states):
            return execution
        if time.monotonic() > end:
            return execution
        time.sleep(poll_seconds)


def find(client: Any, state_machine: str, out_order_no: str) -> str | None:
    """Return the ARN of an execution of this order, whoever started it; None when there is none yet."""
    for page in client.get_paginator("list_executions").paginate(stateMachineArn=state_machine):
        for listed in page["executions"]:
            described = client.describe_execution(executionArn=listed["executionArn"])
            if json.loads(described["input"]).get("out_order_no") == out_order_no:
                return str(listed["executionArn"])
    return None


def ended_on_purpose(client: Any, arn: str) -> bool:
    """Whether a FAILED execution ended in the Fail state: the order can never be settled as asked."""
    # The last two events are ExecutionFailed and what led to it.
    last = client.get_execution_history(
        executionArn=arn, reverseOrder=True, maxResults=2, includeExecutionData=False
    )
    return any(
        event.get("stateEnteredEventDetails", {}).get("name") == FAIL_STATE for event in last["events"]
    )


def is_redrivable(described: Mapping[str, Any], now: datetime) -> bool:
    """Whether RedriveExecution would take an execution that has ended."""
    return (
        described["status"] != "SUCCEEDED"
        and now - described["stopDate"] < REDRIVABLE_FOR
        and described.get("redriveStatus") != "NOT_REDRIVABLE"
    )


def history(client: Any, arn: str) -> Iterator[dict[str, Any]]:
    """Return the events of an execution, in order."""
    for page in client.get_paginator("get_execution_history").paginate(executionArn=arn):
        yield from page["events"]


def _steps(client: Any, arn: str) -> Iterator[Step]:
    for event in history(client, arn):
        if event["type"].endswith("StateEntered"):
            yield Entered(event["stateEnteredEventDetails"]["name"])
        elif event["type"] == "TaskFailed":
            details = event["taskFailedEventDetails"]
            yield Raised(details.get("error", ""), message_of(details.get("cause", "")))


def _execution(described: dict[str, Any], steps: tuple[Step, ...]) -> Execution:
    output = described.get("output") if described["status"] == "SUCCEEDED" else None
    until = described.get("stopDate") or datetime.now(UTC)
    return Execution(
        arn=described["executionArn"],
        status=described["status"],
        steps=steps,
        output=json.loads(output) if output else None,
        error=described.get("error") or "",
        cause=described.get("cause") or "",
        seconds=(until - described["startDate"]).total_seconds(),
    )
