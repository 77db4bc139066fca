"""An event that is invalid now, though an earlier attempt may have settled its order.

A new release has other rules, or the stack's configuration or the secret has changed. The order is good: no
fault of its event ends it before a query has shown its state.
"""

from collections.abc import Callable

from invocation.attempts import Attempts
from wechatpay.client import Client
from wechatpay.credentials import Credentials
from wechatpay.errors import MerchantMisconfigured, OrderNotFound
from wechatpay.find_order import find_in_any

from complete_order.judgement import Judgement
from complete_order.order import InvalidOrder
from complete_order.result import Result

_MOST_PROBLEMS = 10


def settle(
    event: object,
    invalid: InvalidOrder,
    attempts: Attempts,
    connect: Callable[[str], tuple[Credentials, Client]],
) -> Result:
    """Return the result of an order whose event is invalid: on a first attempt INVALID_INPUT.

    Args:
        event: what the workflow or the caller passed in.
        invalid: what is wrong with it.
        attempts: what is known of the attempts before this one.
        connect: gives the credentials of a merchant, and a client.

    Raises:
        MerchantMisconfigured: a later attempt, and nothing is proven.
        SettlementError: there is no verified answer now.
    """
    if attempts.first:
        return Result.invalid(event, invalid.problems)
    problems = "; ".join(invalid.problems[:_MOST_PROBLEMS])
    unproven = MerchantMisconfigured(f"the event is invalid now, and was sent before: {problems}")
    wanted = invalid.wanted
    if wanted is None:
        raise unproven from invalid
    credentials, client = connect(wanted.mchid)
    try:
        key, state = find_in_any(client, wanted.keys(wanted.key(credentials)))
    except OrderNotFound:
        raise unproven from invalid
    judgement = Judgement(wanted, key)
    result = None if judgement.is_open(state) else judgement.result(state)
    if result is None:
        raise unproven from invalid
    return result
