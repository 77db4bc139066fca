"""`make stuck`: executions that ended without settling their order, and what brings each to its end.

An order may have several executions. What decides is the newest that failed; one that runs, or that has
settled the order since, leaves nothing to do.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

from life.reading import json_object, message_of, order_of
from operations import executions
from operations.merchant_files import now
from operations.remedies import Listing, Remedy, Selection, Stuck, successor_arn
from operations.target import Target

STATUSES = ("FAILED", "TIMED_OUT", "ABORTED")
CORRECTABLE = ("REJECTED", "INVALID_INPUT")
_AT_A_TIME = 8
# Each has to be described to know its order, and AWS answers about 15 a second.
_SUCCEEDED_LOOKED_AT = 5000


def find_on(target: Target, selection: Selection) -> Listing:
    """Find what is stuck on a stack now."""
    client = target.client("stepfunctions")
    return find(client, target.whole_state_machine, now(), selection, default_mchid=target.default_mchid)


def find(
    client: Any, state_machine: str, now: datetime, selection: Selection, *, default_mchid: str = ""
) -> Listing:
    """Find what is stuck.

    Args:
        client: a boto3 Step Functions client.
        default_mchid: the merchant of events that name none.
    """
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        ended = [
            each
            for status in STATUSES
            for each in executions.listed(client, state_machine, status)
            if selection.within(each["stopDate"])
        ]
        examined = pool.map(lambda each: _examine(client, each, now, default_mchid), ended)
        stuck = [each for each in examined if selection.covers(each)]
        open_orders = [each for each in stuck if each.remedy is not Remedy.NONE]
        if not open_orders:
            return Listing(stuck, 0)
        others, unseen = _others(client, state_machine, open_orders)
        inputs = pool.map(
            lambda each: client.describe_execution(executionArn=each["executionArn"]).get("input"), others
        )
        executions_of: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        for each, event in zip(others, inputs, strict=True):
            executions_of[order_of(event, default_mchid)].append(each)
    return Listing([_unless_superseded(each, executions_of[each.order]) for each in stuck], unseen)


def _others(client: Any, state_machine: str, stuck: Iterable[Stuck]) -> tuple[list[dict[str, Any]], int]:
    """List the executions that may have superseded one of these, and count those that are too many."""
    started = min(each.started for each in stuck)
    ended = min(each.since for each in stuck)
    others = list(executions.listed(client, state_machine, "RUNNING"))
    for status in STATUSES:
        ended_so = executions.listed(client, state_machine, status)
        others += [each for each in ended_so if each["startDate"] > started]
    succeeded = []
    for each in executions.listed(client, state_machine, "SUCCEEDED"):  # the newest first
        if each["startDate"] < started - executions.REDRIVABLE_FOR:
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
            reason = "another execution runs 另一执行进行中"
        elif status == "SUCCEEDED" and other["stopDate"] > stuck.since:
            reason = "settled since by 已由另一执行完结"
        elif status in STATUSES and (other["startDate"], arn) > (stuck.started, stuck.arn):
            reason = "a newer execution decides 以更新的执行为准"
        else:
            continue
        return replace(stuck, remedy=Remedy.NONE, why_nothing=f"{reason}: {arn}")
    return stuck


def _examine(client: Any, listed: dict[str, Any], now: datetime, default_mchid: str) -> Stuck:
    # As it was listed: it may run again by now.
    execution = client.describe_execution(executionArn=listed["executionArn"]) | listed
    event, reason = execution.get("input") or "", execution.get("error") or listed["status"]
    mchid, out_order_no = order_of(event, default_mchid)
    remedy, why_nothing = _remedy(client, execution, now, reason)
    if listed["name"].startswith("smoke-") and _is_smoke(event):
        remedy, why_nothing = Remedy.NONE, "a smoke test, which fails on purpose 冒烟测试"
    return Stuck(
        arn=listed["executionArn"],
        out_order_no=out_order_no,
        mchid=mchid,
        status=listed["status"],
        reason=reason,
        message=" ".join(message_of(execution.get("cause") or "").split()),
        started=listed["startDate"],
        since=listed["stopDate"],
        remedy=remedy,
        input=event,
        redrives=execution.get("redriveCount") or 0,
        why_nothing=why_nothing,
    )


def _remedy(client: Any, execution: dict[str, Any], now: datetime, reason: str) -> tuple[Remedy, str]:
    arn, remedy = execution["executionArn"], Remedy.RESUBMIT
    if execution["status"] == "FAILED" and executions.ended_on_purpose(client, arn):
        if reason not in CORRECTABLE:
            return Remedy.CHECK, ""
        remedy = Remedy.CORRECT
    elif executions.is_redrivable(execution, now):
        return Remedy.REDRIVE, ""
    if executions.described(client, successor_arn(arn)) is not None:
        return Remedy.NONE, f"resubmitted as 已重新提交: {successor_arn(arn)}"
    return remedy, ""


def _is_smoke(event: str) -> bool:
    metadata = json_object(event).get("metadata")
    return isinstance(metadata, dict) and metadata.get("smoke") is True
