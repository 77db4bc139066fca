"""What the client takes from outside itself, in one place: two clocks, randomness, names and connections.

A deterministic simulation hands in its own `World`. Everything else runs as it is: signing, HTTP, deadlines,
retries over hosts, verification.
"""

import secrets
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any, NamedTuple

Address = tuple[str, int]


class Resolver:
    """Looks up the addresses of a host for a limited time: `getaddrinfo` itself takes as long as it likes.

    A lookup that outlasts its caller goes on, and whoever asks for the same host meanwhile waits for that
    one. So a dead name server holds one thread for each host, however many orders come.

    Args:
        lookup: as `socket.getaddrinfo`.
    """

    def __init__(self, lookup: Callable[..., Any] = socket.getaddrinfo) -> None:
        self._lookup = lookup
        self._lock = threading.Lock()
        self._under_way: dict[Address, Future[list[Address]]] = {}

    def __call__(self, host: str, port: int, seconds: float) -> list[Address]:
        """Return the addresses of a host.

        Raises:
            TimeoutError: there was no answer in this time.
            OSError, UnicodeError: as `socket.getaddrinfo`.
        """
        key = (host, port)
        with self._lock:
            future = self._under_way.get(key)
            if future is None:
                future = self._under_way[key] = Future()
                threading.Thread(target=self._resolve, args=(key, future), daemon=True).start()
        return future.result(seconds)

    def _resolve(self, key: Address, future: Future[list[Address]]) -> None:
        try:
            addresses = self._lookup(*key, type=socket.SOCK_STREAM)
            future.set_result([address[:2] for *_, address in addresses])
        except Exception as exc:  # noqa: BLE001 - raised again where it is waited for
            future.set_exception(exc)
        finally:
            with self._lock:
                del self._under_way[key]


def _connect(address: Address, seconds: float) -> socket.socket:
    sock = socket.create_connection(address, seconds)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _nonce() -> str:
    return secrets.token_hex(16).upper()


class World(NamedTuple):
    """Everything that makes two runs of the same calls differ.

    A simulation gives all six, and hosts that begin with `http://`, so that no TLS is in between. What its
    `connect` returns stands for a socket and needs five methods: `sendall(data)`; `makefile("rb")`, a
    `BufferedReader` over what the other side answers; `settimeout(seconds)`, after which a read raises
    TimeoutError; `fileno()`, readable once the other side has closed; `close()`. Nothing else here starts a
    thread or waits. The functions make one, and hand its clocks to `Deadline` and `Merchants`, too.

    Attributes:
        clock: UNIX seconds. It goes on while Lambda freezes a function.
        monotonic: seconds on a clock that does not jump; durations and deadlines.
        sleep: waits so many seconds.
        nonce: a new random text for every attempt.
        resolve: addresses of host and port, within so many seconds; raises OSError when there are none.
        connect: a connection to an address, within so many seconds; raises OSError.
    """

    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    nonce: Callable[[], str] = _nonce
    resolve: Callable[[str, int, float], list[Address]] = Resolver()
    connect: Callable[[Address, float], socket.socket] = _connect

    def now(self) -> datetime:
        """Return the time of `clock`, aware."""
        return datetime.fromtimestamp(self.clock(), UTC)
