"""One attempt on the wire: sign and send. It decides nothing; it records what happened."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from .errors import NothingSent, WeChatPayError
from .merchant import Merchant
from .reply_body import request_id
from .transport import Reply, Transport

USER_AGENT = "smart-retail-settlement/1.0 (Python; requests)"
_SHORTEST_SECONDS = 0.5


@dataclass(frozen=True, eq=False, repr=False)
class Request:
    """What is asked of WeChat Pay: signed and sent exactly so, to whichever host.

    Attributes:
        method: HTTP method.
        target: path and query, already percent-encoded.
        body: the bytes that are signed and sent; empty for GET.
    """

    method: str
    target: str
    body: bytes = b""


class Attempt(NamedTuple):
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
        transport: carries the bytes, and has the clocks and nonces in its `World`.
        observe: gets every attempt.
    """

    def __init__(
        self,
        merchant: Merchant,
        transport: Transport,
        *,
        observe: Callable[[Attempt], None] = lambda attempt: None,
    ) -> None:
        self.merchant = merchant
        self.clock = transport.world.clock
        self.failed_hosts = transport.failed_hosts
        self._transport = transport
        self._observe = observe
        self._nonce = transport.world.nonce
        self._stopwatch = transport.world.monotonic

    def send(self, host: str, request: Request, timeout: float) -> tuple[Reply, Attempt]:
        """Sign this request and send it once.

        Args:
            host: base URL without a trailing slash.
            request: what is asked.
            timeout: seconds for all of it up to the reply's last byte.

        Returns:
            The reply, not yet verified, and the attempt that brought it: `record` it once that is done.

        Raises:
            NothingSent: see `Transport.send`; or there is too little time left to begin.
            NoAnswer: see `Transport.send`.
        """
        began = self._stopwatch()
        _require_time(timeout, f"{request.method} {host}")
        headers = self._headers(request)  # may read the secret, out of the same time
        started = self._stopwatch()
        timeout -= started - began
        _require_time(timeout, f"{request.method} {host}")
        attempt = Attempt(request.method, host, request.target.partition("?")[0])
        try:
            reply = self._transport.send(request.method, host, request.target, headers, request.body, timeout)
        except WeChatPayError as exc:
            self.record(attempt._replace(milliseconds=self._since(started)), exc)
            raise
        return reply, attempt._replace(
            status=reply.status, milliseconds=self._since(started), request_id=request_id(reply)
        )

    def record(self, attempt: Attempt, problem: Exception | None = None) -> None:
        """Hand an attempt to whoever observes: with what kept it from a verified reply, if anything did."""
        self._observe(attempt._replace(problem=str(problem)) if problem else attempt)

    def _since(self, started: float) -> float:
        return (self._stopwatch() - started) * 1000

    def _headers(self, request: Request) -> dict[str, str]:
        authorization = self.merchant.credentials.signer.authorization(
            request.method, request.target, request.body, timestamp=int(self.clock()), nonce=self._nonce()
        )
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # the signature is over the bytes as they are
            "Authorization": authorization,
            "User-Agent": USER_AGENT,
        }
        if request.body:
            headers["Content-Type"] = "application/json"
        if preferred := self.merchant.keyring.preferred:
            headers["Wechatpay-Serial"] = preferred
        return headers


def _require_time(seconds: float, attempt: str) -> None:
    if seconds < _SHORTEST_SECONDS:
        raise NothingSent(f"{attempt}: not enough time left in this invocation")
