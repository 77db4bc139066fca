"""The wire under virtual time: names, connections and bytes between a function and WeChat Pay's hosts.

A connection stands for a socket to the layer's own transport. What arrives is handed to the sandbox's core;
how the reply travels is what the fault of the call says.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from wechatpay.world import World
from wechatpay_sandbox.arrivals import Request
from wechatpay_sandbox.replies import Reply

from simulation.connection import Connection
from simulation.kernel import Kernel

if TYPE_CHECKING:
    from simulation.wechat import WeChat

HOSTS = ("http://127.0.0.1:1", "http://127.0.0.1:2")


@dataclass(eq=False)
class Sender:
    """Who sent a request: it may have ended when the request arrives.

    Attributes:
        who: the execution that it works for.
        sent: target and body of the last completion that arrived in time.
        refused: whether that was refused, signed.
        met: the fault that its last request met.
    """

    who: str
    sent: tuple[str, bytes] | None = None
    refused: bool = False
    met: str = ""


class Caller(Protocol):
    """A function, or an operator: may be killed between any two effects."""

    @property
    def sender(self) -> Sender:
        """Who is sending just now."""

    def reach(self, point: str) -> None:
        """Say that a point is reached; does not return when the function is killed there."""


@dataclass
class Weather:
    """How the network is just now.

    Attributes:
        hosts_down: indexes of hosts that refuse connections; `silent` ones swallow them.
        names: "", "down" or "slow": how the name server is.
        late: share of the requests that are on their way for long, `latest` seconds at most: they arrive
            when the client has given up, or has sent another.
    """

    hosts_down: set[int] = field(default_factory=set)
    hosts_silent: set[int] = field(default_factory=set)
    names: str = ""
    late: float = 0.0
    latest: float = 400.0


class Network:
    """Connects functions and operators to `HOSTS`, which are numbered in their order.

    Attributes:
        late: how many requests were on their way for long.
    """

    def __init__(self, kernel: Kernel, wechat: WeChat) -> None:
        self.kernel = kernel
        self.weather = Weather()
        self.late = 0
        self._ports = {int(host.rpartition(":")[2]): index for index, host in enumerate(HOSTS)}
        self._wechat = wechat

    def world(self, caller: Caller, clock: Callable[[], float]) -> World:
        """Return the world that a caller lives in; `clock` is its own, in UNIX seconds."""
        kernel = self.kernel
        return World(
            clock=clock,
            monotonic=lambda: kernel.now,
            sleep=kernel.sleep,
            nonce=lambda: f"{kernel.random.getrandbits(128):032X}",
            resolve=self._resolve,
            connect=lambda address, seconds: self._connect(caller, address, seconds),
        )

    def _resolve(self, host: str, port: int, seconds: float) -> list[tuple[str, int]]:
        if self.weather.names == "slow":
            self.kernel.sleep(seconds)
            raise TimeoutError("no answer of the name server")
        self.kernel.sleep(0.001)
        if self.weather.names == "down":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(host, port)]

    def _connect(self, caller: Caller, address: tuple[str, int], seconds: float) -> Any:
        host = self._ports[address[1]]
        if host in self.weather.hosts_silent:
            self.kernel.sleep(seconds)
            raise TimeoutError("the host is silent")
        self.kernel.sleep(self.kernel.random.uniform(0.001, 0.02))
        if host in self.weather.hosts_down:
            raise ConnectionRefusedError("the host is down")
        return Connection(self, host, caller)

    def deliver(self, connection: Connection, data: bytes) -> None:
        """Let a request travel, arrive, be answered, and its reply travel back."""
        seconds = self.kernel.random.uniform(0.002, 0.03)
        late = self.kernel.random.random() < self.weather.late
        if late:
            seconds = self.kernel.random.uniform(1.0, self.weather.latest)
            self.late += 1
        sender = connection.caller.sender
        self.kernel.after(seconds, lambda: self._arrive(connection, data, sender, late=late))

    def _arrive(self, connection: Connection, data: bytes, sender: Sender, *, late: bool) -> None:
        if connection.host in self.weather.hosts_down | self.weather.hosts_silent:
            connection.reset()
            return
        reply = self._wechat.arrived(_request(data, connection.host), sender, late=late)
        back = self.kernel.random.uniform(0.002, 0.03)
        for seconds, act in _travel(connection, reply):
            self.kernel.after(back + seconds, act)


def _travel(connection: Connection, reply: Reply) -> list[tuple[float, Callable[[], None]]]:
    """Return what happens to a reply on its way, and when."""
    fault = reply.fault
    wire = fault.wire if fault is not None else "whole"
    if wire in ("refuse", "reset"):
        return [(0.0, connection.reset)]
    if wire == "silent":
        return []
    head, body = reply.head(), reply.body
    if fault is not None and fault.name == "doubled":
        return [(0.0, lambda: connection.receive((head + body) * 2))]
    if wire == "late" and fault is not None:
        return [(fault.seconds, lambda: connection.receive(head + body))]
    if wire == "truncated":
        half = head + body[: len(body) // 2]
        return [(0.0, lambda: connection.receive(half)), (0.001, connection.end)]
    if wire in ("slow-body", "slow-head"):
        whole = head + body
        cut = len(head) if wire == "slow-body" else 5
        # Longer than anybody waits.
        pieces = [whole[:cut], *(whole[at : at + 1] for at in range(cut, cut + 20))]
        return [(number * 0.5, partial(connection.receive, piece)) for number, piece in enumerate(pieces)]
    return [(0.0, lambda: connection.receive(head + body))]


def _request(data: bytes, host: int) -> Request:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    return Request(method, target, headers, body, host)
