"""The two base URLs: listeners on 127.0.0.1 that can stop and start listening without losing their port."""

import asyncio
import socket
import ssl

from aiohttp import web

ADDRESS = "127.0.0.1"


def _reserve(port: int) -> socket.socket:
    """Keep the port for this process while nothing listens on it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((ADDRESS, port))
    reservation = socket.socket()
    reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    reservation.bind((ADDRESS, port))
    return reservation


class Host:
    """One port with one server behind it; when down, connections are refused and the open ones are broken."""

    def __init__(self, server: web.Server, port: int, tls: ssl.SSLContext | None) -> None:
        self._server = server
        self._tls = tls
        self._reservation = _reserve(port)
        self.port: int = self._reservation.getsockname()[1]
        self._listener: asyncio.Server | None = None
        self._returns: asyncio.TimerHandle | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{ADDRESS}:{self.port}"

    @property
    def is_up(self) -> bool:
        return self._listener is not None

    async def up(self) -> None:
        """Listen."""
        if self._listener is None:
            loop = asyncio.get_running_loop()
            self._listener = await loop.create_server(
                self._server, ADDRESS, self.port, ssl=self._tls, reuse_port=True, backlog=1024
            )

    def down(self) -> None:
        """Refuse connections, and break those that are open."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for connection in self._server.connections:
            if connection.transport is not None:
                connection.transport.abort()

    def down_for(self, seconds: float) -> None:
        """Be down for a while."""
        self.down()
        loop = asyncio.get_running_loop()
        if self._returns is not None:
            self._returns.cancel()
        self._returns = loop.call_later(seconds, lambda: loop.create_task(self.up()))

    async def close(self) -> None:
        """End for good, and give the port back."""
        if self._returns is not None:
            self._returns.cancel()
        self.down()
        await self._server.shutdown(0.1)
        self._reservation.close()
