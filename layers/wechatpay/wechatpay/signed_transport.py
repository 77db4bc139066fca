"""One attempt on the wire: sign, send, check the reply. It decides nothing; it tells what happened."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from .errors import NothingSent, WeChatPayError
from .merchant import Merchant
from .replies import request_id
from .transport import Reply, Transport
from .verification import NotVerified

USER_AGENT = "smart-retail-settlement/1.0 (Python; requests)"
_SHORTEST_SECONDS = 0.5


@dataclass(frozen=True)
class Attempt:
    """One attempt on the wire, for logs and metrics: nothing in it is secret.

    Attributes:
        path: without the query.
        status: HTTP status; 0 when there was no reply.
        milliseconds: from before sending to the last byte read.
        problem: why there was no verified reply; empty when there was one.
    """

    method: str
    host: str
    path: str
    status: int = 0
    milliseconds: float = 0.0
    request_id: str = ""
    problem: str = ""


class SignedTransport:
    """Makes attempts for one merchant.

    Args:
        merchant: the merchant's keys.
        transport: carries the bytes.
        observe: told of every attempt.
        clock: UNIX seconds.
        nonce: gives a new random text for every attempt.
        stopwatch: seconds, on a clock that does not jump.
    """

    def __init__(
        self,
        merchant: Merchant,
        transport: Transport,
        *,
        observe: Callable[[Attempt], None] = lambda exchange: None,
        clock: Callable[[], float] = time.time,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16).upper(),
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self.merchant = merchant
        self.clock = clock
        self.failed_hosts = transport.failed_hosts
        self._transport = transport
        self._observe = observe
        self._nonce = nonce
        self._stopwatch = stopwatch

    def attempt(
        self,
        method: str,
        host: str,
        target: str,
        body: bytes,
        *,
        timeout: float,
        check: Callable[[Reply], None],
    ) -> tuple[Reply, str]:
        """Sign and send these bytes once, and check what comes back.

        Args:
            method, host, target, body: as `Transport.send` takes them.
            timeout: seconds for all of it up to the reply's last byte.
            check: proves the reply, or raises `NotVerified`.

        Returns:
            The reply, and why it is not proven; empty when it is.

        Raises:
            NothingSent: see `Transport.send`; or there is too little time left to begin.
            NoAnswer: see `Transport.send`.
        """
        began = self._stopwatch()
        _require_time(timeout, f"{method} {host}")
        headers = self._headers(method, target, body)  # may read the secret, out of the same time
        started = self._stopwatch()
        timeout -= started - began
        _require_time(timeout, f"{method} {host}")
        attempt = (method, host, target.partition("?")[0])
        try:
            reply = self._transport.send(method, host, target, headers, body, timeout)
        except WeChatPayError as exc:
            self._observe(Attempt(*attempt, milliseconds=self._since(started), problem=str(exc)))
            raise
        milliseconds, problem = self._since(started), ""
        try:
            check(reply)
        except NotVerified as exc:
            problem = str(exc)
        self._observe(Attempt(*attempt, reply.status, milliseconds, request_id(reply), problem))
        return reply, problem

    def _since(self, started: float) -> float:
        return (self._stopwatch() - started) * 1000

    def _headers(self, method: str, target: str, body: bytes) -> dict[str, str]:
        authorization = self.merchant.credentials.signer.authorization(
            method, target, body, timestamp=int(self.clock()), nonce=self._nonce()
        )
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # the signature is over the bytes as they are
            "Authorization": authorization,
            "User-Agent": USER_AGENT,
        }
        if body:
            headers["Content-Type"] = "application/json"
        if preferred := self.merchant.keyring.preferred:
            headers["Wechatpay-Serial"] = preferred
        return headers


def _require_time(seconds: float, attempt: str) -> None:
    if seconds < _SHORTEST_SECONDS:
        raise NothingSent(f"{attempt}: not enough time left in this invocation")
