"""What a test, the demo or a user may do to the simulated world, in process and over HTTP alike.

Here are orders, notifications, records and faults; ``world_control.py`` has the rest.
"""

import asyncio
from collections.abc import Iterable
from http.client import HTTPException
from typing import Any

from wechatpay_sandbox.fault_options import make
from wechatpay_sandbox.faults import ChaosKind
from wechatpay_sandbox.notifications import FLAWS, SHAPES, Flaw, Notification, Shape
from wechatpay_sandbox.order import Order
from wechatpay_sandbox.outbox import on_this_machine
from wechatpay_sandbox.reader import ORDER_NO
from wechatpay_sandbox.world_control import Json, WorldControl


class NotThere(LookupError):
    """The order is not in the simulated world."""


class Control(WorldControl):
    """Every operation; all run on the server's event loop. ValueError says which argument is wrong.

    ``Client`` has them all as methods and describes them; here stands what it does not say.
    """

    async def open_order(self, out_order_no: str, *, replace: bool = False, **settings: Any) -> Json:
        """Put an order in the world; one that is there already stays as it is unless it is to be replaced."""
        if ORDER_NO.fullmatch(out_order_no) is None:
            raise ValueError("an order number has 1 to 32 characters of 0-9 A-Z a-z _ - | *")
        now = self._core.now()
        existing = self._core.orders.find(out_order_no, now)
        if existing is None or replace:
            existing = self._core.orders.open(out_order_no, now, settings)
        return self._snapshot(existing)

    async def order(self, out_order_no: str) -> Json:
        """One order's ledger entry, with a finish_ticket that is valid while it is USER_ACCEPTED."""
        return self._snapshot(self._find(out_order_no))

    async def settle_elsewhere(
        self, out_order_no: str, *, finish_type: int = 2, total_amount: int = 0
    ) -> Json:
        if finish_type not in (1, 2) or type(total_amount) is not int or total_amount < 0:
            raise ValueError("finish_type must be 1 or 2, total_amount an integer of fen, at least 0")
        order = self._find(out_order_no)
        completion = {"finish_type": finish_type, "total_amount": total_amount}
        order.settle(completion, "someone else", self._core.now())
        return self._snapshot(order)

    async def confirm(self, out_order_no: str) -> Json:
        order = self._find(out_order_no)
        self._core.orders.confirm(order)
        return self._snapshot(order)

    async def pay(self, out_order_no: str, *, amount: int | None = None) -> Json:
        if amount is not None and type(amount) is not int:
            raise ValueError("amount must be an integer of fen")
        order = self._find(out_order_no)
        self._core.orders.pay(order, amount, self._core.now())
        return self._snapshot(order)

    async def purse(self, openid: str, *, balance: int | None) -> Json:
        """Set what a shopper's purse holds, in fen; null: no end."""
        if balance is not None and (type(balance) is not int or balance < 0):
            raise ValueError("balance must be an integer of fen, at least 0, or null")
        self._core.orders.fill(openid, balance, self._core.now())
        return dict(self._core.orders.purses)

    async def paid_notification(
        self, out_order_no: str, shape: Shape = "smartretail", *, flaw: Flaw | None = None, **changes: Any
    ) -> Notification:
        """A notification that the order is paid, well formed or with a flaw."""
        if shape not in SHAPES or flaw not in (None, *FLAWS):
            raise ValueError(f"shape is one of {', '.join(SHAPES)}, flaw one of {', '.join(FLAWS)}")
        return self._core.notifier.paid(self._find(out_order_no), shape, flaw=flaw, **changes)

    async def send_notification(
        self, out_order_no: str, *, url: str, shape: Shape = "smartretail", flaw: Flaw | None = None
    ) -> Json:
        """Send a notification to an address on this machine, as WeChat Pay would; returns the answer."""
        if not isinstance(url, str) or not on_this_machine(url):
            raise ValueError("url must be on this machine")
        notification = await self.paid_notification(out_order_no, shape, flaw=flaw)
        try:
            status, body = await asyncio.to_thread(notification.send, url)
        except (OSError, HTTPException) as failed:
            raise ValueError(f"nothing answers at {url}: {failed}") from failed
        return {"status": status, "body": body.decode(errors="replace")}

    async def notifications(self, out_order_no: str | None = None) -> list[Json]:
        sent = self._core.outbox.sent
        return [each.entry() for each in sent if out_order_no in (None, each.out_order_no)]

    async def ledger(self) -> list[Json]:
        """Every order as it truly stands, debits up to now included."""
        return [order.ledger_entry() for order in self._core.orders.all(self._core.now())]

    async def tickets(self) -> list[str]:
        return [ticket for order in self._core.orders.all(self._core.now()) for ticket in order.tickets]

    async def requests(self, out_order_no: str | None = None, after: int | str = 0) -> list[Json]:
        """The latest requests that arrived, oldest first: all, or one order's, numbered above ``after``."""
        try:
            seen = int(after)  # from a query string, a text
        except (TypeError, ValueError) as exc:
            raise ValueError("after must be a number of a request") from exc
        return [
            dict(request)
            for request in self._core.requests
            if request["number"] > seen and out_order_no in (None, request["out_order_no"])
        ]

    async def script(
        self,
        out_order_no: str | None = None,
        operation: str = "complete",
        *,
        fault: str,
        times: int | None = 1,
        **options: Any,
    ) -> list[Json]:
        """Plan a fault for the next calls on an order (None: any order); returns all planned faults."""
        if not isinstance(out_order_no, str | None):
            raise ValueError("out_order_no must be a text, or null")  # noqa: TRY004 - one error type
        self._core.misbehaviour.script(out_order_no, operation, make(fault, options), times)
        return self._core.misbehaviour.pending()

    async def pending_faults(self) -> list[Json]:
        return self._core.misbehaviour.pending()

    async def clear_faults(self, out_order_no: str | None = None) -> list[Json]:
        """Forget planned faults: all, or one order's. Chaos goes on."""
        self._core.misbehaviour.clear(out_order_no)
        return self._core.misbehaviour.pending()

    async def chaos(self, rate: float, seed: int = 0, kinds: Iterable[ChaosKind] | None = None) -> Json:
        """Throw faults at random; rate 0 stops it."""
        chosen = self._core.misbehaviour.set_chaos(rate, seed, kinds)
        return {"rate": rate, "seed": seed, "kinds": chosen}

    def _find(self, out_order_no: str) -> Order:
        order = self._core.orders.find(out_order_no, self._core.now())
        if order is None:
            raise NotThere(f"no order {out_order_no}")
        return order

    def _snapshot(self, order: Order) -> Json:
        snapshot = order.ledger_entry()
        if order.state == "USER_ACCEPTED":
            snapshot["finish_ticket"] = next(iter(order.tickets), None) or self._core.orders.ticket(order)
        return snapshot
