"""A connection under virtual time: stands for a socket to the layer's own transport."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

from simulation.kernel import Signal

if TYPE_CHECKING:
    from simulation.network import Caller, Network

IDLE_SECONDS = 8.0
"""After so long WeChat Pay's side closes a connection [V]."""
_OPEN, _WRITER = os.pipe()
_CLOSED, _GONE = os.pipe()
os.close(_GONE)  # reading from _CLOSED finds the end at once, from _OPEN never anything


class Connection:
    """Stands for a socket; see `wechatpay.world.World`."""

    def __init__(self, network: Network, host: int, caller: Caller) -> None:
        self.host = host
        self.caller = caller
        self.buffer = bytearray()
        self.timeout: float = 60.0
        self._network = network
        self._kernel = network.kernel
        self._ended = self._broken = False
        self._used = self._kernel.now
        self._signal = Signal()

    def sendall(self, data: bytes | bytearray) -> None:
        self.caller.reach("before sending")
        if self._broken:
            raise ConnectionResetError("the other side has reset the connection")
        self._network.deliver(self, bytes(data))
        self._used = self._kernel.now
        self.caller.reach("after sending")

    def makefile(self, mode: str, *_args: object, **_kwargs: object) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self))

    def settimeout(self, seconds: float | None) -> None:
        self.timeout = 60.0 if seconds is None else seconds

    def fileno(self) -> int:
        idle = self._kernel.now - self._used > IDLE_SECONDS
        return _CLOSED if idle or self._ended or self._broken or self.buffer else _OPEN

    def close(self) -> None:
        self.buffer.clear()

    def receive(self, data: bytes) -> None:
        """Bytes arrive."""
        self.buffer += data
        self._wake()

    def end(self) -> None:
        """The other side closes."""
        self._ended = True
        self._wake()

    def reset(self) -> None:
        """The other side resets."""
        self._broken = True
        self._wake()

    def read(self, buffer: Any) -> int:
        """Wait for bytes, for the timeout at most."""
        ends = self._kernel.now + self.timeout
        while not self.buffer:
            if self._broken:
                raise ConnectionResetError("the other side has reset the connection")
            if self._ended:
                return 0
            self._signal = Signal()
            if not self._kernel.wait(self._signal, max(0.0, ends - self._kernel.now)):
                raise TimeoutError("nothing came in time")
        count = min(len(buffer), len(self.buffer))
        # One reply at a time: what is left of a doubled one stays for the next reader to stumble over.
        buffer[:count] = self.buffer[:count]
        del self.buffer[:count]
        self._used = self._kernel.now
        self.caller.reach("after the reply")
        return count

    def _wake(self) -> None:
        self._signal.set()


class _Incoming(io.RawIOBase):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._connection.read(buffer)
