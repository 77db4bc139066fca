"""A stand-in for WeChat Pay on a developer's machine: it verifies, decides, signs and misbehaves.

It shares no code with what it tests, and knows no project: any client may use it.
"""

import asyncio
import contextlib
import functools
import random
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme
from aiohttp import web

from wechatpay_sandbox.control import PREFIX, Control, HttpControl
from wechatpay_sandbox.core import Core
from wechatpay_sandbox.faults import ChaosKind
from wechatpay_sandbox.keys import Keys, Mode
from wechatpay_sandbox.listeners import ADDRESS, Host
from wechatpay_sandbox.notifications import Flaw, Notice, Notifier, Shape
from wechatpay_sandbox.orders import Orders
from wechatpay_sandbox.outbox import Outgoing
from wechatpay_sandbox.server import Api
from wechatpay_sandbox.state import State

MCHID = "1900000001"
APPID = "wxd678efh567hg6787"
SERVICE_ID = "500001"
KEEP_ALIVE = 8.0
"""Seconds after which WeChat Pay closes an idle connection (the official Java SDK keeps them for 7)."""


class Simulator:
    """The simulator in a thread of this process: ``with Simulator() as sim:``.

    ``debit_after`` seconds after its completion an order is paid (None: never). ``keep_alive`` seconds after
    its last reply an idle connection is closed. Port 0 is any free port. With ``tls`` the hosts speak https,
    and ``ca_pem`` and ``ca_file`` hold the authority to trust; control is always plain http. ``tolerate``
    lifts rules by their names, ``clock_skew`` seconds is WeChat Pay's clock ahead of the machine's. ``state``
    is a directory that keeps keys and orders from one start to the next; ``notify_anywhere`` lets
    notifications leave this machine. ``refused`` is told the record of each refused request,
    on the sandbox's thread.
    """

    def __init__(
        self,
        mchid: str = MCHID,
        keys: Mode = "public_key",
        debit_after: float | None = 0.2,
        *,
        tls: bool = False,
        appid: str = APPID,
        service_id: str = SERVICE_ID,
        keep_alive: float = KEEP_ALIVE,
        port: int = 0,
        backup_port: int = 0,
        control_port: int = 0,
        tolerate: Iterable[str] = (),
        clock_skew: float = 0.0,
        state: str | Path | None = None,
        notify_anywhere: bool = False,
        refused: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        self._ports = (port, backup_port)
        self._control_port = control_port
        self._tls = tls
        self._keep_alive = keep_alive
        self.ca_pem: bytes | None = None
        self.ca_file: str | None = None
        self._files: tempfile.TemporaryDirectory[str] | None = None
        self._state = State(Path(state)) if state is not None else None
        chance = random.SystemRandom()
        own_keys = Keys(mchid, keys) if self._state is None else self._state.keys(mchid, keys)
        orders = Orders(mchid, appid, service_id, debit_after, chance)
        self._core = Core(own_keys, orders, clock=time.time, random=chance)
        self._core.rules.tolerate(tolerate)
        self._core.clock_skew = clock_skew
        self._core.outbox.anywhere = notify_anywhere
        self._core.refused = refused
        if self._state is not None:
            self._state.read_orders(orders)
        self._api = Api(self._core)
        self._api.happened = self._happened
        self._control = Control(self._api)
        self._something = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._http_control = HttpControl(self._control)
        self._hosts: list[Host] = []
        self._control_host: Host | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="wechatpay-simulator", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._run(self._start())
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._files is not None:
            self._files.cleanup()

    @property
    def hosts(self) -> list[str]:
        """Base URLs of the main and the backup host."""
        return [host.url for host in self._hosts]

    @property
    def control_url(self) -> str:
        """Where the HTTP control listens: a port of its own, there even when both hosts are down."""
        assert self._control_host is not None
        return f"{self._control_host.url}{PREFIX}"

    def open_order(self, out_order_no: str, *, replace: bool = False, **settings: Any) -> dict[str, Any]:
        """Put an order in the world, USER_ACCEPTED by default; ``Orders.open`` has the settings."""
        return self._run(self._control.open_order(out_order_no, replace=replace, **settings))

    def order(self, out_order_no: str) -> dict[str, Any]:
        """One order as it truly stands."""
        return self._run(self._control.order(out_order_no))

    def settle_elsewhere(
        self, out_order_no: str, *, finish_type: int = 2, total_amount: int = 0
    ) -> dict[str, Any]:
        """Someone else finishes (2) or cancels (1) the order now."""
        return self._run(
            self._control.settle_elsewhere(out_order_no, finish_type=finish_type, total_amount=total_amount)
        )

    def notice(
        self,
        out_order_no: str,
        shape: Shape = "smartretail",
        *,
        flaw: Flaw | None = None,
        **changes: Any,
    ) -> Notice:
        """A notice that the order is paid, to be sent: ``notice.send(url)``. See ``notices``."""
        return self._run(self._control.notice(out_order_no, shape, flaw=flaw, **changes))

    def confirm(self, out_order_no: str) -> dict[str, Any]:
        """The shopper confirms a CREATED order."""
        return self._run(self._control.confirm(out_order_no))

    def pay(self, out_order_no: str, amount: int | None = None) -> dict[str, Any]:
        """The shopper pays by hand: all, or of a serviceorder a part in fen."""
        return self._run(self._control.pay(out_order_no, amount=amount))

    def purse(self, openid: str, balance: int | None) -> dict[str, Any]:
        """Set what a shopper's purse holds, in fen; None: no end."""
        return self._run(self._control.purse(openid, balance=balance))

    def notifications(self, out_order_no: str | None = None) -> list[dict[str, Any]]:
        """What WeChat Pay sent of its own accord, with the attempts made and the last answer."""
        return self._run(self._control.notifications(out_order_no))

    @property
    def notifier(self) -> Notifier:
        """Makes notices of any kind with this simulator's keys."""
        return self._core.notifier

    def tickets(self) -> list[str]:
        """Every finish_ticket that is valid or was."""
        return self._run(self._control.tickets())

    def ledger(self) -> list[dict[str, Any]]:
        """Every order as it truly stands."""
        return self._run(self._control.ledger())

    def requests(self, out_order_no: str | None = None, *, after: int = 0) -> list[dict[str, Any]]:
        """The latest requests that arrived, oldest first, with their answers; numbered above ``after``."""
        return self._run(self._control.requests(out_order_no, after))

    def script(
        self,
        out_order_no: str | None = None,
        operation: str = "complete",
        *,
        fault: str,
        times: int | None = 1,
        **options: Any,
    ) -> None:
        """Plan a named fault (``fault_kinds.KINDS``) for the next calls on an order, or any order."""
        self._run(self._control.script(out_order_no, operation, fault=fault, times=times, **options))

    def pending_faults(self) -> list[dict[str, Any]]:
        """The planned faults that have not happened yet."""
        return self._run(self._control.pending_faults())

    def clear_faults(self, out_order_no: str | None = None) -> None:
        """Forget planned faults: all, or one order's."""
        self._run(self._control.clear_faults(out_order_no))

    def chaos(self, rate: float, seed: int = 0, kinds: Iterable[ChaosKind] | None = None) -> None:
        """Throw faults at random at this rate; 0 stops it."""
        self._run(self._control.chaos(rate, seed, kinds))

    def set_keys(self, mode: Mode) -> dict[str, Any]:
        """Move the merchant along the key migration; returns the secret to store."""
        return self._run(self._control.set_keys(mode))

    def rotate_merchant_key(self, *, keep_old: bool = False) -> dict[str, Any]:
        """A new merchant key; returns the secret to store. The old serial is refused at once unless kept."""
        return self._run(self._control.rotate_merchant_key(keep_old=keep_old))

    def drop_old_merchant_keys(self) -> dict[str, Any]:
        """Refuse every serial but the newest; returns the secret."""
        return self._run(self._control.drop_old_merchant_keys())

    def rotate_platform_certificate(self) -> dict[str, Any]:
        """A further platform certificate, preferred from now on; returns the secret to store."""
        return self._run(self._control.rotate_platform_certificate())

    def drop_oldest_platform_certificate(self) -> dict[str, Any]:
        """The oldest platform certificate has expired: nothing is signed with it any more."""
        return self._run(self._control.drop_oldest_platform_certificate())

    def tolerate(self, *rules: str) -> list[str]:
        """Lift these rules and no others: names, or patterns; returns the names lifted."""
        tolerated: list[str] = self._run(self._control.tolerate(rules))["tolerated"]
        return tolerated

    def secret(self) -> dict[str, Any]:
        """The merchant's secret."""
        return self._run(self._control.secret())

    def merchant_certificate(self) -> str:
        """The merchant's API certificate as PEM."""
        return self._run(self._control.merchant_certificate())

    def set_host(self, index: int, *, up: bool) -> None:
        """Let a host listen, or refuse connections."""
        self._run(self._control.set_host(index, up=up))

    def set_latency(self, seconds: float) -> None:
        """Delay every reply by so many seconds."""
        self._run(self._control.set_latency(seconds))

    def advance(self, seconds: float) -> None:
        """Move the orders' clock forward, so that debits become due without waiting."""
        self._run(self._control.advance(seconds))

    def set_clock(self, skew: float) -> None:
        """Let WeChat Pay's own clock be so many seconds ahead of the machine's, or behind."""
        self._run(self._control.set_clock(skew))

    def _run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _start(self) -> None:
        tls = self._tls_context() if self._tls else None
        for index, port in enumerate(self._ports):
            host = Host(self._server(functools.partial(self._route, host=index)), port, tls)
            self._hosts.append(host)
            host.up()
        self._control_host = Host(self._server(self._http_control.handle), self._control_port, None)
        self._control_host.up()
        self._control.hosts = self._hosts
        self._api.refuse_host = lambda index, seconds: self._hosts[index].down_for(seconds)
        self._start_task(self._look_after())

    def _happened(self) -> None:
        self._something.set()

    def _start_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_after(self) -> None:
        """Send what is to be sent when it is due, and keep what has changed."""
        while True:
            self._something.clear()
            for outgoing in self._core.outbox.due(self._core.now()):
                self._start_task(self._send(outgoing))
            if self._state is not None:
                self._state.keep(self._core.keys, self._core.orders)
            next_at = self._core.outbox.next_at()
            wait = None if next_at is None else max(next_at - self._core.now(), 0.01)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._something.wait(), wait)

    async def _send(self, outgoing: Outgoing) -> None:
        status = None
        with contextlib.suppress(OSError, ValueError, HTTPException):
            status, _ = await asyncio.to_thread(outgoing.notice.send, outgoing.url)
        self._core.outbox.answered(outgoing, status)

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._state is not None:
            self._state.keep(self._core.keys, self._core.orders)
        for host in (*self._hosts, self._control_host):
            if host is not None:
                await host.close()

    async def _route(self, request: web.BaseRequest, host: int) -> web.StreamResponse:
        if request.path.startswith(f"{PREFIX}/"):
            return await self._http_control.handle(request)
        return await self._api.handle(request, host)

    def _server(self, handler: Any) -> web.Server:
        return web.Server(handler, access_log=None, keepalive_timeout=self._keep_alive)

    def _tls_context(self) -> ssl.SSLContext:
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(ADDRESS, "localhost").configure_cert(context)
        self.ca_pem = authority.cert_pem.bytes()
        self._files = tempfile.TemporaryDirectory(prefix="wechatpay-simulator-")
        path = Path(self._files.name, "ca.pem")
        path.write_bytes(self.ca_pem)
        self.ca_file = str(path)
        return context
