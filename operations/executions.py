"""Reads executions from Step Functions: listed, described, followed to their end."""

import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from life import Attempt, Execution, Step
from life.reading import order_of, parsed
from operations.errors import error_code

POLL_SECONDS = 0.1
FAIL_STATE = "Failed"
GOES_ON = ("RUNNING", "PENDING_REDRIVE")
REDRIVABLE_FOR = timedelta(days=14)
# In these the order is accepted, and the workflow waits for the debit: seconds, or days.
WAITS_FOR_PAYMENT = frozenset({"AwaitPayment", "AwaitNotification"})
_PAGE = 1000  # the most that Step Functions lists at once


def listed(client: Any, state_machine: str, status: str = "") -> Iterator[dict[str, Any]]:
    """Yield the executions of a workflow as ListExecutions has them, newest first.

    Args:
        client: a boto3 Step Functions client.
        status: of those alone.
    """
    only = {"statusFilter": status} if status else {}
    pages = client.get_paginator("list_executions").paginate(
        stateMachineArn=state_machine, PaginationConfig={"PageSize": _PAGE}, **only
    )
    for page in pages:
        yield from page["executions"]


def described(client: Any, arn: str) -> dict[str, Any] | None:
    """Return an execution as DescribeExecution has it; None when there is none, or none any more."""
    try:
        execution: dict[str, Any] = client.describe_execution(executionArn=arn)
    except ClientError as exc:
        if error_code(exc) in ("ExecutionDoesNotExist", "InvalidArn"):
            return None
        raise
    return execution


def history(client: Any, arn: str) -> Iterator[dict[str, Any]]:
    """Yield the events of an execution, in order."""
    for page in client.get_paginator("get_execution_history").paginate(executionArn=arn):
        yield from page["events"]


def read(
    client: Any,
    description: Mapping[str, Any],
    now: datetime,
    *,
    whole: bool = True,
    definition: Mapping[str, Any] | None = None,
) -> Execution:
    """Return an execution, put together from what DescribeExecution says of it and from its history.

    Args:
        whole: with its history.
        definition: the workflow that it runs.
    """
    arn, status = description["executionArn"], description["status"]
    ended = None if status in GOES_ON else description.get("stopDate")
    output = parsed(description.get("output"))
    return Execution(
        arn=arn,
        status=status,
        began=description["startDate"],
        ended=ended,
        input=description.get("input") or "",
        output=output if status == "SUCCEEDED" and isinstance(output, dict) else None,
        error=description.get("error") or "",
        cause=description.get("cause") or "",
        redrives=description.get("redriveCount") or 0,
        redrivable=ended is not None and is_redrivable(description, now),
        history=tuple(history(client, arn)) if whole else (),
        definition=definition or {},
    )


def follow(
    client: Any,
    arn: str,
    on_step: Callable[[Step | Attempt], None] = lambda _step: None,
    *,
    until: Collection[str] = (),
    poll_seconds: float = POLL_SECONDS,
    seconds: float = math.inf,
) -> Execution:
    """Wait until an execution ends, enters a state of `until`, or time is up; tell `on_step` what it passes.

    Args:
        client: a boto3 Step Functions client.
        on_step: is called in order, with each state entered and each attempt that failed.
        until: names of states.
        poll_seconds: between two looks; against AWS, whose limits are low, a second.
        seconds: for so long it is followed.
    """
    seen, end = 0, time.monotonic() + seconds
    while True:
        # Asked before the history is read, so that the history of an ended execution is whole.
        description = client.describe_execution(executionArn=arn)
        execution = read(client, description, datetime.now(UTC))
        passed = list(execution.passed())
        for each in passed[seen:]:
            on_step(each)
        seen = len(passed)
        if execution.ended is not None or not set(until).isdisjoint(execution.states):
            return execution
        if time.monotonic() > end:
            return execution
        time.sleep(poll_seconds)


def accepted(execution: Execution) -> bool:
    """Whether it went on to wait for the payment of its order."""
    return not WAITS_FOR_PAYMENT.isdisjoint(execution.states)


def seconds_of(execution: Execution) -> float:
    """Return how long it took, or has taken until now."""
    return ((execution.ended or datetime.now(UTC)) - execution.began).total_seconds()


def find(client: Any, state_machine: str, out_order_no: str) -> str | None:
    """Return the ARN of an execution of this order, whoever started it; None when there is none yet."""
    for each in listed(client, state_machine):
        arn = str(each["executionArn"])
        if order_of(client.describe_execution(executionArn=arn)["input"])[1] == out_order_no:
            return arn
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
