"""Asking about an order while nothing is in doubt: a verified answer, or the error that says what to do.

For a completion that got no clear answer the same question means something else: see `decisions`.
"""

from .client import Client
from .decisions import ERRORS, Action, after_reply
from .errors import MerchantMisconfigured, SettlementError, WeChatPayError, WeChatPayUnavailable
from .order_apis import api_of
from .orders import OrderKey, OrderState


def find_order(client: Client, key: OrderKey) -> OrderState:
    """Query an order; a signature that is refused is made once more with the secret read again.

    Raises:
        ServiceError: verified and final, such as 404: WeChat Pay will not tell about this order.
        WeChatPayUnavailable, WeChatPayRateLimited: nothing was sent that could be applied; ask again later.
        MerchantMisconfigured: the secret or the permission is wrong.
    """
    try:
        return api_of(key).query(client, key)
    except WeChatPayError as error:
        step = after_reply(error)
        if step is Action.REJECT:
            raise
        if step is not Action.REREAD_SECRET or not client.reread_secret():
            raise _meaning(step)(f"{key.out_order_no}: {error}; nothing was sent") from error
    return find_order(client, key)


def _meaning(step: Action) -> type[SettlementError]:
    if step is Action.REREAD_SECRET:
        return MerchantMisconfigured
    return ERRORS.get(step, WeChatPayUnavailable)
