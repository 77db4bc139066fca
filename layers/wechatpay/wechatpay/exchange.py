"""One attempt on the wire: sign, send, check the reply. It decides nothing; it tells what happened."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from .account import Account
from .errors import NothingSent, WeChatPayError
from .replies import request_id
from .transport import Reply, Transport
from .verification import NotVerified

USER_AGENT = "smart-retail-settlement/1.0 (Python; requests)"
_SHORTEST_SECONDS = 0.5


@dataclass(frozen=True)
class Exchange:
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


class Exchanger:
    """Makes attempts for one merchant.

    Args:
        account: the merchant's keys.
        transport: carries the bytes.
        observe: told of every attempt.
        clock: UNIX seconds.
        nonce: gives a new random text for every attempt.
    """

    def __init__(
        self,
        account: Account,
        transport: Transport,
        *,
        observe: Callable[[Exchange], None] = lambda exchange: None,
        clock: Callable[[], float] = time.time,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16).upper(),
    ) -> None:
        self.account = account
        self.clock = clock
        self._transport = transport
        self._observe = observe
        self._nonce = nonce

    def exchange(
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
            timeout: seconds for all of it.
            check: proves the reply, or raises `NotVerified`.

        Returns:
            The reply, and why it is not proven; empty when it is.

        Raises:
            NothingSent: see `Transport.send`; or there is too little time left to begin.
            NoAnswer: see `Transport.send`.
        """
        if timeout < _SHORTEST_SECONDS:
            raise NothingSent(f"{method} {host}: not enough time left in this invocation")
        headers = self._headers(method, target, body)
        told = Exchange(method, host, target.partition("?")[0])
        started = time.monotonic()
        try:
            reply = self._transport.send(method, host, target, headers, body, timeout)
            told = replace(told, status=reply.status, request_id=request_id(reply))
            check(reply)
        except NotVerified as exc:
            told = replace(told, problem=str(exc))
        except WeChatPayError as exc:
            told = replace(told, problem=str(exc))
            raise
        finally:
            self._observe(replace(told, milliseconds=(time.monotonic() - started) * 1000))
        return reply, told.problem

    def _headers(self, method: str, target: str, body: bytes) -> dict[str, str]:
        authorization = self.account.credentials.signer.authorization(
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
        if preferred := self.account.keyring.preferred:
            headers["Wechatpay-Serial"] = preferred
        return headers
