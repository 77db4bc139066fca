"""The orders of the demo, and how each must end."""

import json
from dataclasses import dataclass, field
from typing import Any

from tools.sam import ROOT

ROUND = ("AwaitPayment", "QueryOrder", "Payment")
_ACCEPTED = ("ServiceEnded", "Outcome", "OrderCompleted", "Payment", *ROUND)
_PAID = (*_ACCEPTED, "OrderPaid", "Completed")
_OVERDUE = (*_ACCEPTED, "OrderPaymentOverdue", "Payment", "Completed")
_CANCELLED = ("ServiceEnded", "Outcome", "OrderCancelled", "Cancelled")
_FAILED = ("ServiceEnded", "Outcome", "OrderFailed", "Failed")

# Until the slow shopper is debited, by the simulator's clock; the demo moves it there at a later query.
SLOW_SECONDS = 3600
# Queries in a day of waiting: after 5 s, 15 s, 1 min, 5 min and 30 min, and then hourly.
_A_DAY_OF_QUERIES = 29
_SLOW_QUERIES = 3


@dataclass(frozen=True)
class Sample:
    """An order, how it comes in and what goes wrong on the way, and how it must end.

    Attributes:
        states: as passed, with repeated rounds of waiting and asking once.
        payment: what the last query must have found; empty when there is none.
        charged: fen.
        queries: how many rounds there may be.
        fault, fault_times: what completions meet at WeChat Pay, and how many of them do.
        opened: settings of the order in the simulator.
        debited_at_query: which query the simulator's clock is moved at; 0 for none.
    """

    what: str
    event: dict[str, Any]
    states: tuple[str, ...]
    outcome: str
    evidence: str
    payment: str = ""
    charged: int = 0
    raised: tuple[str, ...] = ()
    queries: range = range(1)
    fault: str = ""
    fault_times: int = 1
    on_bus: bool = False
    opened: dict[str, Any] = field(default_factory=dict)
    debited_at_query: int = 0

    @property
    def number(self) -> str:
        """Its out_order_no."""
        return str(self.event["out_order_no"])


def samples() -> list[Sample]:
    """One order for each branch of the workflow, and those that meet trouble on the way."""
    return [
        _paid("3 fees, 1 discount", _event("completed"), charged=1200),
        Sample("nothing taken", _event("cancelled"), _CANCELLED, "CANCELLED", "REPLY"),
        Sample("above the risk cap", _event("rejected"), _FAILED, "REJECTED", "400 verified"),
        Sample("5 mistakes in it", _event("invalid"), _FAILED, "INVALID_INPUT", "nothing sent"),
        _paid("ticket by query", _event("ticket_by_query")),
        _paid(
            "503 from both hosts",
            _bought(6),
            raised=("WeChatPayUnavailable",),
            fault="unavailable",
            fault_times=2,
        ),
        _paid("cut off once applied", _bought(7), evidence="QUERY", fault="reset_after"),
        _paid("an event on the bus", _bought(8), on_bus=True),
        _paid(
            "slow to pay",
            _bought(9),
            queries=range(_SLOW_QUERIES, _A_DAY_OF_QUERIES + 1),
            opened={"debit_after": SLOW_SECONDS},
            debited_at_query=_SLOW_QUERIES,
        ),
        Sample(
            "never paid",
            _bought(10),
            _OVERDUE,
            "COMPLETED",
            "REPLY",
            payment="COLLECTING",
            queries=range(_A_DAY_OF_QUERIES, _A_DAY_OF_QUERIES + 1),
            opened={"debit_after": None},
        ),
        _paid(
            "of payafter-orders",
            _bought(11) | {"order_api": "payafter-orders"},
            opened={"api": "payafter-orders"},
        ),
        # No event says so: the other families do not know it.
        _paid("serviceorder, found", _bought(12), opened={"api": "serviceorder"}),
    ]


def _paid(
    what: str,
    event: dict[str, Any],
    *,
    evidence: str = "REPLY",
    charged: int = 1350,
    queries: range = range(1, 2),
    **more: Any,
) -> Sample:
    return Sample(
        what,
        event,
        _PAID,
        "COMPLETED",
        evidence,
        payment="PAID",
        charged=charged,
        queries=queries,
        **more,
    )


def _bought(number: int) -> dict[str, Any]:
    return {**_event("ticket_by_query"), "out_order_no": f"SR-20251001-{number:04}"}


def _event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    return event
