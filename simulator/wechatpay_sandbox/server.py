"""The core on sockets: requests are read, answered by the core, and the answers sent as their faults say."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from aiohttp import web

from wechatpay_sandbox import delivery
from wechatpay_sandbox.arrivals import Request
from wechatpay_sandbox.core import Core
from wechatpay_sandbox.fault import Fault
from wechatpay_sandbox.listeners import Host


class Api:
    """WeChat Pay's hosts. Every method runs on the server's event loop.

    ``happened`` is called when something may have come up to be sent or kept.
    """

    def __init__(self, core: Core, happened: Callable[[], None]) -> None:
        self.core = core
        self.happened = happened
        self.latency = 0.0
        self.hosts: list[Host] = []

    async def handle(self, request: web.BaseRequest, host: int) -> web.StreamResponse:
        """Answer one request that arrived at one of the hosts."""
        arrived = Request(request.method, request.raw_path, dict(request.headers), host=host)
        arrival = self.core.arrive(arrived)
        if arrival.fault is not None and arrival.fault.acts_on_arrival:
            return await self._answer_nothing(request, host, arrival.fault)
        try:
            arrived = replace(arrived, body=await request.read())
        except OSError:
            return delivery.reset(request)
        reply = self.core.reply(arrival, arrived)
        self.happened()
        if self.latency:
            await asyncio.sleep(self.latency)
        if reply.fault is not None and reply.fault.wire in ("reset", "silent", "refuse"):
            return await self._answer_nothing(request, host, reply.fault)
        return await delivery.send(request, reply, reply.fault, arrival.record)

    async def _answer_nothing(self, request: web.BaseRequest, host: int, fault: Fault) -> web.StreamResponse:
        if fault.wire == "silent":
            return await delivery.silence(request, fault.seconds)
        response = delivery.reset(request)
        if fault.wire == "refuse":
            self.hosts[host if fault.host is None else fault.host].down_for(fault.seconds)
        return response
