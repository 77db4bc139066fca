"""Signed and verified calls for one order, within its deadline, over the main and the backup host."""

import json
from collections.abc import Callable, Sequence
from http import HTTPStatus

from .answer import Answer, unproven
from .deadline import Deadline
from .errors import (
    NoAnswer,
    NothingSent,
    Problem,
    ServiceError,
    UnexpectedReply,
    Unverifiable,
    WeChatPayError,
)
from .platform_certificates import PlatformCertificates
from .reply_body import JSON
from .signed_transport import Request, SignedTransport
from .verification import NotVerified, SignedMessage

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
# An invocation has 30 s (`Timeout` in template.yaml) less ANSWER_SECONDS 1.5 = 28.5 s. Main host silent:
# completion 8 + query at the backup host 4 + completion there 8 + a query of each host 2 x 4 = 28 s.
CALL_SECONDS = 8.0
QUERY_SECONDS = 4.0
# What is kept of the deadline while a completion is under way: one query to each of two hosts.
QUERY_RESERVE_SECONDS = 2 * QUERY_SECONDS
# A completion with less time than this is not worth beginning: it would only end in doubt.
SHORTEST_COMPLETION_SECONDS = 2.0
# Statuses that speak of the merchant, its permission or its pace: another host would say the same, and they
# end no order, so with a code of WeChat Pay's they count even unsigned.
_ABOUT_THE_MERCHANT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)


class Client:
    """Makes the calls of one order. It remembers which host failed, so that the next call avoids it.

    Args:
        signed_transport: makes single attempts for one merchant.
        hosts: base URLs without a trailing slash, main host first.
        deadline: the time all calls of this client share.
        unlisted: receives a refusal, of an order or of a query, that is on no row of `reply_rules`.
    """

    def __init__(
        self,
        signed_transport: SignedTransport,
        hosts: Sequence[str],
        deadline: Deadline,
        unlisted: Callable[[Problem], None] = lambda problem: None,
    ) -> None:
        self.merchant = signed_transport.merchant
        self.unlisted = unlisted
        self._signed_transport = signed_transport
        self._hosts = signed_transport.failed_hosts.last(hosts)
        self._deadline = deadline
        self._sent_to: set[str] = set()
        self._left: set[str] = set()
        self._has_reread_secret = False
        self._secrets: set[str] = set()
        self._keys = PlatformCertificates(signed_transport, hosts, deadline)

    def post(self, target: str, parameters: JSON, *, reserve: float, secret: str = "") -> Answer:
        """Send once, and to the backup host only when provably nothing was sent.

        Args:
            target: percent-encoded path.
            parameters: the body, serialised here and nowhere else.
            reserve: seconds of the deadline to leave for a query of its outcome.
            secret: a part of the parameters that no error of this client's may quote from now on.

        Raises:
            NothingSent, NoAnswer, ServiceError, Unverifiable, UnexpectedReply: see `errors`.
            MerchantMisconfigured: there is no key to verify replies with, and none to be had.
        """
        if secret:
            self._secrets.add(secret)
        request = Request("POST", target, _ENCODER.encode(parameters).encode())
        self._keys.require_one()
        failure: WeChatPayError = NothingSent("no host is configured")
        for host in [host for host in self._hosts if host not in self._left]:
            self._sent_to.add(host)
            try:
                timeout = min(CALL_SECONDS, self._deadline.remaining() - reserve)
                return self._call(host, request, timeout)
            except NothingSent as exc:
                self._try_last(host)
                failure = exc
            except (NoAnswer, ServiceError) as exc:
                if not _is_authoritative(exc):
                    self._try_last(host)
                raise
        raise failure

    def next_host(self) -> bool:
        """Move on to a host that no completion of this order was sent to yet: the next `post` goes there.

        For use after a verified query has shown the order open. `get` still asks every host.

        Returns:
            False when there is none, or too little time for another completion and the queries after it.
        """
        if not set(self._hosts) - self._sent_to:
            return False
        if self._deadline.remaining() < SHORTEST_COMPLETION_SECONDS + QUERY_RESERVE_SECONDS:
            return False
        self._left |= self._sent_to
        return True

    def get(self, target: str) -> Answer:
        """Ask one host after the other until one gives an answer that settles the question.

        Raises as `post`.
        """
        request = Request("GET", target)
        self._keys.require_one()
        failure: WeChatPayError = NothingSent("no host is configured")
        for host in list(self._hosts):
            try:
                return self._call(host, request, min(QUERY_SECONDS, self._deadline.remaining()))
            except (NothingSent, NoAnswer, ServiceError, Unverifiable, UnexpectedReply) as exc:
                if _is_authoritative(exc):
                    raise
                failure = exc
            self._try_last(host)
        raise failure

    def reread_secret(self) -> bool:
        """Read the merchant's secret by force, once for this order; False when that was done before.

        Raises as `MerchantSecrets.read`.
        """
        if self._has_reread_secret:
            return False
        self._has_reread_secret = True
        self.merchant.reread()
        return True

    def reread_keys(self) -> bool:
        """Read the secret as `reread_secret`, and download the certificates of a merchant that uses them."""
        if not self.reread_secret():
            return False
        self._keys.refresh()
        return True

    def _try_last(self, host: str) -> None:
        self._hosts.remove(host)
        self._hosts.append(host)

    def _call(self, host: str, request: Request, timeout: float) -> Answer:
        """Sign, send, verify, record, answer."""
        reply, attempt = self._signed_transport.send(host, request, timeout)
        try:
            signed = SignedMessage.parse(reply.headers, reply.body, self._signed_transport.clock())
            signed.verify(self._keys.find(signed.serial))
        except NotVerified as exc:
            self._signed_transport.record(attempt, exc)
            raise unproven(reply, exc, self._secrets) from exc
        self._signed_transport.record(attempt)
        return Answer.of(reply, self._secrets)


def _is_authoritative(error: WeChatPayError) -> bool:
    """Tell whether another host would say the same: an unproven refusal may be a proxy's own, and a 5xx,
    signed or not, speaks of the host that sends it."""
    if not isinstance(error, ServiceError) or error.problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return False
    problem = error.problem
    return problem.verified or (problem.status in _ABOUT_THE_MERCHANT and problem.code != "")
