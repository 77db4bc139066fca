"""Connections that know for sure whether any byte of a request left, and read a reply until one deadline."""

import http.client
import io
import socket
import threading
import time
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import LocationParseError
from urllib3.util.connection import create_connection


class Attempt(threading.local):
    """What is known of the call this thread is making. The connections below keep it true."""

    bytes_left = False
    deadline = 0.0


attempt = Attempt()


class _DeadlineReader(io.RawIOBase):
    """Reads of a socket that share one deadline: a timeout per read would let a slow drip last for ever."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = attempt.deadline - time.monotonic()
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
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._stream = _DeadlineReader(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._stream)

    def begin(self) -> None:
        super().begin()
        if self._stream.ended:  # http.client takes the end of the stream for the end of the headers
            raise http.client.RemoteDisconnected("the reply ended within its headers")


class _TrackedConnection(HTTPConnection):
    """Marks the moment the first byte may leave. Before it nothing was sent; after it nobody can know."""

    response_class = _Response
    _held: bytearray | None = None

    def _new_conn(self) -> socket.socket:
        """Connect to the first address that answers, before the deadline: urllib3 gives each its own time."""
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except UnicodeError as exc:
            raise LocationParseError(self.host) from exc
        failure: OSError = TimeoutError("no address answered in time")
        for *_, address in found:
            remaining = attempt.deadline - time.monotonic()
            if remaining <= 0:
                break
            limit = min(float(self.timeout or remaining), remaining)
            try:
                return create_connection(address[:2], limit, socket_options=self.socket_options)  # type: ignore[arg-type]
            except OSError as exc:
                failure = exc
        raise failure

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send head and body as one piece: in one write, and only once the whole of it is made."""
        self._held = held = bytearray()
        try:
            super().request(*args, **kwargs)
        finally:
            self._held = None
        self.send(held)

    def send(self, data: Any) -> None:
        if self._held is not None:
            self._held += data
            return
        if self.sock is None:
            self.connect()
        if not attempt.bytes_left and time.monotonic() >= attempt.deadline:
            raise TimeoutError("connecting took all the time: nobody would be left to read the reply")
        attempt.bytes_left = True
        super().send(data)


class _TrackedTLSConnection(_TrackedConnection, HTTPSConnection):
    pass


class Pool(urllib3.HTTPConnectionPool):
    """Connections without TLS, for loopback."""

    ConnectionCls = _TrackedConnection


class TLSPool(urllib3.HTTPSConnectionPool):
    """Connections over TLS."""

    ConnectionCls = _TrackedTLSConnection
