"""Safety, at every step and once more at the end: every claim is held to the oracle, no fen comes or goes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any, NoReturn

from wechatpay_sandbox.arrivals import Request

from simulation import oracle
from simulation.network import Sender

LOST, TWICE, AMOUNT = "orders lost", "charged twice", "wrong amount"
FAILED_CHARGED, UNTRUE = "FAILED and charged", "claimed but not true"
NOWHERE, NEVER, SECRETS = "fen from nowhere", "never final", "secrets found"
CALLS = "more calls than the bound"
DIVERGED = "the sandbox is not the oracle"
ZEROS = (LOST, TWICE, AMOUNT, FAILED_CHARGED, UNTRUE, NOWHERE, NEVER, CALLS, SECRETS, DIVERGED)
MOST_CALLS = 16
"""Requests of one invocation: completions, queries of two hosts in three families, downloads."""


class Violation(AssertionError):
    """Something was claimed that is not so, or done that must not be.

    Attributes:
        kind: which of `ZEROS` is none any more.
    """

    def __init__(self, kind: str, number: str, what: str) -> None:
        super().__init__(f"{number}: {kind}: {what}")
        self.kind = kind


class Audit:
    """Holds every claim to the oracle's orders.

    Attributes:
        models: the oracle's orders, by number.
        examined: how often each of `ZEROS` was looked for.
        fen: accepted so far.
    """

    def __init__(self) -> None:
        self.models: dict[str, oracle.Order] = {}
        self.examined: Counter[str] = Counter()
        self.fen = 0
        self._conserved: dict[str, int] = defaultdict(int)
        self._failed: dict[str, list[tuple[int, int, str]]] = defaultdict(list)

    def conserved(self, model: oracle.Order) -> None:
        """Count the accepted fen of an order anew, when it has changed: every one of them is somewhere."""
        self.examined.update((NOWHERE, DIVERGED))
        accepted = model.conserve()
        self.fen += accepted - self._conserved[model.number]
        self._conserved[model.number] = accepted

    def accepted(self, model: oracle.Order, asked: oracle.Asked, who: str) -> None:
        """A completion was accepted: it must not have been called failed before."""
        self.examined[FAILED_CHARGED] += 1
        for finish_type, amount, execution in self._failed[model.number]:
            if model.settled_as(finish_type, amount) and finish_type == asked.finish_type:
                _violated(FAILED_CHARGED, model, f"{execution} ended FAILED, and {who} has it accepted")

    def settled(self, execution: str, event: Any, result: dict[str, Any], calls: int) -> None:
        """CompleteOrder has returned a result."""
        self.examined[UNTRUE] += 1
        model, outcome = self.models[result["out_order_no"]], result["outcome"]
        finish_type, amount = event.get("finish_type"), event.get("total_amount", 0)
        if outcome == "FAILED":
            self._refused(model, finish_type, amount, result["error"]["category"], execution, calls)
            return
        expected = "CANCELLED" if finish_type == 1 else "COMPLETED"
        if outcome != expected or not model.settled_as(finish_type, amount):
            _violated(UNTRUE, model, f"{outcome} of {amount} fen, and it is {model}")
        if (result["total_amount"], result["order_api"]) != (amount, model.api):
            answered = f"{result['total_amount']} fen of {result['order_api']}"
            _violated(AMOUNT, model, f"asked for {amount} fen, answered {answered}")

    def _refused(
        self, model: oracle.Order, finish_type: int, amount: int, category: str, execution: str, calls: int
    ) -> None:
        self.examined[FAILED_CHARGED] += 1
        as_asked = model.settled_as(finish_type, amount)
        if category == "INVALID_INPUT" and calls:
            _violated(UNTRUE, model, "INVALID_INPUT, and something was sent")
        if category == "CONFLICT" and not model.settled:
            _violated(UNTRUE, model, f"CONFLICT, and it is {model.state}")
        lowered = category == "CONFLICT" and model.waived > 0  # what stands is another amount than was asked
        if as_asked and category != "INVALID_INPUT" and not lowered:
            _violated(FAILED_CHARGED, model, f"FAILED ({category}), and it is settled as asked: {model}")
        if category == "REJECTED" and model.payable(finish_type, amount):
            _violated(UNTRUE, model, f"REJECTED, and it can still be settled: {model}")
        if category == "REJECTED":
            self._failed[model.number].append((finish_type, amount, execution))

    def queried(self, result: dict[str, Any]) -> None:
        """QueryOrder has returned a result."""
        self.examined[UNTRUE] += 1
        model = self.models[result["out_order_no"]]
        if result["outcome"] == "FAILED":
            if model.waived == 0 and model.state != oracle.REVOKED:
                _violated(UNTRUE, model, f"CONFLICT after it was accepted, and it is {model}")
            return
        payment = result["payment"]
        if payment["state"] != "PAID":
            return
        if model.state != oracle.PAID or model.accepted != result["total_amount"]:
            _violated(UNTRUE, model, f"PAID {result['total_amount']} fen, and it is {model}")
        by = {"WECHAT_PAY": model.debited, "MERCHANT_CHANNEL": model.synced}.get(payment["paid_by"], 1)
        if not by:
            _violated(UNTRUE, model, f"paid by {payment['paid_by']}, and it is {model}")

    def published(self, kind: str, detail: dict[str, Any], asked_at: float) -> None:
        """An event is on the bus."""
        self.examined[UNTRUE] += 1
        model = self.models[detail["out_order_no"]]
        true: dict[str, Callable[[], bool]] = {
            "Order Completed": lambda: model.accepted_as(detail["total_amount"]),
            "Order Cancelled": lambda: model.settled_as(1, 0),
            "Order Paid": lambda: model.state == oracle.PAID and model.accepted == detail["total_amount"],
            "Order Payment Overdue": lambda: model.paid_at is None or model.paid_at >= asked_at,
            "Order Failed": lambda: detail["outcome"] == "FAILED",
        }
        if not true[kind]():
            _violated(UNTRUE, model, f"{kind} of {detail.get('total_amount')} fen, and it is {model}")

    def sent(self, number: str, sender: Sender, request: Request, *, refused: bool) -> None:
        """A completion has arrived in time: in doubt about one, only the same bytes may follow it.

        At another family's path it cannot have been applied: no order is known on two.
        """
        self.examined[TWICE] += 1
        sent = (request.target, request.body)
        before = sender.sent
        in_doubt = before is not None and not sender.refused and before[0] == request.target
        if in_doubt and before != sent:
            raise Violation(TWICE, number, "other bytes were sent while the first were in doubt")
        sender.sent, sender.refused = sent, refused

    def called(self, number: str, calls: int) -> None:
        """An invocation has ended after so many requests."""
        self.examined[CALLS] += 1
        if calls > MOST_CALLS:
            raise Violation(CALLS, number, f"{calls} requests in one invocation")

    def ends(self, entry: dict[str, Any], wishes: set[tuple[int, int]]) -> None:
        """Hold an order's end to what was asked for, by the sandbox's ledger and the oracle's model both.

        Args:
            entry: of the ledger.
            wishes: finish_type and fen of every event that came for it.
        """
        model = self.models[entry["out_order_no"]]
        self.examined.update((TWICE, AMOUNT, NOWHERE))
        if entry["accepted"] > 1 or entry["debits"] > 1 or model.acceptances > 1:
            _violated(TWICE, model, f"accepted {entry['accepted']} times, debited {entry['debits']} times")
        if entry["accepted"] and (model.finish_type, model.accepted) not in wishes:
            _violated(
                AMOUNT, model, f"settled as {model.finish_type}, {model.accepted} fen: nobody asked for it"
            )
        paid = entry["charged"] + entry["synced"]
        if paid > model.accepted - model.waived or (entry["state"] == oracle.PAID and paid != model.amount):
            _violated(AMOUNT, model, f"{paid} fen were taken for it, and it is {model}")
        if (entry["charged"], entry["synced"]) != (model.debited, model.synced):
            _violated(NOWHERE, model, f"the ledger has {paid} fen")


def _violated(kind: str, model: oracle.Order, what: str) -> NoReturn:
    raise Violation(kind, model.number, what)
