"""One order through its whole life, and the ledger of what truly happened to it. No I/O, no own clock.

The states are the old families' (``smart_retail.py``); what ``serviceorder`` calls them is in
``service_order.py``.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

STATES = ("CREATED", "USER_ACCEPTED", "FINISHED", "USER_PAID", "REVOKED", "EXPIRED")
SETTLED = ("FINISHED", "USER_PAID", "REVOKED")
APIS = ("smartretail-orders", "payafter-orders", "serviceorder")
CANCEL, FINISH = 1, 2
USER_PAID, USER_CONFIRM = "PAYSCORE.USER_PAID", "PAYSCORE.USER_CONFIRM"
"""The event types of WeChat Pay's notifications."""
RISK_CAP = 500_00
"""Fen: the most one order of the service may charge."""
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
"""The shopper of an order that names none."""
CREATED_FOR = 3600.0
"""Seconds after which an order that the shopper has not confirmed expires [T]."""
DONE_WITHIN = 30 * 24 * 3600.0
"""Seconds within which a serviceorder must be completed, else it expires [V]."""
DEBIT_AGAIN = 3600.0
"""Seconds from a debit that found an empty purse to the next one; the real pace is not documented."""


class NotPossible(ValueError):
    """The order's state does not allow the action."""


@dataclass(frozen=True)
class Payment:
    """Money that came for an order: fen, UNIX seconds; ``transaction_id`` None when the merchant took it."""

    amount: int
    at: float
    transaction_id: str | None

    @property
    def by_merchant(self) -> bool:
        return self.transaction_id is None


@dataclass
class Order:
    """One order. Amounts in fen, times in UNIX seconds.

    ``debit_after`` seconds after it was finished the shopper is charged, and every ``debit_every`` seconds
    again while the purse lacks the amount; ``None`` is never. ``debit_amount`` charges something else than
    asked. ``cancelled_state`` is what a cancellation by completion leaves: REVOKED, or FINISHED with
    finish_type 1. ``service_end_time``: what the order was created with (None: without one).
    ``completion`` is what was accepted, in the old families' words; ``asked`` the request, for re-entry;
    ``wanted`` what the last completion asked for, accepted or not: forged replies claim that.
    """

    out_order_no: str
    mchid: str
    appid: str
    service_id: str
    opened_at: float
    debit_after: float | None
    order_id: str
    api: str = "smartretail-orders"
    state: str = "USER_ACCEPTED"
    risk_cap: int = RISK_CAP
    openid: str = OPENID
    notify_url: str | None = None
    attach: str | None = None
    service_introduction: str = "智能柜购物"
    service_start_time: str | None = None
    service_end_time: str | None = None
    service_start_location: str | None = None
    debit_amount: int | None = None
    debit_every: float = DEBIT_AGAIN
    cancelled_state: str = "REVOKED"
    tickets: dict[str, None] = field(default_factory=dict)
    created: dict[str, Any] | None = None
    completion: dict[str, Any] | None = None
    wanted: dict[str, Any] | None = None
    asked: dict[str, Any] | None = None
    revoked_reason: str | None = None
    settled_by: str | None = None
    finished_at: float = 0.0
    next_debit_at: float | None = None
    payments: list[Payment] = field(default_factory=list)
    accepted: int = 0
    reentries: int = 0
    debits: int = 0
    failed_debits: int = 0
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def amount(self) -> int:
        """What the completion asks for; 0 when nothing is to be paid."""
        finished = self.completion is not None and self.completion["finish_type"] == FINISH
        return int((self.completion or {}).get("total_amount", 0)) if finished else 0

    @property
    def open_amount(self) -> int:
        """What is still to be paid of the amount."""
        return self.amount - sum(payment.amount for payment in self.payments)

    @property
    def charged(self) -> int:
        """What WeChat Pay took from the shopper."""
        return sum(payment.amount for payment in self.payments if not payment.by_merchant)

    @property
    def paid_at(self) -> float:
        return self.payments[-1].at if self.payments else 0.0

    @property
    def expires_at(self) -> float | None:
        """When the order expires unless something happens to it."""
        if self.api == "serviceorder" and self.state in ("CREATED", "USER_ACCEPTED"):
            return self.opened_at + DONE_WITHIN
        return self.opened_at + CREATED_FOR if self.state == "CREATED" else None

    def confirm(self) -> None:
        """The shopper confirms the order."""
        if self.state != "CREATED":
            raise NotPossible(
                f"order {self.out_order_no} is {self.state}: only a CREATED one can be confirmed"
            )
        self.state = "USER_ACCEPTED"

    def settle(
        self, completion: Mapping[str, Any], by: str, now: float, asked: Mapping[str, Any] | None = None
    ) -> None:
        """Finish or cancel the order; ``by`` is ``merchant`` for the requests under test."""
        self.completion = dict(completion)
        self.asked = dict(completion if asked is None else asked)
        self.settled_by = by
        self.finished_at = now
        self.accepted += by == "merchant"
        self.state = "FINISHED" if completion["finish_type"] == FINISH else self.cancelled_state
        if self.amount and self.debit_after is not None:
            self.next_debit_at = now + self.debit_after

    def revoke(self, reason: str, by: str, now: float) -> None:
        """Take the order back: nothing will be debited."""
        self.state, self.revoked_reason, self.settled_by = "REVOKED", reason, by
        self.finished_at, self.next_debit_at = now, None

    def pay(self, amount: int, at: float, *, by_merchant: bool = False) -> None:
        """Money comes in; once all of it is there the order is paid."""
        number = len(self.payments)
        tail = f"{self.order_id[2:-2]}{number:02}" if number else self.order_id[2:]
        self.payments.append(Payment(amount, at, None if by_merchant else f"42{tail}"))
        if by_merchant or self.open_amount <= 0:
            self.state, self.next_debit_at = "USER_PAID", None

    def identity(self) -> dict[str, Any]:
        """The fields that every document about the order begins with."""
        return {
            "appid": self.appid,
            "mchid": self.mchid,
            "out_order_no": self.out_order_no,
            "service_id": self.service_id,
        }

    def ledger_entry(self) -> dict[str, Any]:
        """What an audit compares with: the truth about this order."""
        settled = self.completion or {}
        return {
            "out_order_no": self.out_order_no,
            "api": self.api,
            "state": self.state,
            "order_id": self.order_id,
            "finish_type": settled.get("finish_type"),
            "total_amount": settled.get("total_amount"),
            "settled_by": self.settled_by,
            "accepted": self.accepted,
            "reentries": self.reentries,
            "debits": self.debits,
            "failed_debits": self.failed_debits,
            "charged": self.charged,
            "synced": sum(payment.amount for payment in self.payments if payment.by_merchant),
            "calls": dict(self.calls),
        }

    def to_json(self) -> dict[str, Any]:
        """Everything about the order, to be kept in a file."""
        return {**asdict(self), "calls": dict(self.calls)}  # asdict does not copy a Counter as it is

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Order":
        """An order kept in a file."""
        payments = [Payment(**payment) for payment in document["payments"]]
        return cls(**{**document, "payments": payments, "calls": Counter(document["calls"])})
