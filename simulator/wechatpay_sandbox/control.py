"""What a test, the demo or a user may do to the simulated world, in process and over HTTP alike."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from wechatpay_sandbox.fault_kinds import make
from wechatpay_sandbox.faults import ChaosKind
from wechatpay_sandbox.keys import Mode
from wechatpay_sandbox.listeners import Host
from wechatpay_sandbox.notifications import Flaw, Notice, Notifier, Shape
from wechatpay_sandbox.orders import Order
from wechatpay_sandbox.server import Api

PREFIX = "/simulator"
type Json = dict[str, Any]


class NotThere(LookupError):
    """The order asked for is not in the simulated world."""


class Control:
    """Every operation; all run on the server's event loop. ValueError says which argument is wrong."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.hosts: Sequence[Host] = ()

    async def open_order(self, out_order_no: str, *, replace: bool = False, **settings: Any) -> Json:
        """Put an order in the world; one that is there already stays as it is unless it is to be replaced."""
        existing = self._api.orders.find(out_order_no, self._api.now())
        if existing is None or replace:
            existing = self._api.orders.open(out_order_no, self._api.now(), settings)
        return self._snapshot(existing)

    async def order(self, out_order_no: str) -> Json:
        """One order's ledger entry, with a finish_ticket that is valid while it is USER_ACCEPTED."""
        return self._snapshot(self._find(out_order_no))

    async def settle_elsewhere(
        self, out_order_no: str, *, finish_type: int = 2, total_amount: int = 0
    ) -> Json:
        """Someone else finishes (2) or cancels (1) the order now."""
        order = self._find(out_order_no)
        completion = {"finish_type": finish_type, "total_amount": total_amount}
        order.settle(completion, "someone else", self._api.now())
        return self._snapshot(order)

    async def notice(
        self, out_order_no: str, shape: Shape = "smartretail", *, flaw: Flaw | None = None, **changes: Any
    ) -> Notice:
        """A notice that the order is paid, well formed or with a flaw."""
        return Notifier(self._api.keys).paid(self._find(out_order_no), shape, flaw=flaw, **changes)

    async def send_notice(
        self, out_order_no: str, *, url: str, shape: Shape = "smartretail", flaw: Flaw | None = None
    ) -> Json:
        """Send a notice to an address on this machine, as WeChat Pay would; returns the answer."""
        if urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("url must be on this machine")
        notice = await self.notice(out_order_no, shape, flaw=flaw)
        status, body = await asyncio.to_thread(notice.send, url)
        return {"status": status, "body": body.decode(errors="replace")}

    async def ledger(self) -> list[Json]:
        """Every order as it truly stands, debits up to now included."""
        return self._api.orders.ledger(self._api.now())

    async def requests(self, out_order_no: str | None = None, after: int | str = 0) -> list[Json]:
        """The latest requests that arrived, oldest first: all, or one order's, numbered above ``after``."""
        seen = int(after)
        return [
            dict(request)
            for request in self._api.requests
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
        self._api.misbehaviour.script(out_order_no, operation, make(fault, options), times)
        return self._api.misbehaviour.pending()

    async def pending_faults(self) -> list[Json]:
        """The planned faults that have not happened yet."""
        return self._api.misbehaviour.pending()

    async def clear_faults(self, out_order_no: str | None = None) -> list[Json]:
        """Forget planned faults: all, or one order's. Chaos goes on."""
        self._api.misbehaviour.clear(out_order_no)
        return self._api.misbehaviour.pending()

    async def chaos(self, rate: float, seed: int = 0, kinds: Iterable[ChaosKind] | None = None) -> Json:
        """Throw faults at random; rate 0 stops it."""
        chosen = self._api.misbehaviour.set_chaos(rate, seed, kinds)
        return {"rate": rate, "seed": seed, "kinds": chosen}

    async def set_keys(self, mode: Mode) -> Json:
        """Move the merchant to certificate, both or public_key; returns the secret to store."""
        self._api.keys.set_mode(mode)
        return await self.secret()

    async def rotate_merchant_key(self, *, keep_old: bool = False) -> Json:
        """A new merchant key; returns the secret to store. The old serial is refused at once unless kept."""
        self._api.keys.rotate_merchant(keep_old=keep_old)
        return await self.secret()

    async def drop_old_merchant_keys(self) -> Json:
        """Refuse the serials that rotations kept; returns the secret that is left."""
        self._api.keys.drop_old_merchant_keys()
        return await self.secret()

    async def rotate_platform_certificate(self) -> Json:
        """A further platform certificate, preferred from now on; returns the secret to store."""
        self._api.keys.rotate_platform_certificate()
        return await self.secret()

    async def secret(self) -> Json:
        """The merchant's secret, as the product stores it."""
        return self._api.keys.secret(self._api.orders.appid, self._api.orders.service_id)

    async def merchant_certificate(self) -> str:
        """The merchant's API certificate (apiclient_cert.pem)."""
        return self._api.keys.merchant.certificate_pem

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
        self._api.latency = float(seconds)
        return {"latency": self._api.latency}

    async def advance(self, seconds: float) -> Json:
        """Move the orders' clock forward: debits become due without waiting. Signatures are unmoved."""
        self._api.clock_offset += float(seconds)
        return {"offset": self._api.clock_offset}

    def _find(self, out_order_no: str) -> Order:
        order = self._api.orders.find(out_order_no, self._api.now())
        if order is None:
            raise NotThere(f"no order {out_order_no}")
        return order

    def _snapshot(self, order: Order) -> Json:
        snapshot = order.ledger_entry()
        if order.state == "USER_ACCEPTED":
            snapshot["finish_ticket"] = next(iter(order.tickets), None) or order.issue_ticket()
        return snapshot


class HttpControl:
    """The operations under ``/simulator``, as JSON in and out. Browsers are refused: they send an Origin."""

    def __init__(self, control: Control) -> None:
        c = control
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Awaitable[Any]]]] = [
            (method, re.compile(PREFIX + path), operation)
            for method, path, operation in (
                ("PUT", r"/orders/(?P<out_order_no>[^/]+)", c.open_order),
                ("GET", r"/orders/(?P<out_order_no>[^/]+)", c.order),
                ("POST", r"/orders/(?P<out_order_no>[^/]+)/settle", c.settle_elsewhere),
                ("POST", r"/orders/(?P<out_order_no>[^/]+)/notice", c.send_notice),
                ("GET", r"/ledger", c.ledger),
                ("GET", r"/requests", c.requests),
                ("POST", r"/faults", c.script),
                ("GET", r"/faults", c.pending_faults),
                ("DELETE", r"/faults", c.clear_faults),
                ("PUT", r"/chaos", c.chaos),
                ("PUT", r"/keys", c.set_keys),
                ("POST", r"/merchant-key", c.rotate_merchant_key),
                ("DELETE", r"/merchant-key/old", c.drop_old_merchant_keys),
                ("POST", r"/platform-certificate", c.rotate_platform_certificate),
                ("GET", r"/secret", c.secret),
                ("GET", r"/merchant-certificate", c.merchant_certificate),
                ("PUT", r"/hosts/(?P<index>[0-9])", c.set_host),
                ("PUT", r"/latency", c.set_latency),
                ("POST", r"/clock", c.advance),
            )
        ]

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one control request: 200, 400 with the reason, 403 to a browser, 404."""
        if "Origin" in request.headers:
            return _json(403, {"error": "not for browsers"})
        for method, path, operation in self._routes:
            match = path.fullmatch(request.path)
            if match is not None and method == request.method:
                return await self._call(operation, request, match.groupdict())
        return _json(404, {"error": f"no such control: {request.method} {request.path}"})

    async def _call(
        self, operation: Callable[..., Awaitable[Any]], request: web.BaseRequest, place: Mapping[str, str]
    ) -> web.Response:
        arguments: Json = {**place, **request.query}
        if "index" in arguments:
            arguments["index"] = int(arguments["index"])
        try:
            return _json(200, await operation(**_document(await request.read()), **arguments))
        except NotThere as missing:
            return _json(404, {"error": str(missing)})
        except (ValueError, TypeError) as problem:
            return _json(400, {"error": str(problem)})


def _document(body: bytes) -> Json:
    document = json.loads(body) if body else {}
    if not isinstance(document, dict):
        raise TypeError("the body must be a JSON object")
    return document


def _json(status: int, value: object) -> web.Response:
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    return web.Response(status=status, text=text, content_type="application/json")
