"""`make redrive` and `make resubmit`: bring interrupted orders to their end, at a pace, any number of times.

Either is safe for money: WeChat Pay takes the same completion of the same order once.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from botocore.exceptions import ClientError

from operations.stuck import Remedy, Stuck, successor_name
from operations.target import error_code


class Did(Enum):
    """What became of one execution."""

    STARTED = "started"
    ALREADY = "already under way or done"
    REFUSED = "refused"


@dataclass(frozen=True)
class Attempt:
    """One execution and what became of it; `message` says why it was refused."""

    stuck: Stuck
    did: Did
    message: str = ""


def redrive(client: Any, stuck: Iterable[Stuck], pace: Callable[[], None]) -> Iterator[Attempt]:
    """Redrive those that can be: each goes on at the Task that failed, with its retries at zero.

    Args:
        client: a boto3 Step Functions client.
        stuck: what was found; those with another remedy are passed over.
        pace: called before each call.
    """

    def start(each: Stuck) -> None:
        # The same for a second press of the same key, another after the execution has failed again.
        token = hashlib.sha256(f"{each.arn} {each.redrives} {each.since.timestamp()}".encode()).hexdigest()
        client.redrive_execution(executionArn=each.arn, clientToken=token)

    yield from _each(client, stuck, Remedy.REDRIVE, pace, start)


def resubmit(
    client: Any, state_machine: str, stuck: Iterable[Stuck], pace: Callable[[], None]
) -> Iterator[Attempt]:
    """Start those again that can no longer be redriven, with the same input, at most once each.

    Args:
        client: a boto3 Step Functions client.
        state_machine: ARN to start.
        stuck: what was found; those with another remedy are passed over.
        pace: called before each call.
    """

    def start(each: Stuck) -> None:
        client.start_execution(stateMachineArn=state_machine, name=successor_name(each.arn), input=each.input)

    yield from _each(client, stuck, Remedy.RESUBMIT, pace, start)


def at_most(per_second: float, sleep: Callable[[float], None] = time.sleep) -> Callable[[], None]:
    """Return a pace of so many calls a second; the first does not wait."""
    waits = iter((0.0,))

    def pace() -> None:
        sleep(next(waits, 1 / per_second))

    return pace


def _each(
    client: Any,
    stuck: Iterable[Stuck],
    remedy: Remedy,
    pace: Callable[[], None],
    start: Callable[[Stuck], None],
) -> Iterator[Attempt]:
    for each in stuck:
        if each.remedy is not remedy:
            continue
        pace()
        try:
            start(each)
        except ClientError as exc:
            yield _refusal(client, each, exc)
        else:
            yield Attempt(each, Did.STARTED)


def _refusal(client: Any, stuck: Stuck, exc: ClientError) -> Attempt:
    """Somebody else may have been faster: that is no failure."""
    code = error_code(exc)
    if code == "ExecutionAlreadyExists":
        return Attempt(stuck, Did.ALREADY)
    if code == "ExecutionNotRedrivable":
        status = client.describe_execution(executionArn=stuck.arn)["status"]
        if status in ("RUNNING", "SUCCEEDED", "PENDING_REDRIVE"):
            return Attempt(stuck, Did.ALREADY)
    return Attempt(stuck, Did.REFUSED, f"{code}: {exc.response.get('Error', {}).get('Message', '')}")
