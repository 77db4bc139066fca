"""What can go wrong on the way to WeChat Pay, as types with a cause and a next step.

Two families. `WeChatPayError` says what happened on the wire, precisely enough to decide what to do next.
`SettlementError` is what a function raises to Step Functions; its class names are the names in the Retry
fields of `statemachine/`, so renaming one is a change of contract.
"""

from typing import NamedTuple


class WeChatPayError(Exception):
    """Anything that kept a call to WeChat Pay from giving a verified, well-formed 200."""


class NothingSent(WeChatPayError):
    """Not one byte of the request left this machine: DNS, refused, connect timeout, TLS, no time left.

    WeChat Pay cannot have applied it. Send it to the backup host, or again later.
    """


class NoAnswer(WeChatPayError):
    """Bytes left, and no whole reply came back: timeout, reset, cut short, larger than allowed.

    WeChat Pay may have applied it. Ask by a signed query before believing anything.
    """


class Problem(NamedTuple):
    """WeChat Pay's reply to a call that did not succeed, as far as it could be read.

    Attributes:
        status: HTTP status.
        code: WeChat Pay's code, such as `PARAM_ERROR`; empty when the body was not its JSON.
        message: WeChat Pay's message, usually Chinese; for an unreadable body, what it was instead.
        detail: WeChat Pay's `detail` as text; empty when absent.
        request_id: the `Request-ID` header: what WeChat Pay's support asks for first.
        verified: whether the reply carried a valid signature. An unverified reply proves nothing.
    """

    status: int
    code: str = ""
    message: str = ""
    detail: str = ""
    request_id: str = ""
    verified: bool = False

    @property
    def internal_code(self) -> str:
        """The digits behind the last `-` of Request-ID, WeChat Pay's finer error code; may be empty."""
        tail = self.request_id.rpartition("-")[2]
        return tail if tail.isascii() and tail.isdigit() else ""

    def __str__(self) -> str:
        parts = [f"HTTP {self.status}", self.code, self.message, self.detail]
        if self.request_id:
            parts.append(f"Request-ID {self.request_id}")
        if not self.verified:
            parts.append("signature not verified")
        return " | ".join(part for part in parts if part)


class ReplyError(WeChatPayError):
    """A whole reply came back and it is not a success. `problem` holds all that is known of it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class ServiceError(ReplyError):
    """WeChat Pay answered with a status other than 2xx. See `problem.verified` before believing it."""


class OrderNotFound(ServiceError):
    """A verified query says that there is no such order, under these appid and service_id."""


class Unverifiable(ReplyError):
    """A 2xx whose signature does not hold. It proves nothing either way: ask by a signed query."""


class UnexpectedReply(ReplyError):
    """A verified 2xx that does not say what it must: 202, 204, another shape, or another order."""


class SettlementError(Exception):
    """An order that may still succeed. Raised out of the function, so that Step Functions decides."""

    @property
    def metric(self) -> str:
        """What counts it."""
        return type(self).__name__


class WeChatPayUnavailable(SettlementError):
    """Nothing was applied, for sure. Retry sends the same order again.

    Args:
        order_not_ready: the order's end lies ahead, or the shopper has not confirmed it yet.
    """

    def __init__(self, message: str, *, order_not_ready: bool = False) -> None:
        super().__init__(message)
        self.order_not_ready = order_not_ready

    @property
    def metric(self) -> str:
        """What counts it: an order that is not ready must not ring the alarm of WeChat Pay's failures."""
        return "OrderNotReady" if self.order_not_ready else super().metric


class WeChatPayRateLimited(SettlementError):
    """WeChat Pay answered 429. Retry, after a longer wait."""


class OutcomeUnknown(SettlementError):
    """The completion may have been applied and no query could tell. Retry: the call is re-entrant."""


class MerchantMisconfigured(SettlementError):
    """The merchant's secret or permission is wrong. No Retry: fix it, then redrive the execution."""
