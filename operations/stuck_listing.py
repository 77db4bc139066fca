"""What `make stuck` shows: a line a fact, nothing cut, ARNs whole; or as JSON."""

import json
from collections import Counter
from collections.abc import Iterator

from rich.text import Text

from operations.executions import GOES_ON
from operations.lives import OrderReader
from operations.remedies import Listing, Remedy, Selection, Stuck


def shown(stuck: Stuck) -> Iterator[Text]:
    """Yield the lines of one execution."""
    merchant = f"  mchid {stuck.mchid}" if stuck.mchid else ""
    redriven = f", redriven {stuck.redrives}x" if stuck.redrives else ""
    remedy = (stuck.remedy.value, "yellow" if stuck.remedy is not Remedy.NONE else "dim")
    since = f"  {stuck.since.astimezone():%Y-%m-%d %H:%M %z}{redriven}  "
    yield Text.assemble((stuck.out_order_no, "bold"), merchant, since, remedy)
    yield Text(f"  {stuck.reason}: {stuck.message}" if stuck.message else f"  {stuck.reason}")
    yield Text(f"  {stuck.arn}", "dim")
    yield from (Text(f"  {step}") for step in stuck.next_steps)


def summary(listing: Listing) -> str:
    """Return how many need someone, and for what."""
    counted = Counter(each.remedy.value for each in listing.needy)
    what = ", ".join(f"{number} {remedy}" for remedy, number in counted.most_common())
    return (
        f"{len(listing.needy)} need someone 需处理: {what}"
        if counted
        else "nothing is stuck 没有待处理的执行"
    )


def state_of(reader: OrderReader, out_order_no: str) -> dict[str, str]:
    """Return how an order stands that is not among those that need someone: `state` and `execution`."""
    runs = reader.executions(out_order_no, reader.lines(out_order_no))
    if not runs:
        return {"state": "unknown", "execution": ""}
    newest = max(runs, key=lambda each: (each.status in GOES_ON, each.began))
    states = {**dict.fromkeys(GOES_ON, "running"), "SUCCEEDED": "settled"}
    return {"state": states.get(newest.status, newest.status), "execution": newest.arn}


def state_in_words(out_order_no: str, stands: dict[str, str]) -> str:
    """Return it as a sentence."""
    if stands["state"] == "unknown":
        return (
            f"{out_order_no}: no execution of such an order. Was its event emitted, is it a dead letter? "
            "没有该订单的执行"
        )
    sentences = {"running": "running 进行中", "settled": "settled 已完结"}
    other = f"{stands['state']}, and not among what was asked for 不在所选条件内"
    return f"{out_order_no}: {sentences.get(stands['state'], other)}: {stands['execution']}"


def as_json(selection: Selection, listing: Listing, states: dict[str, dict[str, str]]) -> str:
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
            "next": each.next_steps[0],
            "redrives": each.redrives,
            "execution": each.arn,
        }
        for each in listing.stuck
    ]
    listed = {
        "since": selection.since and selection.since.isoformat(),
        "before": selection.before and selection.before.isoformat(),
        "stuck": stuck,
        "orders": states,
    }
    return json.dumps(listed, ensure_ascii=False, indent=2)
