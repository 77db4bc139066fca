"""When a refusal ends an order: only when no attempt, of now or before, may have been applied."""

from datetime import datetime

from invocation.attempts import Attempts
from invocation.failure import Failure
from wechatpay.errors import (
    MerchantMisconfigured,
    OrderNotFound,
    OutcomeUnknown,
    Problem,
    ReplyError,
    WeChatPayError,
)
from wechatpay.orders import OrderKey
from wechatpay.reply_rules import Action, ReplyRule, rule_of

from complete_order.order import Order
from complete_order.result import Evidence, Result


class Finality:
    """Says whether a refusal of one order is final.

    Args:
        order: what was asked.
        key: what names it to WeChat Pay; another one once the order is found in another family.
        attempts: what is known of the attempts before this one.
        now: an aware time.

    Attributes:
        may_be_applied: an answer to this invocation's own calls leaves open whether it was applied.
        known: a query of this invocation has found the order: one that finds none then proves nothing.
    """

    def __init__(self, order: Order, key: OrderKey, attempts: Attempts, now: datetime) -> None:
        self.key = key
        self._order = order
        self._first = attempts.first
        # By now a query sees what the attempts before this state's last ten minutes have written (D).
        self._seen_by_every_query = attempts.long_under_way(now)
        self.may_be_applied = False
        self.known = False

    def remember(self, rule: ReplyRule) -> None:
        """Take note of an answer that leaves open whether it was applied."""
        self.may_be_applied |= rule.doubtful

    def allows(self) -> bool:
        """Tell whether a listed refusal is final, now that a verified query shows the order open.

        Signed or not: WeChat Pay's 4xx often carry no signature (V), and what proves it is the query. It also
        tells whether an order may be settled in a family that knows it, while its own knows none of it.
        """
        return not self.may_be_applied and (self._first or self._seen_by_every_query)

    def refused(self, error: ReplyError) -> Result:
        """Return the result of a refusal that is final."""
        return self._rejected("REPLY" if error.problem.verified else "QUERY", error.problem)

    def not_found(self, error: OrderNotFound, after: WeChatPayError | None = None) -> Result:
        """Return the result of an order that a query does not find, when that is final.

        Args:
            error: the query's answer.
            after: what the call before it got; None when nothing was sent.

        Raises:
            OutcomeUnknown: an attempt may have been applied, 404 takes nothing back; or a query found it.
            MerchantMisconfigured: it was asked for by the secret's appid or service_id, which may be wrong.
        """
        problem = f"{self._order.out_order_no}: {error}"
        if self.known:
            raise OutcomeUnknown(f"{problem}; another query has found it a moment ago") from error
        refused = after is None or rule_of(after).then is Action.ASK_IF_UNKNOWN
        if self.may_be_applied or not self._first or not refused:
            before = after or "an earlier attempt"
            raise OutcomeUnknown(f"{problem}; it may have been applied by: {before}") from error
        if not (self._order.appid and self._order.service_id):
            raise MerchantMisconfigured(
                f"{problem}; is it the appid and service_id of the secret?"
            ) from error
        if isinstance(after, ReplyError) and after.problem.verified:
            return self._rejected("REPLY", after.problem)
        return self._rejected("QUERY", error.problem)

    def _rejected(self, evidence: Evidence, problem: Problem) -> Result:
        return Result.failed(self._order, self.key, evidence, Failure.quoting("REJECTED", problem))
