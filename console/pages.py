"""What each page holds, for its template."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from wechatpay.reply_rules import REPLIES, ReplyRule

from console import rows
from console.asked import Asked
from console.board import Board, Snapshot
from console.rows import Row, Totals
from life import Life, Run, Standing
from life.compose import CONFLICT, NOT_COMPLETED
from operations import show
from operations.merchant_files import now
from operations.target import Target


@dataclass(frozen=True)
class OrderTable:
    """All orders at one moment, put into rows and added up once, whoever looks.

    Attributes:
        ledger: what WeChat Pay charged and whether it agrees; None where it cannot be seen.
    """

    snapshot: Snapshot
    rows: Sequence[Row]
    totals: Totals
    ledger: Mapping[str, Any] | None


def order_table(snapshot: Snapshot, ledger: Mapping[str, Mapping[str, Any]] | None) -> OrderTable:
    """Return the orders as rows, with their sums.

    Args:
        ledger: WeChat Pay's own, by the order's number, where it can be seen.
    """
    every = [rows.row_of(life) for life in snapshot.lives]
    compared = _compared(every, ledger) if ledger is not None else None
    return OrderTable(snapshot, every, rows.totals(every), compared)


def orders_page(table: OrderTable, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the list: a page of the rows chosen by the address's query, and what all orders add up to."""
    group, search = query.get("group", ""), query.get("q", "")
    matching = rows.chosen(table.rows, group if group in rows.GROUPS else "", search)
    last = max((len(matching) - 1) // rows.PAGE, 0)
    number = min(int(query["page"]), last) if query.get("page", "").isdecimal() else 0
    first = number * rows.PAGE
    return {
        "rows": matching[first : first + rows.PAGE],
        "every": len(table.rows),
        "matching": len(matching),
        "first": first,
        "newer": _link(query, number - 1) if number > 0 else "",
        "older": _link(query, number + 1) if number < last else "",
        "totals": table.totals,
        "groups": list(rows.GROUPS),
        "group": group,
        "search": search,
        "snapshot": table.snapshot,
        "ledger": table.ledger,
        "Standing": Standing,
    }


def order_page(
    target: Target,
    number: str,
    query: Mapping[str, str],
    board: Board,
    known: Collection[str] | None,
    asked: Asked,
) -> dict[str, Any]:
    """Return one order's life, read now.

    Args:
        known: its executions, where the list knows them; None looks through the newest ones.
        asked: what WeChat Pay answered about orders.
    """
    mchid = query.get("mchid") or None
    life, notes = show.read(target, number, mchid, now(), None, asking=asked.remembered, known=known)
    run = _chosen_run(life, query.get("execution", ""))
    return {
        "number": number,
        "life": life,
        "run": run,
        "notes": notes,
        "definition": board.definition,
        "details": _details(run) if run else {},
        "rule": rule_of(run) if run else None,
        "status": 200 if life.runs or life.direct else 404,
        "Standing": Standing,
    }


def rule_of(run: Run) -> ReplyRule | None:
    """Return the row of the product's decision table that the functions' logs name last, if they name one."""
    return next((row for row in REPLIES if row.name == run.rule), None)


def ask_wechat_pay(
    target: Target, number: str, mchid: str, known: Collection[str] | None, asked: Asked
) -> None:
    """Make the signed query that `make show` makes, and keep what it said; arguments as of `order_page`."""
    show.read(target, number, mchid or None, now(), None, asking=asked.anew, known=known)


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


def _compared(every: Sequence[Row], ledger: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what WeChat Pay charged for the orders that are paid, and whether all orders agree with it."""
    paid = {row.out_order_no for row in every if row.standing is Standing.PAID}
    return {
        "charged": sum(ledger.get(number, {}).get("charged", 0) for number in paid),
        "agrees": all(_agrees(row, ledger.get(row.out_order_no, {})) for row in every),
    }


def _agrees(row: Row, entry: Mapping[str, Any]) -> bool:
    """Tell whether WeChat Pay has an order as it is called here. A CONFLICT itself says: charged."""
    charged = entry.get("charged", 0)
    match row.standing:
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
    same = {name: query[name] for name in ("group", "q") if query.get(name)}
    return "?" + urlencode({**same, "page": page})
