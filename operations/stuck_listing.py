"""How `make stuck` shows what it found: a line a fact, nothing cut, ARNs whole; or as JSON."""

import json
import shlex
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from rich.text import Text

from operations.executions import GOES_ON
from operations.lives import Reader
from operations.stuck import Listing, Remedy, Stuck

_NEXT = {
    Remedy.CORRECT: (
        "take the cause away, then send the corrected event again; when the same event is right now: "
        "make resubmit REASON={reason} ORDER={order}"
    ),
    Remedy.CHECK: (
        "compare what was charged with what was asked: make doctor ORDER={order}; refund what is too much"
    ),
    Remedy.REDRIVE: "take the cause away, then make redrive ORDER={order}",
    Remedy.RESUBMIT: "take the cause away, then make resubmit ORDER={order}",
}


def shown(stuck: Stuck) -> Iterator[Text]:
    """Yield the lines of one execution."""
    merchant = f"  mchid {stuck.mchid}" if stuck.mchid else ""
    redriven = f", redriven {stuck.redrives}x" if stuck.redrives else ""
    remedy = (stuck.remedy.value, "yellow" if stuck.remedy is not Remedy.NONE else "dim")
    yield Text.assemble(
        (stuck.out_order_no, "bold"), merchant, f"  {_local(stuck.since)}{redriven}  ", remedy
    )
    yield Text(f"  {stuck.reason}: {stuck.message}" if stuck.message else f"  {stuck.reason}")
    yield Text(f"  {stuck.arn}", "dim")
    yield Text(f"  {stuck.why_nothing or next_step(stuck)}")


def next_step(stuck: Stuck) -> str:
    """Return what to do about it, with the command; empty when there is nothing to do."""
    step = _NEXT.get(stuck.remedy, "")
    if stuck.status == "ABORTED" and stuck.remedy in (Remedy.REDRIVE, Remedy.RESUBMIT):
        step = f"somebody stopped it: unless that was meant so, {step} REASON=ABORTED"
    return step.format(reason=stuck.reason, order=shlex.quote(stuck.out_order_no))


def summary(listing: Listing) -> str:
    """Return how many need someone, and for what."""
    counted = Counter(each.remedy.value for each in listing.needy)
    what = ", ".join(f"{number} {remedy}" for remedy, number in counted.most_common())
    return (
        f"{len(listing.needy)} need someone 需处理: {what}"
        if counted
        else "nothing is stuck 没有待处理的执行"
    )


def standing(reader: Reader, out_order_no: str) -> dict[str, str]:
    """Return how an order stands that is not among those that need someone: `state` and `execution`."""
    runs = reader.executions(out_order_no, reader.lines(out_order_no))
    if not runs:
        return {"state": "unknown", "execution": ""}
    newest = max(runs, key=lambda each: (each.status in GOES_ON, each.began))
    states = {**dict.fromkeys(GOES_ON, "running"), "SUCCEEDED": "settled"}
    return {"state": states.get(newest.status, newest.status), "execution": newest.arn}


def standing_in_words(out_order_no: str, stands: dict[str, str]) -> str:
    """Return it as a sentence."""
    arn = stands["execution"]
    match stands["state"]:
        case "unknown":
            return (
                f"{out_order_no}: no execution of such an order. Was its event emitted, is it a dead letter? "
                "没有该订单的执行"
            )
        case "running":
            return f"{out_order_no}: running 进行中: {arn}"
        case "settled":
            return f"{out_order_no}: settled 已完结: {arn}"
    return f"{out_order_no}: {stands['state']}, and not among what was asked for 不在所选条件内: {arn}"


def as_json(listing: Listing, standings: dict[str, dict[str, str]]) -> str:
    """Return it for a program: `stuck`, a list; `orders`, how others stand that are asked for by number."""
    stuck = [
        {
            "out_order_no": each.out_order_no,
            "mchid": each.mchid,
            "status": each.status,
            "reason": each.reason,
            "message": each.message,
            "started": each.started.isoformat(),
            "ended": each.since.isoformat(),
            "remedy": each.remedy.name,
            "next": each.why_nothing or next_step(each),
            "redrives": each.redrives,
            "execution": each.arn,
        }
        for each in listing.stuck
    ]
    return json.dumps({"stuck": stuck, "orders": standings}, ensure_ascii=False, indent=2)


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M %z}"
