"""All orders of the simulated merchant and the purses of its shoppers. No I/O, no own clock."""

import base64
from collections.abc import Mapping
from random import Random
from typing import Any

from wechatpay_sandbox.order import CANCEL, FINISH, SETTLED, USER_CONFIRM, USER_PAID, NotPossible, Order
from wechatpay_sandbox.order_settings import check
from wechatpay_sandbox.times import shanghai


class Orders:
    """All orders of the simulated merchant, and the purses of its shoppers."""

    def __init__(
        self, mchid: str, appid: str, service_id: str, debit_after: float | None, random: Random
    ) -> None:
        self.mchid = mchid
        self.appid = appid
        self.service_id = service_id
        self.debit_after = debit_after
        self.random = random
        self.events: list[tuple[str, Order]] = []
        """What WeChat Pay has to notify of, by event type: for orders with a notify_url."""
        self.purses: dict[str, int] = {}
        """Fen in the purses that have an end."""
        self._orders: dict[str, Order] = {}
        self._notified: dict[str, None] = {}

    def open(self, out_order_no: str, now: float, settings: Mapping[str, Any]) -> Order:
        """Put an order in the world, replacing one of that number.

        ``settings``: those of ``Order`` that a shopper's or a merchant's action sets, finish_ticket (a first
        valid one), and finish_type with total_amount for an order settled already. An order is confirmed and
        was created with an end unless they say otherwise. Raises ValueError for what means nothing.
        """
        check(settings)
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
            self._notified[order.out_order_no] = None

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

    def stored(self) -> list[Order]:
        """Every order as it was left, with nothing that is due since."""
        return list(self._orders.values())

    def all(self, now: float) -> list[Order]:
        """Every order as it stands now, in the order of opening."""
        for order in self._orders.values():
            self.catch_up(order, now)
        return list(self._orders.values())

    def confirm(self, order: Order) -> None:
        """The shopper confirms; the merchant is notified if the order says where."""
        order.confirm()
        self._notify(USER_CONFIRM, order)

    def pay(self, order: Order, amount: int | None, now: float) -> None:
        """The shopper pays by hand: all that is open, or a part of it, from whatever purse."""
        open_amount = order.open_amount
        amount = open_amount if amount is None else amount
        if order.state != "FINISHED" or not 0 < amount <= open_amount:
            raise NotPossible(f"order {order.out_order_no} is {order.state}, {max(open_amount, 0)} fen open")
        if amount < open_amount and order.api != "serviceorder":
            raise NotPossible("only a serviceorder can be paid in parts")
        self._receive(order, amount, now)

    def sync(self, order: Order, paid_at: float) -> None:
        """The merchant took the money by other means; WeChat Pay stops its debits."""
        order.pay(order.amount - order.charged, paid_at, by_merchant=True)
        self._notify(USER_PAID, order)

    def fill(self, openid: str, balance: int | None, now: float) -> None:
        """Set what a shopper's purse holds; None: no end."""
        self.all(now)
        if balance is None:
            self.purses.pop(openid, None)
        else:
            self.purses[openid] = balance

    def next_event_at(self) -> float | None:
        """When the next debit is due of an order whose merchant is to be notified."""
        due = [self._orders[number].next_debit_at for number in self._notified]
        return min((at for at in due if at is not None), default=None)

    def catch_up_notified(self, now: float) -> None:
        """Let happen what is due to the orders whose merchant is to be notified."""
        for number in list(self._notified):
            self.catch_up(self._orders[number], now)
            if self._orders[number].state in ("USER_PAID", "REVOKED", "EXPIRED"):
                del self._notified[number]

    def catch_up(self, order: Order, now: float) -> None:
        """Let happen to an order what was due by now: lazily, in the order of time, and once."""
        expires = order.expires_at
        if expires is not None and now >= expires:
            order.state = "EXPIRED"
        if order.openid not in self.purses:
            while order.next_debit_at is not None and order.next_debit_at <= now:
                self._debit(order, order.next_debit_at, now)
            return
        same_purse = [each for each in self._orders.values() if each.openid == order.openid]
        while True:  # who is debited first leaves less to the others
            due = [
                (each.next_debit_at, i) for i, each in enumerate(same_purse) if each.next_debit_at is not None
            ]
            if not due or min(due)[0] > now:
                return
            at, index = min(due)
            self._debit(same_purse[index], at, now)

    def _debit(self, order: Order, at: float, now: float) -> None:
        amount = order.open_amount
        purse = self.purses.get(order.openid)
        if purse is not None and purse < amount:
            missed = int((now - at) // order.debit_every) + 1  # until now nobody fills it
            order.failed_debits += missed
            order.next_debit_at = at + missed * order.debit_every
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
            self._notify(USER_PAID, order)

    def _notify(self, event_type: str, order: Order) -> None:
        if order.notify_url:
            self.events.append((event_type, order))
