"""The orders of the demo, what must become of each, and the check that it did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.executions import Execution
from local.sam import ROOT

_COMPLETED = ("ServiceEnded", "Outcome", "OrderCompleted", "Completed")
_CANCELLED = ("ServiceEnded", "Outcome", "OrderCancelled", "Cancelled")
_FAILED = ("ServiceEnded", "Outcome", "OrderFailed", "Failed")


@dataclass(frozen=True)
class Sample:
    """An order, how it comes in and what goes wrong on the way, and how it must end (`charged` in fen)."""

    what: str
    event: dict[str, Any]
    states: tuple[str, ...]
    outcome: str
    evidence: str
    charged: int = 0
    raised: tuple[str, ...] = ()
    fault: str = ""
    on_bus: bool = False

    @property
    def number(self) -> str:
        """Its out_order_no."""
        return str(self.event["out_order_no"])


@dataclass(frozen=True)
class Settled:
    """What became of a sample: its execution, the simulator's truth about it and how often it was asked."""

    sample: Sample
    execution: Execution
    ledger: dict[str, Any]
    requests: int

    @property
    def outcome(self) -> str:
        """The result's outcome, or the error that the workflow ended with."""
        output = self.execution.output
        return str(output["outcome"]) if output else str(self.execution.error)

    @property
    def evidence(self) -> str:
        """What the outcome rests on."""
        if self.execution.output:
            return str(self.execution.output["evidence"])
        if self.requests == 0:
            return "nothing sent"
        error = json.loads(self.execution.cause or "{}")
        return f"{error['status']} verified" if error.get("verified") else "not verified"

    def differences(self) -> Iterator[str]:
        """Say what is not as it must be."""
        sample = self.sample
        pairs = {
            "states": (tuple(self.execution.states), sample.states),
            "errors raised": (tuple(self.execution.raised), sample.raised),
            "outcome": (self.outcome, sample.outcome),
            "evidence": (self.evidence, sample.evidence),
            "fen charged": (self.ledger["charged"], sample.charged),
            "debits": (self.ledger["debits"], 1 if sample.charged else 0),
        }
        for name, (found, expected) in pairs.items():
            if found != expected:
                yield f"{sample.number}: {name}: {found!r}, expected {expected!r}"


def samples() -> list[Sample]:
    """One order for each branch of the workflow, and those that meet trouble on the way."""
    bought = _event("ticket_by_query")
    return [
        Sample("3 fees, 1 discount", _event("completed"), _COMPLETED, "COMPLETED", "REPLY", 1200),
        Sample("nothing taken", _event("cancelled"), _CANCELLED, "CANCELLED", "REPLY"),
        Sample("above the risk cap", _event("rejected"), _FAILED, "REJECTED", "400 verified"),
        Sample("5 mistakes in it", _event("invalid"), _FAILED, "INVALID_INPUT", "nothing sent"),
        Sample("ticket by query", bought, _COMPLETED, "COMPLETED", "REPLY", 1350),
        Sample(
            "503 once, then well",
            {**bought, "out_order_no": "SR-20251001-0006"},
            _COMPLETED,
            "COMPLETED",
            "REPLY",
            1350,
            raised=("WeChatPayUnavailable",),
            fault="unavailable",
        ),
        Sample(
            "cut off once applied",
            {**bought, "out_order_no": "SR-20251001-0007"},
            _COMPLETED,
            "COMPLETED",
            "QUERY",
            1350,
            fault="reset_after",
        ),
        Sample(
            "an event on the bus",
            {**bought, "out_order_no": "SR-20251001-0008"},
            _COMPLETED,
            "COMPLETED",
            "REPLY",
            1350,
            on_bus=True,
        ),
    ]


def _event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    return event
