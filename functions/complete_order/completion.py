"""Settling one order: complete it, and when the answer proves nothing, ask before saying anything.

What each answer means stands in `wechatpay.reply_rules`; here is what follows from it.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from invocation.attempts import Attempts
from wechatpay.client import Client
from wechatpay.errors import (
    MerchantMisconfigured,
    OrderNotFound,
    OutcomeUnknown,
    ReplyError,
    SettlementError,
    WeChatPayError,
    WeChatPayUnavailable,
)
from wechatpay.find_order import REREADS, deciding_rule, find_in_any, find_order, query_once, reread
from wechatpay.order_apis import api_of
from wechatpay.orders import Accepted, OrderKey, OrderState
from wechatpay.reply_rules import ERRORS, Action, ReplyRule, Verdict

from complete_order.event_rules import CANCEL
from complete_order.finality import Finality
from complete_order.judgement import Judgement
from complete_order.order import InvalidOrder, Order
from complete_order.result import Result

_PLACE = "real_service_end_location"


class Completion:
    """The settling of one order, in one invocation.

    Args:
        order: what was asked.
        key: what names it to WeChat Pay.
        client: makes the calls, within the invocation's deadline.
        attempts: what is known of the attempts before this one.
        unmanned_retail: whether the merchant's goods are named by the rules of unmanned retail.
        decided: receives the row that decides about a call without a verified acceptance.
        now: an aware time.
    """

    def __init__(
        self,
        order: Order,
        key: OrderKey,
        client: Client,
        attempts: Attempts = Attempts(),  # noqa: B008 - frozen
        *,
        unmanned_retail: bool = True,
        decided: Callable[[ReplyRule], None] = lambda rule: None,
        now: datetime | None = None,
    ) -> None:
        self._order = order
        self._client = client
        self._unmanned_retail = unmanned_retail
        self._decided = decided
        self._finality = Finality(order, key, attempts, now or datetime.now(UTC))
        self._first = attempts.first
        self._ticket = order.finish_ticket
        self._confirmed = True
        self._tried: set[Action] = set()
        self._parameters: Mapping[str, Any] = {}
        self._enter(key)

    def run(self) -> Result:
        """Settle the order.

        Returns:
            A result that is proven: by a verified reply, or by a verified query.

        Raises:
            SettlementError: it may still succeed; which of its kinds says what to do.
            InvalidOrder: the API the order belongs to does not take it as it is; nothing was applied.
        """
        try:
            self._parameters = self._parameters_here()
        except InvalidOrder:
            if not self._guessed:
                raise
        if self._asks_first() and (result := self._before_sending()) is not None:
            return result
        while True:
            try:
                accepted = self._send()
            except WeChatPayError as error:
                if (result := self._after(error)) is not None:
                    return result
            else:
                return Result.settled(self._order, self._key, "REPLY", accepted.request_id, accepted.order_id)

    def _enter(self, key: OrderKey) -> None:
        """Take the order for one of the family that this key names."""
        self._key = self._finality.key = key
        self._judgement = Judgement(self._order, key)
        # Empty until it is known that this family takes the order.
        self._parameters = {}

    def _parameters_here(self) -> Mapping[str, Any]:
        return self._order.parameters_for(self._key.order_api, unmanned_retail=self._unmanned_retail)

    @property
    def _guessed(self) -> bool:
        """Whether the order may be of another family."""
        return len(self._order.keys(self._key)) > 1

    def _asks_first(self) -> bool:
        """Tell whether a query comes before the call: for the ticket; or for proof that nothing is owed yet.

        Or, when there were attempts before, for what keeps a refusal by no known code from coming for ever:
        proof that the order is of this family, which nobody named, and the place where the service began.
        """
        if not self._parameters:  # the guessed family does not take the order, which may be of one that does
            return True
        if api_of(self._key).TAKES_TICKET:
            return self._ticket is None or (not self._first and _PLACE in self._parameters)
        return self._order.finish_type == CANCEL or (self._guessed and not self._first)

    def _before_sending(self) -> Result | None:
        """Query the order; None when it can be settled."""
        try:
            state = find_order(self._client, self._key)
        except OrderNotFound as error:
            return self._elsewhere(error)
        return self._judged(state)

    def _judged(self, state: OrderState) -> Result | None:
        """Return the result that a state proves by itself; None when the order can be settled."""
        self._finality.known = True
        if not self._parameters and self._judgement.is_open(state):
            self._parameters = self._parameters_here()
        if (result := self._judgement.result(state)) is not None:
            return result
        self._confirmed = self._judgement.verdict(state) is not Verdict.UNCONFIRMED
        if self._confirmed:
            self._leave_out_place(state)
            if self._ticket is None:
                self._take_ticket(state)
        return None

    def _elsewhere(self, error: OrderNotFound, after: WeChatPayError | None = None) -> Result | None:
        """Ask the other families for an order that its own does not know; None when it can be settled there.

        What may have been applied is sent to no other family. What an earlier attempt may have applied is not
        remembered here: it is settled elsewhere only after the time in which every query would show it.
        """
        others = self._order.keys(self._key)[1:]
        if self._finality.may_be_applied or self._finality.known or not others:
            return self._finality.not_found(error, after)
        try:
            key, state = find_in_any(self._client, others)
        except OrderNotFound:
            return self._finality.not_found(error, after)
        here = self._key.order_api
        self._enter(key)
        settled = self._judgement.verdict(state) is Verdict.AS_ASKED
        if not settled and not self._finality.allows():
            problem = self._saying(f"{here} does not know it, and {key.order_api} says {state}")
            raise OutcomeUnknown(f"{problem}; an earlier attempt may have been applied") from error
        return self._judged(state)

    def _send(self) -> Accepted:
        """Complete the order; or cancel it by the call for orders that the shopper has not confirmed."""
        api = api_of(self._key)
        if not self._confirmed:
            return api.cancel(self._client, self._key, str(self._order.parameters["cancel_reason"]))
        ticket = {"finish_ticket": self._ticket} if api.TAKES_TICKET else {}
        return api.complete(self._client, self._key, {**self._parameters, **ticket})

    def _take_ticket(self, state: OrderState) -> None:
        """Send the ticket that the query gave, where the API takes one."""
        if not api_of(self._key).TAKES_TICKET:
            return
        if not state.finish_ticket:
            raise WeChatPayUnavailable(f"{self._order.out_order_no}: the query gave no finish_ticket")
        self._ticket = state.finish_ticket

    def _leave_out_place(self, state: OrderState) -> None:
        """Send no end at the place where the service began (T: it must be absent)."""
        if state.start_location is not None and self._parameters.get(_PLACE) == state.start_location:
            self._parameters = {name: value for name, value in self._parameters.items() if name != _PLACE}

    def _after(self, error: WeChatPayError) -> Result | None:
        """Return the result this error leads to, None to send once more, or raise."""
        rule = deciding_rule(self._client, error)
        self._decided(rule)
        if reread(self._client, rule.then):
            # Meanwhile somebody may have completed an order of serviceorder: cancelling would waive the debt.
            return self._before_sending() if self._asks_first() else None
        if raised := MerchantMisconfigured if rule.then in REREADS else ERRORS.get(rule.then):
            raise raised(self._saying(error)) from error
        self._finality.remember(rule)
        try:
            state = query_once(self._client, self._key)
        except OrderNotFound as not_found:
            return self._elsewhere(not_found, after=error)
        except (WeChatPayError, SettlementError) as silent:  # the latter: the secret cannot be read just now
            raise OutcomeUnknown(f"{self._saying(error)}; and the query: {silent}") from silent
        self._finality.known = True
        if rule.then is Action.ASK_ACCEPTED and self._judgement.is_open(state):
            raise OutcomeUnknown(f"{self._saying(error)}; and a query, behind it, says {state}") from error
        if (result := self._judgement.result(state)) is not None:
            return result
        if self._confirmed and self._judgement.verdict(state) is Verdict.UNCONFIRMED:
            self._confirmed = False
            return None
        if not self._confirmed and self._judgement.verdict(state) is Verdict.OPEN:
            # Refused was the call for orders that are not confirmed: the next attempt makes the other one.
            raise WeChatPayUnavailable(
                f"{self._saying(error)}; the shopper confirmed it meanwhile"
            ) from error
        return self._while_open(rule, error, state)

    def _while_open(self, rule: ReplyRule, error: WeChatPayError, state: OrderState) -> Result | None:
        """Return the result of a refusal while a verified query shows the order open, None to send once more.

        What may have been applied is sent again only as the same bytes, until a verified refusal; a ticket is
        replaced by the query's only after one. WeChat Pay's 4xx often carry no signature (V): where nothing
        can have been applied, the query behind an unsigned one is enough to leave the place out.
        """
        action = rule.then
        if action is Action.ASK_THEN_NEXT_HOST and self._client.next_host():
            return None
        if action in (Action.ASK_THEN_NEW_TICKET, Action.ASK_THEN_REPEAT) and action not in self._tried:
            self._tried.add(action)
            verified = isinstance(error, ReplyError) and error.problem.verified
            if self._confirmed and (verified or not self._finality.may_be_applied):
                self._leave_out_place(state)
            if self._confirmed and verified:
                self._take_ticket(state)
            return None
        if action in (Action.ASK_THEN_REPEAT, Action.ASK_THEN_REJECT) and isinstance(error, ReplyError):
            if self._finality.allows():
                return self._finality.refused(error)
            problem = f"{self._saying(error)}; not final yet: an earlier attempt may have been applied"
            raise WeChatPayUnavailable(problem) from error
        raise WeChatPayUnavailable(f"{self._saying(error)}; a query says it is still open") from error

    def _saying(self, error: object) -> str:
        return f"{self._order.out_order_no}: {error}"
