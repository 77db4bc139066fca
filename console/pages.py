"""What each page holds, for its template."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from console import rows, rule
from console.board import Board, Snapshot
from life import Life, Run, Standing
from life.compose import CONFLICT, NOT_COMPLETED
from operations import show
from operations.merchant_files import now
from operations.target import Target


def orders_page(
    snapshot: Snapshot, query: Mapping[str, str], ledger: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """Return the list: a page of the rows chosen, and what all orders add up to.

    Args:
        snapshot: the orders.
        query: of the address.
        ledger: WeChat Pay's own, by the order's number, where it can be seen.
    """
    every = [rows.row_of(life) for life in snapshot.lives]
    group, search = query.get("group", ""), query.get("q", "")
    found = rows.chosen(every, group if group in rows.GROUPS else "", search)
    last = max((len(found) - 1) // rows.PAGE, 0)
    number = min(int(query["page"]), last) if query.get("page", "").isdecimal() else 0
    first = number * rows.PAGE
    return {
        "rows": found[first : first + rows.PAGE],
        "every": len(every),
        "found": len(found),
        "first": first,
        "newer": _link(query, number - 1) if number > 0 else "",
        "older": _link(query, number + 1) if number < last else "",
        "totals": rows.totals(every),
        "groups": list(rows.GROUPS),
        "group": group,
        "search": search,
        "snapshot": snapshot,
        "ledger": _compared(snapshot, ledger) if ledger is not None else None,
        "Standing": Standing,
    }


def order_page(target: Target, number: str, query: Mapping[str, str], board: Board) -> dict[str, Any]:
    """Return one order's life, read now."""
    found, notes = show.read(target, number, query.get("mchid") or None, now(), None, query=False)
    run = _chosen_run(found, query.get("execution", ""))
    return {
        "number": number,
        "life": found,
        "run": run,
        "notes": notes,
        "definition": board.definition,
        "details": _details(run) if run else {},
        "rule": rule.of(run) if run else None,
        "status": 200 if found.runs or found.direct else 404,
        "Standing": Standing,
    }


def _chosen_run(life: Life, arn: str) -> Run | None:
    return next((run for run in life.runs if run.arn == arn), life.deciding)


def _details(run: Run) -> dict[str, str]:
    """Return what stands below each state's name: how often it was entered or tried, and for how long."""
    entered: dict[str, int] = {}
    attempts: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for step in run.steps:
        entered[step.name] = entered.get(step.name, 0) + 1
        attempts[step.name] = attempts.get(step.name, 0) + len(step.attempts)
        ended = step.ended or step.began
        seconds[step.name] = seconds.get(step.name, 0.0) + (ended - step.began).total_seconds()
    details = {}
    for name, times in entered.items():
        tried = f"{attempts[name]}x · " if attempts[name] > 1 else f"{times}x · " if times > 1 else ""
        details[name] = f"{tried}{seconds[name]:.2f} s"
    return details


def _compared(snapshot: Snapshot, ledger: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what WeChat Pay charged for the orders that are paid, and whether all orders agree with it."""
    paid = [life for life in snapshot.lives if life.standing is Standing.PAID]
    charged = {life.out_order_no: ledger.get(life.out_order_no, {}).get("charged", 0) for life in paid}
    agrees = all(_agrees(life, ledger.get(life.out_order_no, {})) for life in snapshot.lives)
    return {"charged": sum(charged.values()), "agrees": agrees}


def _agrees(life: Life, entry: Mapping[str, Any]) -> bool:
    """Tell whether WeChat Pay has an order as it is called here. A CONFLICT itself says: charged."""
    row, charged = rows.row_of(life), entry.get("charged", 0)
    match life.standing:
        case Standing.PAID:
            return bool(charged == row.amount)
        case Standing.CANCELLED:
            return not charged
        case Standing.FAILED:
            return not charged or row.reason == CONFLICT
        case Standing.ACCEPTED | Standing.AWAITING_PAYMENT | Standing.OVERDUE:
            return entry.get("state", "") not in NOT_COMPLETED
    return True


def _link(query: Mapping[str, str], page: int) -> str:
    kept = {name: query[name] for name in ("group", "q") if query.get(name)}
    return "?" + urlencode({**kept, "page": page})
