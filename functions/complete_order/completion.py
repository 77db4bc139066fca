"""Settling one order: complete it, and when the answer proves nothing, ask before saying anything.

What each answer means stands in `wechatpay.decisions`; here is what follows from it.
"""

from http import HTTPStatus
from typing import TypeGuard

from invocation.failure import Failure
from wechatpay.client import Client
from wechatpay.decisions import ERRORS, Action, Verdict, after_reply, of_state
from wechatpay.errors import (
    OutcomeUnknown,
    ReplyError,
    ServiceError,
    SettlementError,
    WeChatPayError,
    WeChatPayUnavailable,
)
from wechatpay.lookup import find_order
from wechatpay.order_apis import api_of
from wechatpay.orders import OrderKey, OrderState

from complete_order.order import Order
from complete_order.result import Evidence, Result
from complete_order.rules import CANCEL


class Completion:
    """The settling of one order, in one invocation.

    Args:
        order: what was asked.
        key: what names it to WeChat Pay.
        client: makes the calls, within the invocation's deadline.
    """

    def __init__(self, order: Order, key: OrderKey, client: Client) -> None:
        self._order = order
        self._key = key
        self._client = client
        self._ticket = order.finish_ticket
        self._refused: set[Action] = set()

    def run(self) -> Result:
        """Settle the order.

        Returns:
            A result that is proven: by a verified reply, or by a verified query.

        Raises:
            SettlementError: it may still succeed; which of its kinds says what to do.
        """
        if self._ticket is None:
            found = self._look_before_sending()
            if isinstance(found, Result):
                return found
            self._ticket = self._ticket_of(found)
        while True:
            try:
                accepted = api_of(self._key).complete(self._client, self._key, self._parameters())
            except WeChatPayError as error:
                result = self._after(error)
                if result is not None:
                    return result
            else:
                return Result.settled(
                    self._order, self._key, "REPLY", accepted.request_id, order_id=accepted.order_id
                )

    def _ticket_of(self, found: OrderState) -> str:
        if found.finish_ticket is None:
            raise WeChatPayUnavailable(f"{self._order.out_order_no}: the query gave no finish_ticket")
        return found.finish_ticket

    def _parameters(self) -> dict[str, object]:
        return {**self._order.parameters, "finish_ticket": self._ticket}

    def _after(self, error: WeChatPayError) -> Result | None:
        """Return the result this error leads to, None to send once more, or raise."""
        step = after_reply(error)
        if step is Action.REREAD_SECRET:
            if self._client.reread_secret():
                return None
            step = Action.MISCONFIGURED
        if step in ERRORS:
            raise ERRORS[step](self._saying(error)) from error
        found = self._ask(error)
        if isinstance(found, Result):
            return found
        if step is Action.REJECT and isinstance(error, ReplyError):
            return self._rejected("REPLY", error)
        if step in (Action.ASK_THEN_REJECT, Action.FRESH_TICKET) and isinstance(error, ReplyError):
            if step in self._refused:
                return self._rejected("QUERY", error)
            self._refused.add(step)
            if step is Action.FRESH_TICKET:
                self._ticket = self._ticket_of(found)
            return None
        raise WeChatPayUnavailable(f"{self._saying(error)}; a query says it is still open") from error

    def _look_before_sending(self) -> OrderState | Result:
        """Query for the ticket. Whatever goes wrong here, nothing was sent to be applied."""
        try:
            return self._judged(find_order(self._client, self._key))
        except ServiceError as error:
            return self._rejected("QUERY", error)

    def _ask(self, unclear: WeChatPayError) -> OrderState | Result:
        """Find out by a verified query what became of a completion that was not accepted.

        A proven refusal is asked about too: an earlier attempt, whose answer was lost, may have been applied.

        Raises:
            OutcomeUnknown: the query could not tell.
        """
        try:
            found = api_of(self._key).query(self._client, self._key)
        except (WeChatPayError, SettlementError) as error:  # the latter: the secret cannot be read just now
            if _is_refusal(unclear) and _is_refusal(error):
                return self._rejected("REPLY", unclear)
            if _is_unknown(error) and not _shows_the_order(unclear):
                return self._rejected("QUERY", error)
            told = f"{self._saying(unclear)}; and the query: {error}"
            raise OutcomeUnknown(told) from error
        return self._judged(found)

    def _judged(self, found: OrderState) -> OrderState | Result:
        """Return the state while the order is open, otherwise the result it proves.

        Raises:
            OutcomeUnknown: the answer lacks what it must say.
        """
        order = self._order
        verdict = of_state(
            cancelling=order.finish_type == CANCEL,
            amount=order.total_amount,
            state=found.state,
            finish_type=found.finish_type,
            total_amount=found.total_amount,
        )
        match verdict:
            case Verdict.OPEN:
                return found
            case Verdict.AS_ASKED:
                return Result.settled(order, self._key, "QUERY", found.request_id)
            case Verdict.CONFLICT:
                failure = Failure.of_state("CONFLICT", "the order is already settled otherwise", found)
                return Result.failed(order, self._key, "QUERY", failure)
            case Verdict.IMPOSSIBLE:
                failure = Failure.of_state("REJECTED", "the order cannot be completed any more", found)
                return Result.failed(order, self._key, "QUERY", failure)
        raise OutcomeUnknown(f"{order.out_order_no}: a query says only {found}")

    def _rejected(self, evidence: Evidence, error: ReplyError) -> Result:
        failure = Failure.quoting("REJECTED", error.problem)
        return Result.failed(self._order, self._key, evidence, failure)

    def _saying(self, error: Exception) -> str:
        return f"{self._order.out_order_no}: {error}"


def _is_refusal(error: Exception) -> TypeGuard[ServiceError]:
    return isinstance(error, ServiceError) and after_reply(error) is Action.REJECT


def _is_unknown(error: Exception) -> TypeGuard[ServiceError]:
    return _is_refusal(error) and error.problem.status == HTTPStatus.NOT_FOUND


def _shows_the_order(error: Exception) -> bool:
    """Tell whether this is a verified reply that only an order which exists gets: no 404 takes that back."""
    if not isinstance(error, ReplyError) or not error.problem.verified:
        return False
    return error.problem.status < HTTPStatus.INTERNAL_SERVER_ERROR and after_reply(error) is Action.ASK
