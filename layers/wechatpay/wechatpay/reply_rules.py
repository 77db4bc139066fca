"""What every answer means, in one place, as data: first the replies to a completion, then the queried states.

The first row that fits decides. `source` says how sure a row is: V official text or SDK code, T a copy of the
retired official page, I inferred, D a decision of this project. One test per row runs the real function.
"""

from enum import Enum, auto
from typing import NamedTuple

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
    """What to do after a completion, or a cancellation, that gave no verified acceptance."""

    ASK = auto()  # query; still open: raise for Retry
    ASK_THEN_NEXT_HOST = auto()  # query; still open: the same bytes once to the next host, then Retry
    ASK_ACCEPTED = auto()  # it was accepted once: a query that says open is a reader behind the writer
    ASK_THEN_NEW_TICKET = auto()  # query; still open: once more with its ticket, then Retry
    ASK_THEN_REPEAT = auto()  # query; still open: once more with its ticket; refused again, it is final
    ASK_THEN_REJECT = auto()  # query; still open: it is final
    ASK_IF_UNKNOWN = auto()  # final only when a query says too that there is no such order
    REREAD_SECRET = auto()  # read the secret again, send once more; refused again, misconfigured
    REREAD_KEYS = auto()  # the same, and for a merchant of certificates download these
    MISCONFIGURED = auto()  # somebody must change something; the order is good
    RETRY = auto()  # nothing was applied, for sure
    RETRY_LATER = auto()  # too many requests


class ReplyRule(NamedTuple):
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
        doubtful: WeChat Pay may have applied it, so that no refusal of this invocation ends the order.
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
    doubtful: bool = False

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
        text = _plain(problem.message + problem.detail)
        return (
            problem.code in self.codes
            or problem.internal_code in self.internal_codes
            or any(_plain(phrase) in text for phrase in self.phrases)
        )


def _plain(text: str) -> str:
    """Return a text as phrases are looked for in it: copies of one message differ in spaces and capitals."""
    return "".join(text.split()).lower()


_400 = frozenset({400})
_200 = frozenset({200})
_CLIENT_ERRORS = frozenset(range(400, 500))
RATE_CODES = frozenset({"FREQUENCY_LIMIT_EXCEED", "FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "RATE_LIMITED"})
UNLISTED = "any other 4xx"

# FAILED comes only of the rows ASK_THEN_REPEAT, ASK_THEN_REJECT and ASK_IF_UNKNOWN: a closed list. What
# nobody foresaw is retried, and counted.
REPLIES: tuple[ReplyRule, ...] = (
    ReplyRule(
        "nothing sent to any host", NothingSent, Action.RETRY, "V: no byte left, nothing can be applied"
    ),
    ReplyRule(
        "no whole reply", NoAnswer, Action.ASK_THEN_NEXT_HOST, "V: may have been applied", doubtful=True
    ),
    ReplyRule(
        "2xx not verified",
        Unverifiable,
        Action.ASK_THEN_NEXT_HOST,
        "V: an unsigned 2xx proves nothing",
        doubtful=True,
    ),
    ReplyRule(
        "200 that contradicts what was asked",
        UnexpectedReply,
        Action.ASK_ACCEPTED,
        "D: genuine, and another order, amount or shape: a query has to tell",
        status=_200,
        doubtful=True,
    ),
    ReplyRule("202, 204", UnexpectedReply, Action.ASK, "I: not what a 200 must carry", doubtful=True),
    ReplyRule(
        "rate limited",
        ServiceError,
        Action.RETRY_LATER,
        "T: codes and internal code under any 4xx",
        status=_CLIENT_ERRORS,
        codes=RATE_CODES,
        internal_codes=frozenset({"268435472"}),
    ),
    ReplyRule("429", ServiceError, Action.RETRY_LATER, "V", status=frozenset({429})),
    ReplyRule(
        "4xx without a code of WeChat Pay's",
        ServiceError,
        Action.ASK,
        "D: a page of something in between, which says nothing of the order or the merchant and may pass",
        status=_CLIENT_ERRORS,
        verified=False,
        coded=False,
    ),
    ReplyRule(
        "re-entry with other parameters",
        ServiceError,
        Action.ASK_ACCEPTED,
        "V: proves that a first completion exists",
        status=_400,
        internal_codes=frozenset({"271316598"}),
        phrases=("订单重入参数校验失败",),
        doubtful=True,
    ),
    ReplyRule(
        "a debit is running or has failed",
        ServiceError,
        Action.ASK_ACCEPTED,
        "V: it was completed, or there would be no debit; a failed debit is no failed completion",
        status=_400,
        internal_codes=frozenset({"271316754", "271316574"}),
        phrases=("单据正在扣款中", "支付分扣款失败"),
        doubtful=True,
    ),
    ReplyRule(
        "state does not allow it",
        ServiceError,
        Action.ASK,
        "T: says not which state, and an open order was seen to get it; I for serviceorder's 271316657",
        status=_400,
        codes=frozenset({"ORDER_DONE", "ORDER_CLOSED", "ORDER_CANCELED", "INVALID_ORDER_STATE"}),
        internal_codes=frozenset({"271302262", "271302332", "271302333", "271316592", "271316657"}),
        phrases=("订单状态不合法", "单据状态错误", "订单状态不允许取消"),
        doubtful=True,
    ),
    ReplyRule(
        "finish_ticket refused",
        ServiceError,
        Action.ASK_THEN_NEW_TICKET,
        "T: a ticket is never a final reason",
        status=_400,
        phrases=("完结凭证", "finish_ticket"),
    ),
    ReplyRule(
        "Wechatpay-Serial refused",
        ServiceError,
        Action.REREAD_KEYS,
        "T: three SDKs' issue lists",
        status=_400,
        phrases=("Wechatpay-Serial错误",),
    ),
    ReplyRule(
        "signature refused",
        ServiceError,
        Action.REREAD_SECRET,
        "V: SIGN_ERROR",
        status=_CLIENT_ERRORS,
        codes=frozenset({"SIGN_ERROR"}),
        internal_codes=frozenset({"270924332"}),
    ),
    ReplyRule("401", ServiceError, Action.REREAD_SECRET, "V: SIGN_ERROR", status=frozenset({401})),
    ReplyRule(
        "the merchant's set-up",
        ServiceError,
        Action.MISCONFIGURED,
        "T for the internal codes, V for NO_AUTH, I for the other codes: they speak of no order",
        status=_CLIENT_ERRORS,
        codes=frozenset({"NO_AUTH", "APPID_MCHID_NOT_MATCH", "MCH_NOT_EXISTS"}),
        internal_codes=frozenset({"271302144", "271302149", "268503786"}),
        phrases=("mch_id 不存在", "mch_id 和 appid 未绑定", "无权限"),
    ),
    ReplyRule("403", ServiceError, Action.MISCONFIGURED, "V: NO_AUTH", status=frozenset({403})),
    ReplyRule(
        "risk cap, end before start, out of range",
        ServiceError,
        Action.ASK_THEN_REJECT,
        "T",
        status=_400,
        internal_codes=frozenset({"271316656", "271316637", "268435464"}),
        phrases=("风险金额",),
    ),
    ReplyRule(
        "the times: clocks differ",
        ServiceError,
        Action.ASK,
        "T: the end is after WeChat Pay's own clock for some seconds; V: the names of both APIs' fields",
        status=_400,
        phrases=("结束时间", "开始时间", "服务时间", "start_time", "end_time", "time_range"),
    ),
    ReplyRule(
        "appid, service_id, mchid: the merchant's set-up",
        ServiceError,
        Action.MISCONFIGURED,
        "D: what speaks of the set-up is never final: the order is good, the secret may be bad; V: the names",
        status=_400,
        phrases=("appid", "service_id", "mchid", "mch_id", "公众账号ID", "服务ID", "商户号"),
    ),
    ReplyRule(
        "PARAM_ERROR",
        ServiceError,
        Action.ASK_THEN_REPEAT,
        "V",
        status=_400,
        codes=frozenset({"PARAM_ERROR"}),
    ),
    ReplyRule(
        "404 ORDER_NOT_EXIST",
        ServiceError,
        Action.ASK_IF_UNKNOWN,
        "V: but with an appid or service_id that is wrong a good order is not found either",
        status=frozenset({404}),
        codes=frozenset({"ORDER_NOT_EXIST"}),
        internal_codes=frozenset({"271317510"}),
    ),
    ReplyRule(
        UNLISTED,
        ServiceError,
        Action.ASK,
        "D: what nobody foresaw is retried, then kept for a person",
        status=_CLIENT_ERRORS,
        doubtful=True,
    ),
    ReplyRule(
        "5xx, 3xx and all else",
        ServiceError,
        Action.ASK_THEN_NEXT_HOST,
        "V: SYSTEM_ERROR says the outcome is not known",
        doubtful=True,
    ),
)


# Steps that leave it to Step Functions.
ERRORS: dict[Action, type[SettlementError]] = {
    Action.RETRY: WeChatPayUnavailable,
    Action.RETRY_LATER: WeChatPayRateLimited,
    Action.MISCONFIGURED: MerchantMisconfigured,
}


def rule_of(error: WeChatPayError) -> ReplyRule:
    """Return the row that decides about a call that gave no verified acceptance."""
    return next(row for row in REPLIES if row.fits(error))


class Verdict(Enum):
    """What a verified state says about an order that somebody asked to cancel or to finish."""

    OPEN = auto()  # not applied; completing is still possible
    UNCONFIRMED = auto()  # the shopper has not confirmed it yet: it can be cancelled, by another call
    NOT_READY = auto()  # the same, and it was to be finished: the shopper may still confirm
    AS_ASKED = auto()  # settled exactly as asked
    CONFLICT = auto()  # settled otherwise
    IMPOSSIBLE = auto()  # expired
    UNCLEAR = auto()  # the answer lacks what it must say


STILL_OPEN = (Verdict.OPEN, Verdict.UNCONFIRMED, Verdict.NOT_READY)


class StateRule(NamedTuple):
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
    StateRule("CREATED", None, Verdict.UNCONFIRMED, Verdict.NOT_READY, "T: not yet, for an hour"),
    StateRule("EXPIRED", None, Verdict.AS_ASKED, Verdict.IMPOSSIBLE, "T: nothing can be charged any more"),
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
