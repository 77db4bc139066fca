"""Settling one order: complete it, and when the answer proves nothing, ask before saying anything.

What each answer means stands in `wechatpay.decisions`; here is what follows from it.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from invocation.attempts import Attempts
from wechatpay.client import Client
from wechatpay.decisions import ERRORS, UNLISTED, Action, ReplyRule, Verdict, rule_of
from wechatpay.errors import (
    MerchantMisconfigured,
    OrderNotFound,
    OutcomeUnknown,
    Problem,
    ReplyError,
    SettlementError,
    WeChatPayError,
    WeChatPayUnavailable,
)
from wechatpay.lookup import REREADS, find_order, query_once, reread
from wechatpay.order_apis import api_of
from wechatpay.orders import Accepted, OrderKey, OrderState

from complete_order.finality import Finality
from complete_order.judgement import Judgement
from complete_order.order import Order
from complete_order.result import Result


class Completion:
    """The settling of one order, in one invocation.

    Args:
        order: what was asked.
        key: what names it to WeChat Pay.
        client: makes the calls, within the invocation's deadline.
        attempts: what is known of the attempts before this one.
        unlisted: told of a refusal that is on no row of the table.
        now: an aware time.
    """

    def __init__(
        self,
        order: Order,
        key: OrderKey,
        client: Client,
        attempts: Attempts = Attempts(),  # noqa: B008 - frozen
        *,
        unlisted: Callable[[Problem], None] = lambda problem: None,
        now: datetime | None = None,
    ) -> None:
        self._order = order
        self._key = key
        self._client = client
        self._unlisted = unlisted
        self._judgement = Judgement(order, key)
        self._finality = Finality(order, key, attempts, now or datetime.now(UTC))
        self._ticket = order.finish_ticket
        self._confirmed = True
        self._tried: set[Action] = set()

    def run(self) -> Result:
        """Settle the order.

        Returns:
            A result that is proven: by a verified reply, or by a verified query.

        Raises:
            SettlementError: it may still succeed; which of its kinds says what to do.
        """
        if self._ticket is None and (result := self._before_sending()) is not None:
            return result
        while True:
            try:
                accepted = self._send()
            except WeChatPayError as error:
                if (result := self._after(error)) is not None:
                    return result
            else:
                return Result.settled(self._order, self._key, "REPLY", accepted.request_id, accepted.order_id)

    def _before_sending(self) -> Result | None:
        """Query for the ticket; None when the order can be settled."""
        try:
            state = find_order(self._client, self._key)
        except OrderNotFound as error:
            return self._finality.not_found(error)
        if (result := self._judgement.result(state)) is not None:
            return result
        self._confirmed = self._judgement.verdict(state) is not Verdict.UNCONFIRMED
        if self._confirmed:
            self._take_ticket(state)
        return None

    def _send(self) -> Accepted:
        """Complete the order; or cancel it by the call for orders that the shopper has not confirmed."""
        api = api_of(self._key)
        if not self._confirmed:
            return api.cancel(self._client, self._key, str(self._order.parameters["cancel_reason"]))
        return api.complete(
            self._client, self._key, {**self._order.parameters, "finish_ticket": self._ticket}
        )

    def _take_ticket(self, state: OrderState) -> None:
        if state.finish_ticket is None:
            raise WeChatPayUnavailable(f"{self._order.out_order_no}: the query gave no finish_ticket")
        self._ticket = state.finish_ticket

    def _after(self, error: WeChatPayError) -> Result | None:
        """Return the result this error leads to, None to send once more, or raise."""
        rule = rule_of(error)
        if rule.name == UNLISTED and isinstance(error, ReplyError):
            self._unlisted(error.problem)
        if reread(self._client, rule.then):
            return None
        if raised := MerchantMisconfigured if rule.then in REREADS else ERRORS.get(rule.then):
            raise raised(self._saying(error)) from error
        self._finality.remember(rule)
        try:
            state = query_once(self._client, self._key)
        except OrderNotFound as not_found:
            return self._finality.not_found(not_found, after=error)
        except (WeChatPayError, SettlementError) as silent:  # the latter: the secret cannot be read just now
            raise OutcomeUnknown(f"{self._saying(error)}; and the query: {silent}") from silent
        if rule.then is Action.ASK_ACCEPTED and self._judgement.is_open(state):
            raise OutcomeUnknown(f"{self._saying(error)}; and a query, behind it, says {state}") from error
        if (result := self._judgement.result(state)) is not None:
            return result
        if self._confirmed and self._judgement.verdict(state) is Verdict.UNCONFIRMED:
            self._confirmed = False
            return None
        return self._while_open(rule, error, state)

    def _while_open(self, rule: ReplyRule, error: WeChatPayError, state: OrderState) -> Result | None:
        """Return the result of a refusal while a verified query shows the order open, None to send once more.

        What was applied already may be sent again only as the same bytes: a ticket is replaced by the
        query's only after a verified refusal.
        """
        action = rule.then
        if action is Action.ASK_THEN_NEXT_HOST and self._client.next_host():
            return None
        if action in (Action.ASK_THEN_NEW_TICKET, Action.ASK_THEN_REPEAT) and action not in self._tried:
            self._tried.add(action)
            if self._confirmed and isinstance(error, ReplyError) and error.problem.verified:
                self._take_ticket(state)
            return None
        if action in (Action.ASK_THEN_REPEAT, Action.ASK_THEN_REJECT) and isinstance(error, ReplyError):
            if self._finality.allows():
                return self._finality.refused(error)
            told = f"{self._saying(error)}; not final yet: an earlier attempt may have been applied"
            raise WeChatPayUnavailable(told) from error
        raise WeChatPayUnavailable(f"{self._saying(error)}; a query says it is still open") from error

    def _saying(self, error: Exception) -> str:
        return f"{self._order.out_order_no}: {error}"
