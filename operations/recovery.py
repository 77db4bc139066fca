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

from operations.errors import error_code
from operations.remedies import Remedy, Stuck, successor_name
from operations.resubmission import NotAsked


class Did(Enum):
    """What a recovery did about one execution."""

    STARTED = "started"
    ALREADY = "already under way or done"
    SKIPPED = "skipped"
    WOULD_START = "would be started"
    REFUSED = "refused"


@dataclass(frozen=True)
class Recovery:
    """One execution and what was done about it; `message` says why it was refused or skipped."""

    stuck: Stuck
    did: Did
    message: str = ""


def recover(
    client: Any,
    state_machine: str,
    stuck: Iterable[Stuck],
    pace: Callable[[], None],
    hindrance: Callable[[Stuck], str | None],
    *,
    dry_run: bool = False,
) -> Iterator[Recovery]:
    """Redrive what can be redriven, and resubmit the rest.

    A redriven execution goes on at the Task that failed, with its retries at zero.
    A resubmission is a new execution with the same input; an execution has one at most.

    Args:
        client: a boto3 Step Functions client.
        stuck: the executions; those that no command helps are passed over.
        pace: called before each call.
        hindrance: why an order that FAILED is not started again; it raises `NotAsked` when that is not known.
        dry_run: start nothing; hindrances are found all the same.
    """
    for each in stuck:
        if not each.remedy.command:
            continue
        if each.remedy is Remedy.CORRECT:
            try:
                why_not = hindrance(each)
            except NotAsked as exc:
                yield Recovery(each, Did.REFUSED, str(exc))
                continue
            if why_not is not None:
                yield Recovery(each, Did.SKIPPED, why_not)
                continue
        if dry_run:
            yield Recovery(each, Did.WOULD_START)
            continue
        pace()
        yield _start(client, each, state_machine)


def at_most(per_second: float, sleep: Callable[[float], None] = time.sleep) -> Callable[[], None]:
    """Return a pace of so many calls a second; the first does not wait."""
    waits = iter((0.0,))

    def pace() -> None:
        sleep(next(waits, 1 / per_second))

    return pace


def _start(client: Any, stuck: Stuck, state_machine: str) -> Recovery:
    try:
        if stuck.remedy is Remedy.REDRIVE:
            # The same for a second press of the same key, another after the execution has failed again.
            attempt = f"{stuck.arn} {stuck.redrives} {stuck.since.timestamp()}"
            token = hashlib.sha256(attempt.encode()).hexdigest()
            client.redrive_execution(executionArn=stuck.arn, clientToken=token)
        else:
            name = successor_name(stuck.arn)
            client.start_execution(stateMachineArn=state_machine, name=name, input=stuck.input)
    except ClientError as exc:
        return _refusal(client, stuck, exc)
    return Recovery(stuck, Did.STARTED)


def _refusal(client: Any, stuck: Stuck, exc: ClientError) -> Recovery:
    """Somebody else may have been faster: that is no failure."""
    code = error_code(exc)
    if code == "ExecutionAlreadyExists":
        return Recovery(stuck, Did.ALREADY)
    if code == "ExecutionNotRedrivable":
        status = client.describe_execution(executionArn=stuck.arn)["status"]
        if status in ("RUNNING", "SUCCEEDED", "PENDING_REDRIVE"):
            return Recovery(stuck, Did.ALREADY)
    return Recovery(stuck, Did.REFUSED, f"{code}: {exc.response.get('Error', {}).get('Message', '')}")
