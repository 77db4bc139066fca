"""What a verified state of an order proves about what was asked."""

from typing import NamedTuple

from invocation.failure import Category, Failure
from wechatpay.errors import OutcomeUnknown, WeChatPayUnavailable
from wechatpay.orders import OrderKey, OrderState
from wechatpay.reply_rules import STILL_OPEN, Verdict, of_state

from complete_order.event_rules import CANCEL
from complete_order.order import Wanted
from complete_order.result import Result


class Judgement(NamedTuple):
    """Judges the states of one order.

    Attributes:
        order: what was asked.
        key: what names it to WeChat Pay.
    """

    order: Wanted
    key: OrderKey

    def verdict(self, state: OrderState) -> Verdict:
        """Return what the table of states says."""
        return of_state(
            cancelling=self.order.finish_type == CANCEL,
            amount=self.order.total_amount,
            state=state.state,
            finish_type=state.finish_type,
            total_amount=state.total_amount,
        )

    def is_open(self, state: OrderState) -> bool:
        """Tell whether the order is neither settled nor expired."""
        return self.verdict(state) in STILL_OPEN

    def result(self, state: OrderState) -> Result | None:
        """Return the result a state proves; None while the order can be settled.

        Raises:
            WeChatPayUnavailable: the shopper has not confirmed it yet.
            OutcomeUnknown: the answer lacks what it must say.
        """
        match self.verdict(state):
            case Verdict.OPEN | Verdict.UNCONFIRMED:
                return None
            case Verdict.AS_ASKED:
                return Result.settled(self.order, self.key, "QUERY", state.request_id)
            case Verdict.CONFLICT:
                return self._failed("CONFLICT", "the order is already settled otherwise", state)
            case Verdict.IMPOSSIBLE:
                return self._failed("REJECTED", "the order cannot be completed any more", state)
            case Verdict.NOT_READY:
                reason = f"{self.order.out_order_no}: the shopper has not confirmed it yet: {state}"
                raise WeChatPayUnavailable(reason, order_not_ready=True)
        raise OutcomeUnknown(f"{self.order.out_order_no}: a query says only {state}")

    def _failed(self, category: Category, message: str, state: OrderState) -> Result:
        return Result.failed(self.order, self.key, "QUERY", Failure.of_state(category, message, state))
