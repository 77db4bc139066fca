"""Orders through their whole life, and the ledger of what truly happened to each. No I/O, no own clock.

The states are the old families' (``smart_retail.py``); what ``serviceorder`` calls them is in
``service_order.py``.
"""

import base64
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

STATES = ("CREATED", "USER_ACCEPTED", "FINISHED", "USER_PAID", "REVOKED", "EXPIRED")
SETTLED = ("FINISHED", "USER_PAID", "REVOKED")
APIS = ("smartretail-orders", "payafter-orders", "serviceorder")
CANCEL, FINISH = 1, 2
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
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


class NotPossible(ValueError):
    """The order's state does not allow what was asked."""


def shanghai(now: float, form: str = "%Y%m%d%H%M%S") -> str:
    """UNIX seconds as WeChat Pay writes time."""
    return datetime.fromtimestamp(now, SHANGHAI).strftime(form)


def from_shanghai(text: str) -> float:
    """UNIX seconds of a time as WeChat Pay writes it."""
    return datetime.strptime(text.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=SHANGHAI).timestamp()


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
        if by_merchant or sum(payment.amount for payment in self.payments) >= self.amount:
            self.state, self.next_debit_at = "USER_PAID", None

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


_SETTINGS: Mapping[str, tuple[type, ...]] = {
    "api": (str,),
    "appid": (str,),
    "service_id": (str,),
    "state": (str,),
    "risk_cap": (int,),
    "openid": (str,),
    "notify_url": (str, type(None)),
    "attach": (str, type(None)),
    "service_start_time": (str, type(None)),
    "service_end_time": (str, type(None)),
    "service_start_location": (str, type(None)),
    "debit_after": (int, float, type(None)),
    "debit_every": (int, float),
    "debit_amount": (int, type(None)),
    "cancelled_state": (str,),
    "finish_ticket": (str,),
    "finish_type": (int,),
    "total_amount": (int,),
}


class Orders:
    """All orders of the simulated merchant, and the purses of its shoppers."""

    def __init__(
        self,
        mchid: str,
        appid: str,
        service_id: str,
        debit_after: float | None,
        random: Random,
    ) -> None:
        self.mchid = mchid
        self.appid = appid
        self.service_id = service_id
        self.debit_after = debit_after
        self.random = random
        self.events: list[tuple[str, Order]] = []
        """What WeChat Pay has to tell: USER_CONFIRM or USER_PAID, for orders with a notify_url."""
        self.purses: dict[str, int] = {}
        """Fen in the purses that have an end."""
        self._orders: dict[str, Order] = {}
        self._telling: dict[str, None] = {}

    def open(self, out_order_no: str, now: float, settings: Mapping[str, Any]) -> Order:
        """Put an order in the world, replacing one of that number.

        ``settings``: those of ``Order`` that a shopper's or a merchant's action sets, finish_ticket (a first
        valid one), and finish_type with total_amount for an order settled already. An order is confirmed and
        was created with an end unless they say otherwise. Raises ValueError for what means nothing.
        """
        _check_settings(settings)
        end = shanghai(now + 24 * 3600)
        own = {
            "appid": self.appid,
            "service_id": self.service_id,
            "debit_after": self.debit_after,
            "service_end_time": end,
            **settings,
        }
        ticket, finish_type = own.pop("finish_ticket", None), own.pop("finish_type", None)
        amount, state = own.pop("total_amount", None), own.pop("state", "USER_ACCEPTED")
        order = self.add(out_order_no, now, **own)
        if ticket is not None:
            order.tickets[ticket] = None
        if finish_type is not None or (state in SETTLED and amount is not None):
            kind = finish_type or (CANCEL if state == "REVOKED" else FINISH)
            order.settle({"finish_type": kind, "total_amount": amount or 0}, "someone else", now)
        if state == "USER_PAID":
            order.debits = 1
            order.pay(amount or 0, now)
        order.state = state if state != "USER_ACCEPTED" or finish_type is None else order.state
        return order

    def add(self, out_order_no: str, now: float, **own: Any) -> Order:
        """Put an order in the world as it is described, replacing one of that number."""
        order_id = "".join(self.random.choice("0123456789") for _ in range(28))
        order = Order(out_order_no=out_order_no, mchid=self.mchid, opened_at=now, order_id=order_id, **own)
        self.keep(order)
        return order

    def keep(self, order: Order) -> None:
        """Put an order in the world that was made elsewhere."""
        self._orders[order.out_order_no] = order
        if order.notify_url:
            self._telling[order.out_order_no] = None

    def ticket(self, order: Order) -> str:
        """A new finish_ticket of the order; those issued before stay valid."""
        ticket = base64.b64encode(self.random.randbytes(96)).decode()
        order.tickets[ticket] = None
        return ticket

    def find(self, out_order_no: str, now: float) -> Order | None:
        """The order as it stands now, debits included."""
        order = self._orders.get(out_order_no)
        if order is not None:
            self.catch_up(order, now)
        return order

    def kept(self) -> list[Order]:
        """Every order as it was last seen."""
        return list(self._orders.values())

    def all(self, now: float) -> list[Order]:
        """Every order as it stands now, in the order of opening."""
        for order in self._orders.values():
            self.catch_up(order, now)
        return list(self._orders.values())

    def ledger(self, now: float) -> list[dict[str, Any]]:
        """Every order's entry, in the order of opening."""
        return [order.ledger_entry() for order in self.all(now)]

    def confirm(self, order: Order) -> None:
        """The shopper confirms; the merchant is told if the order says where."""
        order.confirm()
        self._tell("USER_CONFIRM", order)

    def pay(self, order: Order, amount: int | None, now: float) -> None:
        """The shopper pays by hand: all that is open, or a part of it, from whatever purse."""
        open_amount = order.amount - sum(payment.amount for payment in order.payments)
        amount = open_amount if amount is None else amount
        if order.state != "FINISHED" or not 0 < amount <= open_amount:
            raise NotPossible(f"order {order.out_order_no} is {order.state}, {max(open_amount, 0)} fen open")
        if amount < open_amount and order.api != "serviceorder":
            raise NotPossible("only a serviceorder can be paid in parts")
        self._receive(order, amount, now)

    def sync(self, order: Order, paid_at: float) -> None:
        """The merchant took the money by other means; WeChat Pay stops its debits."""
        order.pay(order.amount - order.charged, paid_at, by_merchant=True)
        self._tell("USER_PAID", order)

    def fill(self, openid: str, balance: int | None, now: float) -> None:
        """Set what a shopper's purse holds; None: no end."""
        for order in self._orders.values():
            self.catch_up(order, now)
        if balance is None:
            self.purses.pop(openid, None)
        else:
            self.purses[openid] = balance

    def next_event_at(self) -> float | None:
        """When the next debit is due of an order whose merchant is to be told."""
        due = [self._orders[number].next_debit_at for number in self._telling]
        return min((at for at in due if at is not None), default=None)

    def catch_up_telling(self, now: float) -> None:
        """Let happen what is due to the orders whose merchant is to be told."""
        for number in list(self._telling):
            self.catch_up(self._orders[number], now)
            if self._orders[number].state in ("USER_PAID", "REVOKED", "EXPIRED"):
                del self._telling[number]

    def catch_up(self, order: Order, now: float) -> None:
        """Let happen to an order what was due by now: lazily, in the order of time, and once."""
        expires = order.expires_at
        if expires is not None and now >= expires:
            order.state = "EXPIRED"
        if order.openid not in self.purses:
            while order.next_debit_at is not None and order.next_debit_at <= now:
                self._debit(order, order.next_debit_at)
            return
        same_purse = [each for each in self._orders.values() if each.openid == order.openid]
        while True:  # who is debited first leaves less to the others
            due = [
                (each.next_debit_at, i) for i, each in enumerate(same_purse) if each.next_debit_at is not None
            ]
            if not due or min(due)[0] > now:
                return
            at, index = min(due)
            self._debit(same_purse[index], at)

    def _debit(self, order: Order, at: float) -> None:
        amount = order.amount - sum(payment.amount for payment in order.payments)
        purse = self.purses.get(order.openid)
        if purse is not None and purse < amount:
            order.failed_debits += 1
            order.next_debit_at = at + order.debit_every
            return
        if purse is not None:
            self.purses[order.openid] = purse - amount
        order.debits += 1
        order.next_debit_at = None
        self._receive(order, amount if order.debit_amount is None else order.debit_amount, at)
        order.state = "USER_PAID"

    def _receive(self, order: Order, amount: int, at: float) -> None:
        order.pay(amount, at)
        if order.state == "USER_PAID" or order.debit_amount is not None:
            self._tell("USER_PAID", order)

    def _tell(self, what: str, order: Order) -> None:
        if order.notify_url:
            self.events.append((what, order))


def _check_settings(settings: Mapping[str, Any]) -> None:
    for name, value in settings.items():
        allowed = _SETTINGS.get(name)
        if allowed is None:
            raise ValueError(f"unknown order setting {name!r}; known: {', '.join(_SETTINGS)}")
        if isinstance(value, bool) or not isinstance(value, allowed):
            raise ValueError(f"order setting {name!r} has the wrong type")  # noqa: TRY004 - one error type
    for name, known in (("state", STATES), ("api", APIS), ("cancelled_state", ("REVOKED", "FINISHED"))):
        if settings.get(name, known[0]) not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, not {settings[name]!r}")
    if settings.get("debit_every", 1) <= 0:
        raise ValueError("debit_every must be above 0")
