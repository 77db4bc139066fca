"""What a test, the demo or a user may do to the simulated world, in process and over HTTP alike."""

import asyncio
from collections.abc import Iterable, Sequence
from http.client import HTTPException
from typing import Any

from wechatpay_sandbox import Mode
from wechatpay_sandbox.fault_options import make
from wechatpay_sandbox.faults import ChaosKind
from wechatpay_sandbox.listeners import Host
from wechatpay_sandbox.notifications import FLAWS, SHAPES, Flaw, Notification, Shape
from wechatpay_sandbox.order import Order
from wechatpay_sandbox.outbox import on_this_machine
from wechatpay_sandbox.reader import ORDER_NO
from wechatpay_sandbox.server import Api

TEN_YEARS = 10 * 365 * 24 * 3600
type Json = dict[str, Any]


class NotThere(LookupError):
    """The order asked for is not in the simulated world."""


class Control:
    """Every operation; all run on the server's event loop. ValueError says which argument is wrong."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._core = api.core
        self.hosts: Sequence[Host] = ()

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
        """Someone else finishes (2) or cancels (1) the order now."""
        if finish_type not in (1, 2) or type(total_amount) is not int or total_amount < 0:
            raise ValueError("finish_type must be 1 or 2, total_amount an integer of fen, at least 0")
        order = self._find(out_order_no)
        completion = {"finish_type": finish_type, "total_amount": total_amount}
        order.settle(completion, "someone else", self._core.now())
        return self._snapshot(order)

    async def confirm(self, out_order_no: str) -> Json:
        """The shopper confirms a CREATED order."""
        order = self._find(out_order_no)
        self._core.orders.confirm(order)
        return self._snapshot(order)

    async def pay(self, out_order_no: str, *, amount: int | None = None) -> Json:
        """The shopper pays by hand: all, or of a serviceorder a part in fen."""
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
        """What WeChat Pay sent of its own accord, with the attempts made and the last answer."""
        sent = self._core.outbox.sent
        return [each.entry() for each in sent if out_order_no in (None, each.out_order_no)]

    async def ledger(self) -> list[Json]:
        """Every order as it truly stands, debits up to now included."""
        return [order.ledger_entry() for order in self._core.orders.all(self._core.now())]

    async def tickets(self) -> list[str]:
        """Every finish_ticket that is valid or was."""
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
        """The planned faults that have not happened yet."""
        return self._core.misbehaviour.pending()

    async def clear_faults(self, out_order_no: str | None = None) -> list[Json]:
        """Forget planned faults: all, or one order's. Chaos goes on."""
        self._core.misbehaviour.clear(out_order_no)
        return self._core.misbehaviour.pending()

    async def chaos(self, rate: float, seed: int = 0, kinds: Iterable[ChaosKind] | None = None) -> Json:
        """Throw faults at random; rate 0 stops it."""
        chosen = self._core.misbehaviour.set_chaos(rate, seed, kinds)
        return {"rate": rate, "seed": seed, "kinds": chosen}

    async def set_keys(self, mode: Mode) -> Json:
        """Move the merchant to certificate, both or public_key; returns the secret to store."""
        self._core.keys.set_mode(mode)
        return await self.secret()

    async def rotate_merchant_key(self, *, keep_old: bool = False) -> Json:
        """A new merchant key; returns the secret to store. The old serial is refused at once unless kept."""
        self._core.keys.rotate_merchant(keep_old=keep_old)
        return await self.secret()

    async def drop_old_merchant_keys(self) -> Json:
        """Refuse the serials that rotations kept; returns the secret that is left."""
        self._core.keys.drop_old_merchant_keys()
        return await self.secret()

    async def rotate_platform_certificate(self) -> Json:
        """A further platform certificate, preferred from now on; returns the secret to store."""
        self._core.keys.rotate_platform_certificate()
        return await self.secret()

    async def drop_oldest_platform_certificate(self) -> Json:
        """The oldest platform certificate has expired: nothing is signed with it any more."""
        self._core.keys.drop_oldest_platform_certificate()
        return await self.secret()

    async def tolerate(self, rules: Iterable[str]) -> Json:
        """Lift these rules and no others: names, or patterns like ``smartretail.complete.*``."""
        if isinstance(rules, str) or not isinstance(rules, Iterable):
            raise ValueError("rules must be a list of names")  # noqa: TRY004 - one error type
        return {"tolerated": self._core.rules.tolerate(list(rules))}

    async def secret(self) -> Json:
        """The merchant's secret, as the product stores it."""
        return self._core.keys.secret(self._core.orders.appid, self._core.orders.service_id)

    async def merchant_certificate(self) -> str:
        """The merchant's API certificate (apiclient_cert.pem)."""
        return self._core.keys.merchant.pem

    async def set_host(self, index: int, *, up: bool) -> list[Json]:
        """Let a host listen, or refuse connections and break those that are open."""
        if index not in range(len(self.hosts)):
            raise ValueError(f"host must be 0 or {len(self.hosts) - 1}")
        if up:
            self.hosts[index].up()
        else:
            self.hosts[index].down()
        return [{"host": host.url, "up": host.is_up} for host in self.hosts]

    async def set_latency(self, seconds: float) -> Json:
        """Delay every reply by so many seconds, as distance would."""
        self._api.latency = _seconds(seconds, low=0)
        return {"latency": self._api.latency}

    async def advance(self, seconds: float) -> Json:
        """Move the orders' clock forward: debits become due without waiting. Signatures are unmoved."""
        self._core.clock_offset = _seconds(self._core.clock_offset + _seconds(seconds))
        return {"offset": self._core.clock_offset}

    async def set_clock(self, skew: float) -> Json:
        """Let WeChat Pay's own clock be so many seconds ahead of the machine's, or behind."""
        self._core.clock_skew = _seconds(skew)
        return {"skew": self._core.clock_skew}

    async def settings(self) -> Json:
        """How the world is set: its hosts, clocks, keys, purses, latency, and the rules lifted."""
        return {
            "hosts": [{"host": host.url, "up": host.is_up} for host in self.hosts],
            "offset": self._core.clock_offset,
            "skew": self._core.clock_skew,
            "latency": self._api.latency,
            "keys": self._core.keys.mode,
            "merchant_serial_no": self._core.keys.merchant.serial,
            "purses": dict(self._core.orders.purses),
            "tolerated": sorted(self._core.rules.tolerated),
        }

    def happened(self) -> None:
        """Something may have come up to be sent or kept."""
        self._api.happened()

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


def _seconds(value: object, low: float = -TEN_YEARS) -> float:
    """A number of seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= TEN_YEARS:
        raise ValueError(f"seconds must be a number from {low:.0f} to {TEN_YEARS}")
    return float(value)
