"""`make stuck`: executions that ended without settling their order, and what brings each to its end.

An order may have several executions. What decides is the newest that failed; one that runs, or that has
settled the order since, leaves nothing to do.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from botocore.exceptions import ClientError

from operations import executions
from operations.target import error_code

REDRIVABLE_FOR = timedelta(days=14)
STATUSES = ("FAILED", "TIMED_OUT", "ABORTED")
ABORTED = "ABORTED"
CORRECTABLE = ("REJECTED", "INVALID_INPUT")
_PAGE = 1000  # the most that Step Functions lists at once
_AT_A_TIME = 8
# Each has to be described to know its order, and AWS answers about 15 a second.
_SUCCEEDED_LOOKED_AT = 5000


class Remedy(Enum):
    """What brings an order to its end."""

    REDRIVE = "redrive 重新驱动"
    RESUBMIT = "resubmit 重新提交"
    CORRECT = "correct and resubmit 修正后重发"
    CHECK = "check and refund 核对并退款"
    NONE = "nothing 无需处理"


@dataclass(frozen=True)
class Stuck:
    """An execution that ended without success.

    Attributes:
        mchid: of the order event, else the stack's default.
        status: FAILED, TIMED_OUT or ABORTED.
        reason: the error's name; for an execution that has none, its status.
        message: what the error said.
        why_nothing: why nothing is to be done, when the remedy is NONE.
        input: the order event as it came.
        redrives: how often it was redriven already.
    """

    arn: str
    out_order_no: str
    mchid: str
    status: str
    reason: str
    message: str
    started: datetime
    since: datetime
    remedy: Remedy
    input: str
    redrives: int = 0
    why_nothing: str = ""

    @property
    def order(self) -> tuple[str, str]:
        """What tells this order from others."""
        return self.mchid, self.out_order_no


@dataclass(frozen=True)
class Selection:
    """Which of them are meant.

    Attributes:
        reasons: names of errors or statuses; empty means every one.
        orders: their out_order_no; empty means every one.
        mchids: merchants; empty means every one.
        since, before: when they ended; None does not limit.
    """

    reasons: frozenset[str] = frozenset()
    orders: frozenset[str] = frozenset()
    mchids: frozenset[str] = frozenset()
    since: datetime | None = None
    before: datetime | None = None

    def within(self, ended: datetime) -> bool:
        """Whether an execution that ended then is meant, whatever its reason."""
        return (self.since is None or ended >= self.since) and (self.before is None or ended < self.before)

    def names(self, reason: str) -> bool:
        """Whether this reason was asked for by its name."""
        return reason.casefold() in {each.casefold() for each in self.reasons}

    def covers(self, stuck: Stuck) -> bool:
        """Whether an execution of this order, ended for this reason or with this status, is meant."""
        if self.orders and stuck.out_order_no not in self.orders:
            return False
        if self.mchids and stuck.mchid not in self.mchids:
            return False
        return not self.reasons or self.names(stuck.reason) or self.names(stuck.status)


@dataclass(frozen=True)
class Listing:
    """What was found.

    Attributes:
        stuck: newest first within each status; the remedy of those that need no one is NONE.
        unseen: so many executions that succeeded were not looked at: they may have settled one of these.
    """

    stuck: list[Stuck]
    unseen: int

    @property
    def needy(self) -> list[Stuck]:
        """Those that need someone."""
        return [each for each in self.stuck if each.remedy is not Remedy.NONE]


def find(
    client: Any, state_machine: str, now: datetime, selection: Selection, *, default_mchid: str = ""
) -> Listing:
    """Find what is stuck.

    Args:
        client: a boto3 Step Functions client.
        state_machine: ARN of the state machine.
        now: the time.
        selection: which of them are meant.
        default_mchid: the merchant of events that name none.
    """
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        ended = [
            each
            for status in STATUSES
            for each in _listed(client, state_machine, status)
            if selection.within(each["stopDate"])
        ]
        examined = pool.map(lambda each: _examine(client, each, now, default_mchid), ended)
        stuck = [each for each in examined if selection.covers(each)]
        open_orders = [each for each in stuck if each.remedy is not Remedy.NONE]
        if not open_orders:
            return Listing(stuck, 0)
        others, unseen = _others(client, state_machine, open_orders)
        described = pool.map(
            lambda each: (each, _order_of(client, each["executionArn"], default_mchid)), others
        )
        executions_of: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        for each, order in described:
            executions_of[order].append(each)
    return Listing([_unless_superseded(each, executions_of[each.order]) for each in stuck], unseen)


def successor_name(arn: str) -> str:
    """Return the one name a resubmission of this execution can have, so that there is at most one."""
    return f"resubmit-{hashlib.sha256(arn.encode()).hexdigest()[:40]}"


def successor_arn(arn: str) -> str:
    """Return the ARN that a resubmission of this execution has."""
    return f"{arn.rpartition(':')[0]}:{successor_name(arn)}"


def _listed(client: Any, state_machine: str, status: str) -> Iterator[dict[str, Any]]:
    pages = client.get_paginator("list_executions").paginate(
        stateMachineArn=state_machine, statusFilter=status, PaginationConfig={"PageSize": _PAGE}
    )
    for page in pages:
        yield from page["executions"]


def _others(client: Any, state_machine: str, stuck: Iterable[Stuck]) -> tuple[list[dict[str, Any]], int]:
    """List the executions that may have superseded one of these, and count those that are too many."""
    started = min(each.started for each in stuck)
    ended = min(each.since for each in stuck)
    others = list(_listed(client, state_machine, "RUNNING"))
    for status in STATUSES:
        others += [each for each in _listed(client, state_machine, status) if each["startDate"] > started]
    succeeded = []
    for each in _listed(client, state_machine, "SUCCEEDED"):  # the newest first
        if each["startDate"] < started - REDRIVABLE_FOR:
            break
        if each["stopDate"] > ended:
            succeeded.append(each)
    return others + succeeded[:_SUCCEEDED_LOOKED_AT], max(0, len(succeeded) - _SUCCEEDED_LOOKED_AT)


def _unless_superseded(stuck: Stuck, others: Iterable[Mapping[str, Any]]) -> Stuck:
    """Leave nothing to do when another execution of the order runs, has settled it since, or is newer.

    Another amount was charged in a CONFLICT: whatever ran since, somebody has to look at that.
    """
    if stuck.remedy in (Remedy.NONE, Remedy.CHECK) or stuck.out_order_no == "?":
        return stuck
    for other in others:
        arn, status = other["executionArn"], other["status"]
        if arn == stuck.arn:
            continue
        if status == "RUNNING":
            return replace(
                stuck, remedy=Remedy.NONE, why_nothing=f"another execution runs 另一执行进行中: {arn}"
            )
        if status == "SUCCEEDED" and other["stopDate"] > stuck.since:
            return replace(stuck, remedy=Remedy.NONE, why_nothing=f"settled since by 已由另一执行完结: {arn}")
        if status in STATUSES and (other["startDate"], arn) > (stuck.started, stuck.arn):
            return replace(
                stuck, remedy=Remedy.NONE, why_nothing=f"a newer execution decides 以更新的执行为准: {arn}"
            )
    return stuck


def _examine(client: Any, listed: dict[str, Any], now: datetime, default_mchid: str) -> Stuck:
    described = client.describe_execution(executionArn=listed["executionArn"])
    event = _event(described.get("input"))
    mchid, out_order_no = _names(event, default_mchid)
    reason = described.get("error") or listed["status"]
    remedy, why_nothing = _remedy(client, described, listed, now, reason)
    if listed["name"].startswith("smoke-") and _is_smoke(event):
        remedy, why_nothing = Remedy.NONE, "a smoke test, which fails on purpose 冒烟测试"
    return Stuck(
        arn=listed["executionArn"],
        out_order_no=out_order_no,
        mchid=mchid,
        status=listed["status"],
        reason=reason,
        message=" ".join(executions.message_of(described.get("cause") or "").split()),
        started=listed["startDate"],
        since=listed["stopDate"],
        remedy=remedy,
        input=described.get("input") or "",
        redrives=described.get("redriveCount") or 0,
        why_nothing=why_nothing,
    )


def _remedy(
    client: Any, described: dict[str, Any], listed: dict[str, Any], now: datetime, reason: str
) -> tuple[Remedy, str]:
    arn = listed["executionArn"]
    remedy = Remedy.RESUBMIT
    if listed["status"] == "FAILED" and executions.ended_on_purpose(client, arn):
        if reason not in CORRECTABLE:
            return Remedy.CHECK, ""
        remedy = Remedy.CORRECT
    elif now - listed["stopDate"] < REDRIVABLE_FOR and described.get("redriveStatus") != "NOT_REDRIVABLE":
        return Remedy.REDRIVE, ""
    if _exists(client, successor_arn(arn)):
        return Remedy.NONE, f"resubmitted as 已重新提交: {successor_arn(arn)}"
    return remedy, ""


def _exists(client: Any, arn: str) -> bool:
    try:
        client.describe_execution(executionArn=arn)
    except ClientError as exc:
        if error_code(exc) == "ExecutionDoesNotExist":
            return False
        raise
    return True


def _order_of(client: Any, arn: str, default_mchid: str) -> tuple[str, str]:
    return _names(_event(client.describe_execution(executionArn=arn).get("input")), default_mchid)


def _names(event: Mapping[str, Any], default_mchid: str) -> tuple[str, str]:
    return str(event.get("mchid") or default_mchid), str(event.get("out_order_no", "?"))


def _is_smoke(event: Mapping[str, Any]) -> bool:
    metadata = event.get("metadata")
    return isinstance(metadata, dict) and metadata.get("smoke") is True


def _event(text: str | None) -> dict[str, Any]:
    try:
        event = json.loads(text or "")
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
