"""What the list of orders shows: a row an order, filtered, and what all of them add up to."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from life import Life, Run, Standing

# How standings are told apart in the filter and by colour.
GROUPS: Mapping[str, frozenset[Standing]] = {
    "running": frozenset({Standing.COMPLETING, Standing.ANNOUNCING, Standing.AWAITING_PAYMENT}),
    "settled": frozenset({Standing.ACCEPTED, Standing.PAID, Standing.CANCELLED}),
    "overdue": frozenset({Standing.OVERDUE}),
    "failed": frozenset({Standing.FAILED}),
    "stuck": frozenset({Standing.INTERRUPTED}),
}
PAGE = 100
# Upper ends of the bars of "time to paid", in seconds.
SPANS: Sequence[tuple[str, float]] = (
    ("10 s", 10),
    ("1 min", 60),
    ("10 min", 600),
    ("1 h", 3600),
    ("1 d", 86400),
    ("> 1 d", float("inf")),
)


@dataclass(frozen=True)
class Row:
    """One order of the list.

    Attributes:
        amount: fen, as asked; None when the event tells none.
        since: since when it stands so.
        evidence: REPLY or QUERY; empty when nothing proves anything yet.
        reason: why it failed.
        seconds_to_paid: None unless it is paid.
    """

    out_order_no: str
    mchid: str
    amount: int | None
    standing: Standing
    group: str
    since: datetime
    evidence: str
    reason: str
    seconds_to_paid: float | None


@dataclass(frozen=True)
class Totals:
    """What orders add up to.

    Attributes:
        orders: how many stand so.
        fen: what those were asked to be charged.
        paid_within: how many were paid within each of `SPANS`.
    """

    orders: Mapping[Standing, int]
    fen: Mapping[Standing, int]
    paid_within: Sequence[tuple[str, int]]


def row_of(life: Life) -> Row:
    """Return an order's row."""
    run = life.deciding
    assert run is not None  # noqa: S101 - the list is made of executions
    paid = (run.ended - run.began).total_seconds() if run.ended and life.standing is Standing.PAID else None
    return Row(
        out_order_no=life.out_order_no,
        mchid=life.mchid,
        amount=_amount(run),
        standing=life.standing,
        group=group_of(life.standing),
        since=run.ended or (run.steps[-1].began if run.steps else run.began),
        evidence=_evidence(run),
        reason=run.error or _last_error(run),
        seconds_to_paid=paid,
    )


def group_of(standing: Standing) -> str:
    """Return the group of a standing; empty for one of an order that nothing knows."""
    return next((name for name, standings in GROUPS.items() if standing in standings), "")


def chosen(rows: Iterable[Row], group: str, search: str) -> list[Row]:
    """Return the rows of a group (empty: of all) whose number holds the text searched for."""
    wanted = search.strip().casefold()
    return [
        row
        for row in rows
        if (not group or row.group == group) and (not wanted or wanted in row.out_order_no.casefold())
    ]


def totals(rows: Iterable[Row]) -> Totals:
    """Add up."""
    orders: Counter[Standing] = Counter()
    fen: Counter[Standing] = Counter()
    within: Counter[str] = Counter()
    for row in rows:
        orders[row.standing] += 1
        fen[row.standing] += row.amount or 0
        if row.seconds_to_paid is not None:
            within[next(name for name, end in SPANS if row.seconds_to_paid <= end)] += 1
    return Totals(orders, fen, [(name, within[name]) for name, _ in SPANS])


def _amount(run: Run) -> int | None:
    for fields in (run.result, run.asked):
        value: Any = fields.get("total_amount") if isinstance(fields, Mapping) else None
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _last_error(run: Run) -> str:
    """Return what a running execution met last; nothing of one that has settled in spite of it."""
    if not run.running:
        return ""
    errors = [attempt.error for step in run.steps[-1:] for attempt in step.attempts if attempt.error]
    return errors[-1] if errors else ""


def _evidence(run: Run) -> str:
    if run.result is not None:
        return str(run.result.get("evidence") or "")
    return next((str(each.detail.get("evidence") or "") for each in reversed(run.published)), "")
