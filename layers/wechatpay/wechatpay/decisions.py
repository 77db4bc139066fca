"""What every answer means, in one place, as data: first the replies to a completion, then the queried states.

The first row that fits decides. `source` says how sure a row is: V official text or SDK code, T a copy of the
retired official page, I inferred, D a decision of this project. One test per row runs the real function.
"""

from dataclasses import dataclass
from enum import Enum, auto

from .errors import (
    MerchantMisconfigured,
    NoAnswer,
    NothingSent,
    ReplyError,
    ServiceError,
    SettlementError,
    UnexpectedReply,
    Unverifiable,
    WeChatPayError,
    WeChatPayRateLimited,
    WeChatPayUnavailable,
)


class Next(Enum):
    """What to do after a completion that gave no verified acceptance."""

    ASK = auto()  # query; still open means not applied: raise for Retry
    ASK_THEN_REJECT = auto()  # the refusal is unproven: query, complete once more; refused again, it stands
    FRESH_TICKET = auto()  # query for a new ticket, complete once more; refused again, it stands
    REJECT = auto()  # proven; final unless a query finds that an earlier attempt has settled it
    REREAD_SECRET = auto()  # read the secret again, complete once more; refused again, misconfigured
    MISCONFIGURED = auto()  # somebody must change something
    RETRY = auto()  # nothing was applied, for sure
    RETRY_LATER = auto()  # too many requests


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        name: what came back, for people and test names.
        error: the kind of error it is.
        then: what to do.
        source: how this is known.
        status: HTTP statuses; empty for any.
        codes, tails, words: WeChat Pay's codes, internal codes (end of Request-ID) and parts of its message;
            one of them must fit when any are given.
        verified: required state of the signature; None for either.
        coded: whether it must, or must not, carry a code of WeChat Pay's; None for either.
    """

    name: str
    error: type[WeChatPayError]
    then: Next
    source: str
    status: frozenset[int] = frozenset()
    codes: frozenset[str] = frozenset()
    tails: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    verified: bool | None = None
    coded: bool | None = None

    def fits(self, error: WeChatPayError) -> bool:
        """Tell whether this row is about that error."""
        if not isinstance(error, self.error):
            return False
        if not isinstance(error, ReplyError):
            return True
        problem = error.problem
        if self.status and problem.status not in self.status:
            return False
        if self.verified is not None and problem.verified is not self.verified:
            return False
        if self.coded is not None and bool(problem.code) is not self.coded:
            return False
        if not (self.codes or self.tails or self.words):
            return True
        said = problem.message + problem.detail
        return (
            problem.code in self.codes
            or problem.internal_code in self.tails
            or any(word in said for word in self.words)
        )


_400 = frozenset({400})
_CLIENT_ERRORS = frozenset(range(400, 500))

REPLIES: tuple[Row, ...] = (
    Row("nothing sent to any host", NothingSent, Next.RETRY, "V: no byte left, nothing can be applied"),
    Row("no whole reply", NoAnswer, Next.ASK, "V: may have been applied"),
    Row("2xx not verified", Unverifiable, Next.ASK, "V: an unsigned 2xx proves nothing"),
    Row("202, 204, another shape or order", UnexpectedReply, Next.ASK, "I: not what a 200 must carry"),
    Row(
        "re-entry with other parameters",
        ServiceError,
        Next.ASK,
        "V: proves that a first completion exists",
        status=_400,
        tails=frozenset({"271316598"}),
        words=("订单重入参数校验失败",),
    ),
    Row(
        "finish_ticket refused",
        ServiceError,
        Next.FRESH_TICKET,
        "T",
        status=_400,
        words=("校验完结凭证错误",),
    ),
    Row(
        "a debit is running",
        ServiceError,
        Next.ASK,
        "T: it was completed, or there would be no debit",
        status=_400,
        tails=frozenset({"271316754"}),
        words=("单据正在扣款中",),
    ),
    Row(
        "state does not allow completion",
        ServiceError,
        Next.ASK,
        "T",
        status=_400,
        codes=frozenset({"ORDER_DONE", "ORDER_CLOSED", "ORDER_CANCELED"}),
        tails=frozenset({"271302262", "271302332", "271302333"}),
        words=("完结订单状态不合法", "当前订单状态不合法"),
    ),
    Row(
        "rate limited under another status",
        ServiceError,
        Next.RETRY_LATER,
        "T",
        status=_CLIENT_ERRORS,
        codes=frozenset(
            {"FREQUENCY_LIMIT_EXCEED", "FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "RATE_LIMITED"}
        ),
    ),
    Row(
        "4xx without a code of WeChat Pay's",
        ServiceError,
        Next.ASK,
        "D: a page of something in between, which says nothing of the order or the merchant and may pass",
        status=_CLIENT_ERRORS - {429},
        verified=False,
        coded=False,
    ),
    Row("401", ServiceError, Next.REREAD_SECRET, "V: SIGN_ERROR", status=frozenset({401})),
    Row("403", ServiceError, Next.MISCONFIGURED, "V: NO_AUTH", status=frozenset({403})),
    Row("429", ServiceError, Next.RETRY_LATER, "V", status=frozenset({429})),
    Row(
        "refused: PARAM_ERROR, risk cap, times, range, ORDER_NOT_EXIST, any other verified 4xx",
        ServiceError,
        Next.REJECT,
        "V for PARAM_ERROR and ORDER_NOT_EXIST, T for the internal codes",
        status=_CLIENT_ERRORS,
        verified=True,
    ),
    Row(
        "404 not verified",
        ServiceError,
        Next.ASK,
        "D: the query's own 404, verified, ends the order",
        status=frozenset({404}),
        verified=False,
    ),
    Row(
        "4xx not verified",
        ServiceError,
        Next.ASK_THEN_REJECT,
        "D: an unproven refusal ends no order by itself",
        status=_CLIENT_ERRORS,
        verified=False,
    ),
    Row("5xx, 3xx and all else", ServiceError, Next.ASK, "V: SYSTEM_ERROR says the outcome is not known"),
)


# Steps that leave it to Step Functions.
RAISED: dict[Next, type[SettlementError]] = {
    Next.RETRY: WeChatPayUnavailable,
    Next.RETRY_LATER: WeChatPayRateLimited,
    Next.MISCONFIGURED: MerchantMisconfigured,
}


def after_reply(error: WeChatPayError) -> Next:
    """Return what to do about a completion that gave no verified acceptance."""
    return next(row.then for row in REPLIES if row.fits(error))


class Verdict(Enum):
    """What a verified state says about an order that somebody asked to cancel or to finish."""

    OPEN = auto()  # not applied; completing is still possible
    AS_ASKED = auto()  # settled exactly as asked
    CONFLICT = auto()  # settled otherwise
    IMPOSSIBLE = auto()  # never confirmed by the shopper, or expired
    UNCLEAR = auto()  # the answer lacks what it must say


@dataclass(frozen=True)
class Found:
    """One row: a state found, how it was finished, and what that means for each wish.

    Attributes:
        finish_type: as found; None for any.
        cancel: verdict for somebody who asked to cancel.
        finish: verdict for somebody who asked to finish, given the amount agrees.
    """

    state: str
    finish_type: int | None
    cancel: Verdict
    finish: Verdict
    source: str


STATES: tuple[Found, ...] = (
    Found("USER_ACCEPTED", None, Verdict.OPEN, Verdict.OPEN, "V"),
    Found("FINISHED", 1, Verdict.AS_ASKED, Verdict.CONFLICT, "T"),
    Found("FINISHED", 2, Verdict.CONFLICT, Verdict.AS_ASKED, "V"),
    Found("USER_PAID", 2, Verdict.CONFLICT, Verdict.AS_ASKED, "V"),
    Found("REVOKED", None, Verdict.AS_ASKED, Verdict.CONFLICT, "V"),
    Found("CREATED", None, Verdict.IMPOSSIBLE, Verdict.IMPOSSIBLE, "T: the shopper never confirmed it"),
    Found("EXPIRED", None, Verdict.IMPOSSIBLE, Verdict.IMPOSSIBLE, "T"),
)


def of_state(
    *, cancelling: bool, amount: int, state: str, finish_type: int | None, total_amount: int | None
) -> Verdict:
    """Return what a verified state says about an order.

    Args:
        cancelling: whether the order was to be cancelled; otherwise finished with `amount` fen.
        state, finish_type, total_amount: as found; amounts in fen.
    """
    row = next((r for r in STATES if r.state == state and r.finish_type in (None, finish_type)), None)
    if row is None:
        return Verdict.UNCLEAR
    if cancelling:
        return row.cancel
    if row.finish is Verdict.AS_ASKED and total_amount != amount:
        return Verdict.UNCLEAR if total_amount is None else Verdict.CONFLICT
    return row.finish
