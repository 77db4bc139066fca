"""A server below HTTP: what it does with a connection's bytes is the test's own function."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.unit.wechatpay.material import signed_headers


class Connection:
    """One accepted connection, in its own thread."""

    def __init__(self, server: "RawServer", sock: socket.socket) -> None:
        self._server = server
        self.sock = sock
        self.written = 0

    def read_request(self) -> bytes | None:
        """Return one whole request, None when the client left."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (piece := self.sock.recv(65536)):
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        length = int(lengths[0].partition(b":")[2]) if lengths else 0
        while len(body) < length:
            body += self.sock.recv(65536)
        self._server.requests.append(head + b"\r\n\r\n" + body)
        return self._server.requests[-1]

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)
        self.written += len(data)

    def send_until_closed(self, total: int) -> None:
        """Send so many bytes, or as many as the client takes; the server's `written` counts them."""
        piece = b"A" * 65536
        while self.written < total and not self._server.stopping.is_set():
            self.send(piece)

    def drip(self, data: bytes, interval: float = 0.05) -> None:
        """Send byte by byte, and so end by itself when nobody stops listening."""
        for byte in data:
            self.send(bytes([byte]))
            if self.pause(interval):
                return

    def pause(self, seconds: float) -> bool:
        """Do nothing for a while; true when the test has ended meanwhile."""
        return self._server.stopping.wait(seconds)

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def be_silent(self) -> None:
        self._server.stopping.wait()


class RawServer:
    """Serves connection after connection with the behaviours given; the last one stays.

    Attributes:
        requests: every whole request, byte for byte.
        accepted: how many connections came.
        written: bytes written to each connection that has ended.
        ended: released once for each connection that has ended.
    """

    def __init__(self, *behaviours: Callable[[Connection], None], tls: ssl.SSLContext | None = None) -> None:
        self._behaviours = behaviours
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[Connection] = []
        self._threads: list[threading.Thread] = []
        self.requests: list[bytes] = []
        self.accepted = 0
        self.written: list[int] = []
        self.ended = threading.Semaphore(0)
        self.stopping = threading.Event()
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        for connection in self._connections:
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            behaviour = self._behaviours[min(self.accepted, len(self._behaviours) - 1)]
            self.accepted += 1
            connection = Connection(self, sock)
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection, behaviour), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: Connection, behaviour: Callable[[Connection], None]) -> None:
        try:
            if self._tls is not None:
                connection.sock = self._tls.wrap_socket(connection.sock, server_side=True)
            behaviour(connection)
        except OSError:
            pass  # the client left, which is what most of these tests are about
        finally:
            connection.sock.close()
            self.written.append(connection.written)
            self.ended.release()


def http(body: bytes = b"{}", *, status: str = "200 OK", headers: str = "") -> bytes:
    """One whole reply."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def signed_http(body: bytes, now: float, *, status: str = "200 OK") -> bytes:
    """One whole reply, signed at this time with the platform's key of `material`."""
    headers = signed_headers(body, timestamp=str(int(now)))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return http(body, status=status, headers=lines)


def answering(*replies: bytes) -> Callable[[Connection], None]:
    """Answer request after request on one connection; the last reply stays."""

    def behave(connection: Connection) -> None:
        count = 0
        while connection.read_request() is not None:
            connection.send(replies[min(count, len(replies) - 1)])
            count += 1

    return behave
