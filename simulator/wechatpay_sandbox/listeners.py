"""The two base URLs: listeners on 127.0.0.1 that can stop and start listening without losing their port."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Coroutine
from weakref import WeakSet

from aiohttp import web

ADDRESS = "127.0.0.1"
_BACKLOG = 1024


def _reserve(port: int) -> socket.socket:
    """Keep the port for this process while nothing listens on it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as exc:
            raise OSError(exc.errno, f"port {port}: {exc.strerror}") from exc
    return _bind(port)


def _bind(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((ADDRESS, port))
    return bound


class Host:
    """One port with one server behind it; when down, connections are refused and the open ones are broken.

    It accepts connections itself: ``asyncio.Server`` loses those that arrive in the moment it closes.
    """

    def __init__(self, server: web.Server, port: int, tls: ssl.SSLContext | None) -> None:
        self._server = server
        self._tls = tls
        self._reservation = _reserve(port)
        self.port: int = self._reservation.getsockname()[1]
        self._listener: socket.socket | None = None
        self._connections: WeakSet[socket.socket] = WeakSet()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{ADDRESS}:{self.port}"

    @property
    def is_up(self) -> bool:
        return self._listener is not None

    def up(self) -> None:
        """Listen."""
        if self._listener is None:
            self._listener = _bind(self.port)
            self._listener.setblocking(False)
            self._listener.listen(_BACKLOG)
            asyncio.get_running_loop().add_reader(self._listener, self._accept, self._listener)

    def down(self) -> None:
        """Refuse connections, and break those that are open."""
        for task in self._tasks:
            task.cancel()
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def down_for(self, seconds: float) -> None:
        """Be down for a while."""
        self.down()
        self._start(self._up_after(seconds))

    async def close(self) -> None:
        """End for good, and give the port back."""
        self.down()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.shutdown(0.1)
        self._reservation.close()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while True:
                connection, _ = listener.accept()
                connection.setblocking(False)
                self._connections.add(connection)
                self._start(self._serve(connection))

    async def _serve(self, connection: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._server, connection, ssl=self._tls)
        except OSError:
            connection.close()

    async def _up_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.up()
