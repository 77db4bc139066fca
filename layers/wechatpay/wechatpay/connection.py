"""Connections that know for sure whether any byte of a request left, and read a reply until one deadline."""

import http.client
import io
import socket
import threading
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import LocationParseError

from .world import World

# WeChat Pay closes a connection after about 8 s of silence. A request written into one that is just being
# closed is lost in doubt, so an older connection is never used again (the official Java SDK keeps them 7 s).
IDLE_SECONDS = 5.0
# A name server that is silent must not take the time of the other host; CONNECT_SECONDS come on top.
LOOKUP_SECONDS = 2.0


class Wire(threading.local):
    """The world that calls are made in, and what is known of the call this thread is making.

    Attributes:
        bytes_left: whether a byte of the request may have left this machine.
        deadline: when the whole reply must be there, on the world's monotonic clock.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.bytes_left = False
        self.deadline = 0.0

    def begin(self, seconds: float) -> None:
        """Begin a call that has so much time."""
        self.bytes_left = False
        self.deadline = self.world.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left for this call."""
        return self.deadline - self.world.monotonic()


class _DeadlineReader(io.RawIOBase):
    """Reads of a socket that share one deadline: a timeout per read would let a slow drip last for ever."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, wire: Wire) -> None:
        self._raw = raw
        self._sock = sock
        self._wire = wire
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._wire.remaining()
        if remaining <= 0:
            raise TimeoutError("the reply was not complete in time")
        self._sock.settimeout(remaining)
        count = self._raw.readinto(buffer)
        self.ended = count == 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, wire: Wire, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._stream = _DeadlineReader(self.fp.detach(), sock, wire)
        self.fp = io.BufferedReader(self._stream)

    def begin(self) -> None:
        super().begin()
        if self._stream.ended:  # http.client takes the end of the stream for the end of the headers
            raise http.client.RemoteDisconnected("the reply ended within its headers")


class _TrackedConnection(HTTPConnection):
    """Marks the moment the first byte may leave. Before it nothing was sent; after it nobody can know.

    Attributes:
        wire: given by its pool.
        last_used: when its last reply had been read, UNIX seconds.
    """

    wire: Wire
    last_used = float("-inf")
    _gathered: bytearray | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the other side has it open, for sure: not after a silence."""
        fresh = 0 <= self.wire.world.clock() - self.last_used < IDLE_SECONDS
        return fresh and super().is_connected

    def response_class(self, sock: socket.socket, *args: Any, **kwargs: Any) -> _Response:  # type: ignore[override]
        return _Response(sock, *args, wire=self.wire, **kwargs)

    def _new_conn(self) -> socket.socket:
        """Connect to the first address that answers, before the deadline: urllib3 gives each its own time."""
        world = self.wire.world
        seconds = min(LOOKUP_SECONDS, self.wire.remaining())
        try:
            addresses = world.resolve(self._dns_host, self.port, seconds)
        except UnicodeError as exc:
            raise LocationParseError(self.host) from exc
        failure: OSError = TimeoutError("no address answered in time")
        for address in addresses:
            remaining = self.wire.remaining()
            if remaining <= 0:
                break
            try:
                return world.connect(address, min(float(self.timeout or remaining), remaining))
            except OSError as exc:
                failure = exc
        raise failure

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send head and body as one piece: two writes cost 3 % of the floor at 0 ms (docs/decisions.md)."""
        self._gathered = gathered = bytearray()
        try:
            super().request(*args, **kwargs)
        finally:
            self._gathered = None
        self.send(gathered)

    def send(self, data: Any) -> None:
        if self._gathered is not None:
            self._gathered += data
            return
        if self.sock is None:
            self.connect()
        if not self.wire.bytes_left and self.wire.remaining() <= 0:
            raise TimeoutError("connecting took all the time: nobody would be left to read the reply")
        self.wire.bytes_left = True
        super().send(data)


class _TrackedTLSConnection(_TrackedConnection, HTTPSConnection):
    pass


class _WiredPool(urllib3.HTTPConnectionPool):
    """Gives its connections the wire, and the time when they became idle."""

    def __init__(self, *args: Any, wire: Wire, **kwargs: Any) -> None:
        self._wire = wire
        super().__init__(*args, **kwargs)

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()
        connection.wire = self._wire
        return connection

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.last_used = self._wire.world.clock()
        super()._put_conn(conn)


class Pool(_WiredPool):
    """Connections without TLS, for loopback."""

    ConnectionCls = _TrackedConnection


class TLSPool(_WiredPool, urllib3.HTTPSConnectionPool):
    """Connections over TLS."""

    ConnectionCls = _TrackedTLSConnection
