"""WeChat Pay in memory: what a simulation puts under the transport, in one thread, by its own clock."""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from wechatpay.world import Address, World

_READ_END, _WRITE_END = os.pipe()  # never readable: nobody writes


class Silence(Exception):
    """The other side answers only after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass
class MemoryWire:
    """A network whose other side is a function from the bytes of a request to those of its reply.

    Attributes:
        now: UNIX seconds; the monotonic clock shows the same.
        requests: every whole request.
    """

    answer: Callable[[bytes], bytes]
    now: float
    requests: list[bytes] = field(default_factory=list)

    def world(self) -> World:
        return World(
            clock=lambda: self.now,
            monotonic=lambda: self.now,
            nonce=lambda: f"{len(self.requests):032X}",
            resolve=lambda host, port, seconds: [(host, port)],
            connect=lambda address, seconds: _Socket(self, address),  # type: ignore[arg-type,return-value]
        )


class _Socket:
    def __init__(self, wire: MemoryWire, address: Address) -> None:
        self._wire = wire
        self._written = b""
        self.timeout = 0.0

    def sendall(self, data: bytes) -> None:
        self._written += data

    def settimeout(self, seconds: float) -> None:
        self.timeout = seconds

    def makefile(self, mode: str, *_args: Any, **_kwargs: Any) -> io.BufferedReader:
        return io.BufferedReader(_Replies(self))

    def reply(self) -> bytes:
        """Let the other side answer what was written so far."""
        request, self._written = self._written, b""
        self._wire.requests.append(request)
        try:
            return self._wire.answer(request)
        except Silence as silence:
            self._wire.now += min(silence.seconds, self.timeout)
            raise TimeoutError from None

    def fileno(self) -> int:
        return _READ_END

    def close(self) -> None:
        pass


class _Replies(io.RawIOBase):
    def __init__(self, sock: _Socket) -> None:
        self._sock = sock
        self._unread = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._unread = self._unread or self._sock.reply()
        piece = self._unread[: len(buffer)]
        buffer[: len(piece)] = piece
        self._unread = self._unread[len(piece) :]
        return len(piece)
