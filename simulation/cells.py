"""Which rows of the decision tables a run reached, in which state of the workflow, under which fault.

`make simulate-cells ORDERS=4000 SEED=1` prints how often each was reached, and names those that never were.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import simulation  # noqa: F401 - where the functions are

# isort: split
from complete_order import finality, judgement
from query_order import payment
from wechatpay import find_order, reply_rules

from simulation.environments import running
from simulation.run import simulate

STATES = {
    "complete_order": "ServiceEnded",
    "query_order": "QueryOrder",
    "payment_notification": "Notification",
}
# No query can meet these, and why.
_NOT_OF_A_QUERY = {
    "re-entry with other parameters": "a query has none",
    "a debit is running or has failed": "a query does not ask for one",
    "finish_ticket refused": "a query carries none",
    "risk cap, end before start, out of range": "a query carries no amount and no time",
    "the times: clocks differ": "a query carries none",
    "FINISHED 1": "what was accepted to be finished is never cancelled by a completion",
    "EXPIRED": "what was accepted does not expire",
}
Cell = tuple[str, str, str]


@contextmanager
def counted() -> Iterator[Counter[Cell]]:
    """Count every decision that is made meanwhile: row, state, fault."""
    cells: Counter[Cell] = Counter()

    def note(row: str) -> None:
        environment = running()
        if environment is not None:
            cells[row, STATES[environment.name], environment.invocation.met or "none"] += 1

    def rule_of(error: Any) -> Any:
        rule = reply_rules.rule_of(error)
        note(rule.name)
        return rule

    def of_state(**asked: Any) -> Any:
        note(state_row(asked["state"], asked["finish_type"]))
        return reply_rules.of_state(**asked)

    with ExitStack() as patches:
        for module in (finality, find_order):
            patches.enter_context(patch.object(module, "rule_of", rule_of))
        for module in (judgement, payment):
            patches.enter_context(patch.object(module, "of_state", of_state))
        yield cells


def state_row(state: str, finish_type: int | None) -> str:
    """Name a row of the table of states."""
    for row in reply_rules.STATES:
        if row.state == state and row.finish_type in (None, finish_type):
            return f"{row.state} {row.finish_type or ''}".strip()
    return f"{state}: on no row"


def expected() -> list[tuple[str, str]]:
    """Return every row in each state of the workflow that makes calls, where it can be met."""
    replies = [row.name for row in reply_rules.REPLIES]
    rows = replies + [state_row(row.state, row.finish_type) for row in reply_rules.STATES]
    return [
        (row, state)
        for row in rows
        for state in ("ServiceEnded", "QueryOrder")
        if not (state == "QueryOrder" and row in _NOT_OF_A_QUERY)
    ]


def lines(cells: Counter[Cell]) -> Iterator[str]:
    """Print how often each cell was reached, and which never was."""
    for row, state in expected():
        faults = {fault: times for (r, s, fault), times in sorted(cells.items()) if (r, s) == (row, state)}
        counts = ", ".join(f"{fault} {times}" for fault, times in faults.items())
        yield f"{row:<44}{state:<14}{sum(faults.values()):>7}  {counts}"
    reached = {(row, state) for row, state, _ in cells}
    never = [f"{row} in {state}" for row, state in expected() if (row, state) not in reached]
    yield f"{len(expected()) - len(never)} of {len(expected())} cells of row and state reached"
    yield f"{len(cells)} cells of row, state and fault reached, {cells.total()} decisions"
    yield from (f"never reached: {each}" for each in never)
    yield from (f"cannot be reached: {row} in QueryOrder: {why}" for row, why in _NOT_OF_A_QUERY.items())


def main() -> int:
    """Run, and print the matrix."""
    parser = argparse.ArgumentParser(prog="python -m simulation.cells")
    parser.add_argument("--orders", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with counted() as cells:
        run = simulate(asked.orders, asked.seed)
    for line in lines(cells):
        print(line)
    if run.failed is not None:
        print(f"FAILED {run.failed}")
    return 0 if run.failed is None else 1


if __name__ == "__main__":
    sys.exit(main())
