"""Safety, at every step: what is claimed is held to the oracle, and no fen appears or goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from simulation import oracle
from simulation.network import Caller

MOST_CALLS = 9
"""Requests that one invocation may send: two completions, the queries after them, and two downloads."""


class Violation(AssertionError):
    """Something was claimed that is not so, or done that must not be."""


class Audit:
    """Holds every claim to the oracle's orders."""

    def __init__(self) -> None:
        self.models: dict[str, oracle.Order] = {}
        self.fen = 0
        self.claims = 0
        self._conserved: dict[str, int] = defaultdict(int)
        self._failed: dict[str, list[tuple[int, int, str]]] = defaultdict(list)

    def conserved(self, model: oracle.Order) -> None:
        """Count the accepted fen of an order anew, when it has changed: every one of them is somewhere."""
        accepted = model.conserve()
        self.fen += accepted - self._conserved[model.number]
        self._conserved[model.number] = accepted

    def accepted(self, model: oracle.Order, asked: oracle.Asked, who: str) -> None:
        """A completion was accepted: it must not have been called failed before."""
        for finish_type, amount, execution in self._failed[model.number]:
            if model.settled_as(finish_type, amount) and finish_type == asked.finish_type:
                self._violated(model.number, f"{execution} said FAILED, and {who} has it accepted")

    def settled(self, execution: str, event: Any, result: dict[str, Any], calls: int) -> None:
        """CompleteOrder has returned a result."""
        self.claims += 1
        number, outcome = result["out_order_no"], result["outcome"]
        model = self.models[number]
        finish_type, amount = event.get("finish_type"), event.get("total_amount", 0)
        if outcome != "FAILED":
            expected = "CANCELLED" if finish_type == 1 else "COMPLETED"
            if outcome != expected or not model.settled_as(finish_type, amount):
                self._violated(number, f"{outcome} of {amount} fen, and it is {model}")
            if result["total_amount"] != amount:
                self._violated(number, f"asked for {amount} fen, answered {result['total_amount']}")
            return
        category = result["error"]["category"]
        if category == "INVALID_INPUT" and calls:
            self._violated(number, "INVALID_INPUT, and something was sent")
        if category == "CONFLICT" and not model.settled:
            self._violated(number, f"CONFLICT, and it is {model.state}")
        lowered = category == "CONFLICT" and model.waived > 0  # what stands is another amount than was asked
        if model.settled_as(finish_type, amount) and category != "INVALID_INPUT" and not lowered:
            self._violated(number, f"FAILED ({category}), and it is settled as asked: {model}")
        if category == "REJECTED" and model.payable(finish_type, amount):
            self._violated(number, f"REJECTED, and it can still be settled: {model}")
        if category == "REJECTED":
            self._failed[number].append((finish_type, amount, execution))

    def queried(self, result: dict[str, Any]) -> None:
        """QueryOrder has returned a result."""
        self.claims += 1
        number = result["out_order_no"]
        model = self.models[number]
        if result["outcome"] == "FAILED":
            if model.waived == 0 and model.state != oracle.REVOKED:
                self._violated(number, f"CONFLICT after it was accepted, and it is {model}")
            return
        payment = result["payment"]
        if payment["state"] != "PAID":
            return
        if model.state != oracle.PAID or model.accepted != result["total_amount"]:
            self._violated(number, f"PAID {result['total_amount']} fen, and it is {model}")
        by = {"WECHAT_PAY": model.debited, "MERCHANT_CHANNEL": model.synced}.get(payment["paid_by"], 1)
        if not by:
            self._violated(number, f"paid by {payment['paid_by']}, and it is {model}")

    def published(self, kind: str, detail: dict[str, Any], asked_at: float) -> None:
        """An event is on the bus."""
        self.claims += 1
        number = detail["out_order_no"]
        model = self.models[number]
        true: dict[str, Callable[[], bool]] = {
            "Order Completed": lambda: model.settled_as(2, detail["total_amount"]),
            "Order Cancelled": lambda: model.settled_as(1, 0),
            "Order Paid": lambda: model.state == oracle.PAID and model.accepted == detail["total_amount"],
            "Order Payment Overdue": lambda: model.paid_at is None or model.paid_at >= asked_at,
            "Order Failed": lambda: detail["outcome"] == "FAILED",
        }
        if not true[kind]():
            self._violated(number, f"{kind} of {detail.get('total_amount')} fen, and it is {model}")

    def sent(self, number: str, caller: Caller, body: bytes) -> None:
        """A completion has arrived: in doubt about one, only the same bytes may follow it."""
        if caller.sent is not None:
            before, refused = caller.sent
            if before != body and not refused:
                self._violated(number, "other bytes were sent while the first were in doubt")

    def called(self, number: str, calls: int) -> None:
        """An invocation has ended after so many requests."""
        if calls > MOST_CALLS:
            self._violated(number, f"{calls} requests in one invocation")

    def _violated(self, number: str, what: str) -> None:
        raise Violation(f"{number}: {what}")
