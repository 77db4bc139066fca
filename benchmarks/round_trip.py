"""A TCP proxy that makes loopback as far away as a host on the internet: `python -m benchmarks.round_trip`.

Every byte takes half the round trip each way. What a client sends first takes one round trip more, because
on a real network it could not have sent it before the TCP handshake; so a client that connects anew for every
call pays for it here as it would there.
"""

from __future__ import annotations

import argparse
import asyncio
import selectors
import signal
from collections.abc import Callable

# Two chunks never get the same time: timers that are due together fire in no particular order.
_TICK = 1e-6


class _End(asyncio.Protocol):
    """One end of a connection: hands what it receives to the other end, late."""

    def __init__(self, delay: float, handshake: float) -> None:
        self._delay = delay
        self._handshake = handshake
        self._due = 0.0
        self._transport: asyncio.Transport | None = None
        self.other: _End | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        for data in self._early:
            transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._later(lambda other: other.write(data))

    def connection_lost(self, _exc: Exception | None) -> None:
        self._later(_End.close)

    def write(self, data: bytes) -> None:
        if self._transport is None:
            self._early.append(data)
        else:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _later(self, act: Callable[[_End], None]) -> None:
        loop = asyncio.get_running_loop()
        self._due = max(loop.time() + self._delay + self._handshake, self._due + _TICK)
        self._handshake = 0.0
        if self.other is not None:
            loop.call_at(self._due, act, self.other)


async def _serve(upstream: int, round_trip: float) -> None:
    loop = asyncio.get_running_loop()
    connecting: set[asyncio.Task[object]] = set()

    def accept() -> _End:
        client, server = _End(round_trip / 2, round_trip), _End(round_trip / 2, 0.0)
        client.other, server.other = server, client
        task: asyncio.Task[object] = asyncio.ensure_future(
            loop.create_connection(lambda: server, "127.0.0.1", upstream)
        )
        connecting.add(task)
        task.add_done_callback(connecting.discard)
        return client

    listening = await loop.create_server(accept, "127.0.0.1", 0)
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await stopped.wait()


def main() -> None:
    """Proxy until SIGTERM; prints its port when it is ready."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.round_trip", description=__doc__)
    parser.add_argument("upstream", type=int, help="port on 127.0.0.1")
    parser.add_argument("milliseconds", type=float, help="the round trip to add")
    arguments = parser.parse_args()
    # select() waits to the microsecond; asyncio's default, epoll, only to the millisecond.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    loop.run_until_complete(_serve(arguments.upstream, arguments.milliseconds / 1000))


if __name__ == "__main__":
    main()
