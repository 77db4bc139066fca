"""`make stuck`: executions that ended without settling their order, and what brings each to its end."""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from botocore.exceptions import ClientError

from operations import executions
from operations.target import error_code

REDRIVABLE_FOR = timedelta(days=14)
STATUSES = ("FAILED", "TIMED_OUT", "ABORTED")
ABORTED = "ABORTED"
_PAGE = 1000  # the most that Step Functions lists at once
_AT_A_TIME = 8
_LONGEST_MESSAGE = 200


class Remedy(Enum):
    """What brings an order to its end."""

    REDRIVE = "redrive"
    RESUBMIT = "resubmit"
    RESUBMITTED = "resubmitted"
    NONE = "nothing"


@dataclass(frozen=True)
class Stuck:
    """An execution that ended without success.

    Attributes:
        status: FAILED, TIMED_OUT or ABORTED.
        reason: the error's name; for an execution that has none, its status.
        message: what the error said, shortened.
        since: when it ended.
        input: the order event as it came.
        redrives: how often it was redriven already.
    """

    arn: str
    out_order_no: str
    mchid: str
    status: str
    reason: str
    message: str
    since: datetime
    remedy: Remedy
    input: str
    redrives: int = 0


@dataclass(frozen=True)
class Selection:
    """Which of them are meant.

    Attributes:
        reasons: names of errors or statuses; empty means every one.
        orders: their out_order_no; empty means every one.
        since, before: when they ended; None does not limit.
    """

    reasons: frozenset[str] = frozenset()
    orders: frozenset[str] = frozenset()
    since: datetime | None = None
    before: datetime | None = None

    def within(self, ended: datetime) -> bool:
        """Whether an execution that ended then is meant, whatever its reason."""
        return (self.since is None or ended >= self.since) and (self.before is None or ended < self.before)

    def covers(self, found: "Stuck") -> bool:
        """Whether an execution of this order, ended for this reason or with this status, is meant."""
        if self.orders and found.out_order_no not in self.orders:
            return False
        meant = {each.casefold() for each in self.reasons}
        return not meant or found.reason.casefold() in meant or found.status.casefold() in meant


def find(
    client: Any, state_machine: str, now: datetime, selection: Selection, *, failed: bool = False
) -> Iterator[Stuck]:
    """Find what is stuck, newest first within each status.

    Args:
        client: a boto3 Step Functions client.
        state_machine: ARN of the state machine.
        now: the time.
        selection: which of them are meant.
        failed: also those that need no one: they ended in the Fail state, and `Order Failed` told why, or
            they were resubmitted.
    """

    def look(listed: dict[str, Any]) -> Stuck | None:
        found = _examine(client, listed, now)
        settled = found.remedy in (Remedy.NONE, Remedy.RESUBMITTED)
        return found if selection.covers(found) and (failed or not settled) else None

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        for status in STATUSES:
            pages = client.get_paginator("list_executions").paginate(
                stateMachineArn=state_machine, statusFilter=status, PaginationConfig={"PageSize": _PAGE}
            )
            for page in pages:
                ended = [each for each in page["executions"] if selection.within(each["stopDate"])]
                yield from (found for found in pool.map(look, ended) if found is not None)


def successor_name(arn: str) -> str:
    """Return the one name a resubmission of this execution can have, so that there is at most one."""
    return f"resubmit-{hashlib.sha256(arn.encode()).hexdigest()[:40]}"


def successor_arn(arn: str) -> str:
    """Return the ARN that a resubmission of this execution has."""
    return f"{arn.rpartition(':')[0]}:{successor_name(arn)}"


def _examine(client: Any, listed: dict[str, Any], now: datetime) -> Stuck:
    arn = listed["executionArn"]
    described = client.describe_execution(executionArn=arn)
    order = _order(described.get("input"))
    return Stuck(
        arn=arn,
        out_order_no=str(order.get("out_order_no", "?")),
        mchid=str(order.get("mchid", "")),
        status=listed["status"],
        reason=described.get("error") or listed["status"],
        message=" ".join(executions.message_of(described.get("cause") or "").split())[:_LONGEST_MESSAGE],
        since=listed["stopDate"],
        remedy=_remedy(client, described, listed, now),
        input=described.get("input") or "",
        redrives=described.get("redriveCount") or 0,
    )


def _remedy(client: Any, described: dict[str, Any], listed: dict[str, Any], now: datetime) -> Remedy:
    arn = listed["executionArn"]
    if listed["status"] == "FAILED" and executions.ended_on_purpose(client, arn):
        return Remedy.NONE
    if now - listed["stopDate"] < REDRIVABLE_FOR and described.get("redriveStatus") != "NOT_REDRIVABLE":
        return Remedy.REDRIVE
    return Remedy.RESUBMITTED if _exists(client, successor_arn(arn)) else Remedy.RESUBMIT


def _exists(client: Any, arn: str) -> bool:
    try:
        client.describe_execution(executionArn=arn)
    except ClientError as exc:
        if error_code(exc) == "ExecutionDoesNotExist":
            return False
        raise
    return True


def _order(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
