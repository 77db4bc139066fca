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


class Action(Enum):
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
class ReplyRule:
    """One row of the table.

    Attributes:
        name: what came back, for people and test names.
        error: the kind of error it is.
        then: what to do.
        source: how this is known.
        status: HTTP statuses; empty for any.
        codes, internal_codes, phrases: codes, internal codes (end of Request-ID), parts of the message;
            one of them must fit when any are given.
        verified: required state of the signature; None for either.
        coded: whether it must, or must not, carry a code of WeChat Pay's; None for either.
    """

    name: str
    error: type[WeChatPayError]
    then: Action
    source: str
    status: frozenset[int] = frozenset()
    codes: frozenset[str] = frozenset()
    internal_codes: frozenset[str] = frozenset()
    phrases: tuple[str, ...] = ()
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
        if not (self.codes or self.internal_codes or self.phrases):
            return True
        said = problem.message + problem.detail
        return (
            problem.code in self.codes
            or problem.internal_code in self.internal_codes
            or any(phrase in said for phrase in self.phrases)
        )


_400 = frozenset({400})
_CLIENT_ERRORS = frozenset(range(400, 500))

REPLIES: tuple[ReplyRule, ...] = (
    ReplyRule(
        "nothing sent to any host", NothingSent, Action.RETRY, "V: no byte left, nothing can be applied"
    ),
    ReplyRule("no whole reply", NoAnswer, Action.ASK, "V: may have been applied"),
    ReplyRule("2xx not verified", Unverifiable, Action.ASK, "V: an unsigned 2xx proves nothing"),
    ReplyRule(
        "202, 204, another shape or order", UnexpectedReply, Action.ASK, "I: not what a 200 must carry"
    ),
    ReplyRule(
        "re-entry with other parameters",
        ServiceError,
        Action.ASK,
        "V: proves that a first completion exists",
        status=_400,
        internal_codes=frozenset({"271316598"}),
        phrases=("订单重入参数校验失败",),
    ),
    ReplyRule(
        "finish_ticket refused",
        ServiceError,
        Action.FRESH_TICKET,
        "T",
        status=_400,
        phrases=("校验完结凭证错误",),
    ),
    ReplyRule(
        "a debit is running",
        ServiceError,
        Action.ASK,
        "T: it was completed, or there would be no debit",
        status=_400,
        internal_codes=frozenset({"271316754"}),
        phrases=("单据正在扣款中",),
    ),
    ReplyRule(
        "state does not allow completion",
        ServiceError,
        Action.ASK,
        "T",
        status=_400,
        codes=frozenset({"ORDER_DONE", "ORDER_CLOSED", "ORDER_CANCELED"}),
        internal_codes=frozenset({"271302262", "271302332", "271302333"}),
        phrases=("完结订单状态不合法", "当前订单状态不合法"),
    ),
    ReplyRule(
        "rate limited under another status",
        ServiceError,
        Action.RETRY_LATER,
        "T",
        status=_CLIENT_ERRORS,
        codes=frozenset(
            {"FREQUENCY_LIMIT_EXCEED", "FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "RATE_LIMITED"}
        ),
    ),
    ReplyRule(
        "4xx without a code of WeChat Pay's",
        ServiceError,
        Action.ASK,
        "D: a page of something in between, which says nothing of the order or the merchant and may pass",
        status=_CLIENT_ERRORS - {429},
        verified=False,
        coded=False,
    ),
    ReplyRule("401", ServiceError, Action.REREAD_SECRET, "V: SIGN_ERROR", status=frozenset({401})),
    ReplyRule("403", ServiceError, Action.MISCONFIGURED, "V: NO_AUTH", status=frozenset({403})),
    ReplyRule("429", ServiceError, Action.RETRY_LATER, "V", status=frozenset({429})),
    ReplyRule(
        "refused: PARAM_ERROR, risk cap, times, range, ORDER_NOT_EXIST, any other verified 4xx",
        ServiceError,
        Action.REJECT,
        "V for PARAM_ERROR and ORDER_NOT_EXIST, T for the internal codes",
        status=_CLIENT_ERRORS,
        verified=True,
    ),
    ReplyRule(
        "404 not verified",
        ServiceError,
        Action.ASK,
        "D: the query's own 404, verified, ends the order",
        status=frozenset({404}),
        verified=False,
    ),
    ReplyRule(
        "4xx not verified",
        ServiceError,
        Action.ASK_THEN_REJECT,
        "D: an unproven refusal ends no order by itself",
        status=_CLIENT_ERRORS,
        verified=False,
    ),
    ReplyRule(
        "5xx, 3xx and all else", ServiceError, Action.ASK, "V: SYSTEM_ERROR says the outcome is not known"
    ),
)


# Steps that leave it to Step Functions.
ERRORS: dict[Action, type[SettlementError]] = {
    Action.RETRY: WeChatPayUnavailable,
    Action.RETRY_LATER: WeChatPayRateLimited,
    Action.MISCONFIGURED: MerchantMisconfigured,
}


def after_reply(error: WeChatPayError) -> Action:
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
class StateRule:
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


STATES: tuple[StateRule, ...] = (
    StateRule("USER_ACCEPTED", None, Verdict.OPEN, Verdict.OPEN, "V"),
    StateRule("FINISHED", 1, Verdict.AS_ASKED, Verdict.CONFLICT, "T"),
    StateRule("FINISHED", 2, Verdict.CONFLICT, Verdict.AS_ASKED, "V"),
    StateRule("USER_PAID", 2, Verdict.CONFLICT, Verdict.AS_ASKED, "V"),
    StateRule("REVOKED", None, Verdict.AS_ASKED, Verdict.CONFLICT, "V"),
    StateRule("CREATED", None, Verdict.IMPOSSIBLE, Verdict.IMPOSSIBLE, "T: the shopper never confirmed it"),
    StateRule("EXPIRED", None, Verdict.IMPOSSIBLE, Verdict.IMPOSSIBLE, "T"),
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
