"""Asking about an order while nothing is in doubt: a verified answer, or the error that says what to do.

For a completion that got no clear answer the same question means something else: see `reply_rules`.
"""

from collections.abc import Sequence

from .client import Client
from .errors import (
    MerchantMisconfigured,
    OrderNotFound,
    ReplyError,
    ServiceError,
    SettlementError,
    WeChatPayError,
    WeChatPayUnavailable,
)
from .order_apis import api_of
from .orders import OrderKey, OrderState
from .reply_rules import ERRORS, UNLISTED, Action, ReplyRule, rule_of


def find_order(client: Client, key: OrderKey) -> OrderState:
    """Query an order; what the keys may be the reason of is asked once more with the secret read again.

    Raises:
        OrderNotFound: verified: WeChat Pay knows no such order.
        WeChatPayUnavailable, WeChatPayRateLimited: nothing was sent that could be applied; ask again later.
        MerchantMisconfigured: the secret or the permission is wrong.
    """
    try:
        return query_once(client, key)
    except OrderNotFound:
        raise
    except WeChatPayError as error:
        action = rule_of(error).then
        if not reread(client, action):
            raised = MerchantMisconfigured if action in REREADS else ERRORS.get(action, WeChatPayUnavailable)
            raise raised(f"{key.out_order_no}: {error}; nothing was sent") from error
    return find_order(client, key)


def find_in_any(client: Client, keys: Sequence[OrderKey]) -> tuple[OrderKey, OrderState]:
    """Ask one family after the other for an order, and return the first that knows it.

    Raises:
        OrderNotFound: verified by every family: none knows it.
        SettlementError: none knows it, and one gave no verified answer.
    """
    failure: OrderNotFound | SettlementError | None = None
    for key in keys:
        try:
            return key, find_order(client, key)
        except OrderNotFound as error:
            failure = failure or error
        except SettlementError as silent:
            # What may be answered later comes before what somebody has to put right first.
            if not isinstance(failure, SettlementError) or isinstance(failure, MerchantMisconfigured):
                failure = type(silent)(f"{key.order_api}, where it may be: {silent}")
    if failure is None:
        raise ValueError("no family to ask")
    raise failure


def query_once(client: Client, key: OrderKey) -> OrderState:
    """Query an order.

    Raises:
        OrderNotFound: verified: WeChat Pay knows no such order.
        WeChatPayError: there is no verified answer.
    """
    try:
        return api_of(key).query(client, key)
    except ServiceError as error:
        rule = deciding_rule(client, error)
        if error.problem.verified and rule.then is Action.ASK_IF_UNKNOWN:
            raise OrderNotFound(error.problem) from error
        raise


def deciding_rule(client: Client, error: WeChatPayError) -> ReplyRule:
    """Return the row that decides about the answer to a call; the client reports a refusal on no row."""
    rule = rule_of(error)
    if rule.name == UNLISTED and isinstance(error, ReplyError):
        client.unlisted(error.problem)
    return rule


REREADS = (Action.REREAD_SECRET, Action.REREAD_KEYS)


def reread(client: Client, action: Action) -> bool:
    """Read again what the action names, once for each order; False when there is nothing more to read.

    Raises as `MerchantSecrets.read`.
    """
    if action is Action.REREAD_SECRET:
        return client.reread_secret()
    return action is Action.REREAD_KEYS and client.reread_keys()
