"""The sandbox in a thread of this process: its hosts, its control, and what it sends of its own accord."""

import asyncio
import functools
import random
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from wechatpay_sandbox import APPID, SERVICE_ID, Mode
from wechatpay_sandbox.client import Client
from wechatpay_sandbox.control import Control
from wechatpay_sandbox.core import Core
from wechatpay_sandbox.http_control import PREFIX, HttpControl
from wechatpay_sandbox.listeners import Host
from wechatpay_sandbox.notifications import Flaw, Notification, Notifier, Shape
from wechatpay_sandbox.orders import Orders
from wechatpay_sandbox.sending import send_due
from wechatpay_sandbox.server import Api
from wechatpay_sandbox.state import State

KEEP_ALIVE = 8.0
"""Seconds after which WeChat Pay closes an idle connection (the official Java SDK keeps them for 7)."""
KEEP_EVERY = 0.5
"""Seconds between two writings of the state, however much happens."""


class Simulator(Client):
    """The simulator in a thread of this process: ``with Simulator() as sim:``. It is its own control client.

    ``debit_after`` seconds after its completion an order is paid (None: never). ``keep_alive`` seconds after
    its last reply an idle connection is closed. Port 0 is any free port. With ``tls`` the hosts speak https,
    and ``ca_file`` holds the authority to trust; control is always plain http. ``tolerate`` lifts rules by
    their names, ``clock_skew`` seconds is WeChat Pay's clock ahead of the machine's. ``state`` is a directory
    that keeps the world from one start to the next (``state.py`` says what): what is not asked for (None) is
    as it was kept. ``notify_anywhere`` lets notifications leave this machine. ``refused`` gets the record of
    each refused request, on the sandbox's thread.
    """

    def __init__(
        self,
        mchid: str | None = None,
        keys: Mode | None = None,
        debit_after: float | None = 0.2,
        *,
        tls: bool = False,
        appid: str | None = None,
        service_id: str | None = None,
        keep_alive: float = KEEP_ALIVE,
        port: int = 0,
        backup_port: int = 0,
        control_port: int = 0,
        tolerate: Iterable[str] | None = None,
        clock_skew: float | None = None,
        state: str | Path | None = None,
        notify_anywhere: bool = False,
        refused: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        self._ports = (port, backup_port)
        self._control_port = control_port
        self._tls = tls
        self._keep_alive = keep_alive
        self.ca_file: str | None = None
        self._temporary = tempfile.TemporaryDirectory(prefix="wechatpay-") if state is None else None
        directory = Path(self._temporary.name if self._temporary is not None else str(state))
        self._state = State(directory, whole=state is not None)
        chance = random.SystemRandom()
        own_keys = self._state.keys(mchid, keys)
        orders = Orders(own_keys.mchid, APPID, SERVICE_ID, debit_after, chance)
        self._core = Core(own_keys, orders, clock=time.time, random=chance)
        self._state.restore(self._core)
        orders.appid, orders.service_id = appid or orders.appid, service_id or orders.service_id
        if tolerate is not None:
            self._core.rules.tolerate(tolerate)
        if clock_skew is not None:
            self._core.clock_skew = clock_skew
        self._core.outbox.anywhere = notify_anywhere
        self._core.refused = refused
        self._api = Api(self._core, self._happened)
        self._control = Control(self._api)
        self._http_control = HttpControl(self._control, self._happened)
        self._something, self._changed = asyncio.Event(), asyncio.Event()
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
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def hosts(self) -> list[str]:
        """Base URLs of the main and the backup host."""
        return [host.url for host in self._api.hosts]

    @property
    def control_url(self) -> str:
        """Where the HTTP control listens: a port of its own, there even when both hosts are down."""
        assert self._control_host is not None
        return f"{self._control_host.url}{PREFIX}"

    @property
    def merchant_files(self) -> Path:
        """The directory of the merchant's files, which follow every change of keys."""
        return self._state.merchant_files

    @property
    def notifier(self) -> Notifier:
        """Makes notifications of any kind with this simulator's keys."""
        return self._core.notifier

    def paid_notification(
        self, out_order_no: str, shape: Shape = "smartretail", *, flaw: Flaw | None = None, **changes: Any
    ) -> Notification:
        """A notification that the order is paid, to be sent: ``notification.send(url)``."""
        return self._run(self._control.paid_notification(out_order_no, shape, flaw=flaw, **changes))

    def call(self, method: str, path: str, document: Mapping[str, Any] | None = None, **query: object) -> Any:
        """Perform one operation of the control without HTTP; what it raises is the operation's own error."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._run(self._http_control.perform(method, path, {**(document or {}), **given}))

    def _run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _start(self) -> None:
        tls = None
        if self._tls:
            from wechatpay_sandbox.tls import certify

            self.ca_file, tls = certify(self._state.directory)
        self._state.keep(self._core)
        for index, port in enumerate(self._ports):
            host = Host(self._server(functools.partial(self._route, host=index)), port, tls)
            self._api.hosts.append(host)
            host.up()
        self._control_host = Host(self._server(self._http_control.handle), self._control_port, None)
        self._control_host.up()
        sending = send_due(self._core, self._something, self._changed)
        self._tasks = [self._loop.create_task(work) for work in (sending, self._keep_changes())]

    def _happened(self) -> None:
        self._something.set()
        self._changed.set()

    async def _keep_changes(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._state.keep(self._core)
            await asyncio.sleep(KEEP_EVERY)

    async def _stop(self) -> None:
        for host in (*self._api.hosts, self._control_host):
            if host is not None:
                await host.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}  # the loop is ours alone, and ends now
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        self._state.keep(self._core)

    async def _route(self, request: web.BaseRequest, host: int) -> web.StreamResponse:
        if request.path.startswith(f"{PREFIX}/"):
            return await self._http_control.handle(request)
        return await self._api.handle(request, host)

    def _server(self, handler: Any) -> web.Server:
        return web.Server(handler, access_log=None, keepalive_timeout=self._keep_alive)
