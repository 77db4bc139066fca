"""The calls that settle an order of smart retail (智慧零售) or its twin, payafter-orders (先享后付).

Source: https://pay.weixin.qq.com/doc/v3/merchant/4012586066 (完结), 4012586133 (查询).
The twin differs in the path's segment only (T: both pages compared).
"""

from collections.abc import Mapping
from typing import Any

from .answer import Answer
from .client import Client
from .orders import PAY_AFTER, Accepted, OrderKey, OrderState, get, post, require_same_wish

TAKES_TICKET = True
SYNC = PAY_AFTER  # T: smart-retail orders are synced there too

STATES = frozenset({"CREATED", "USER_ACCEPTED", "FINISHED", "USER_PAID", "REVOKED", "EXPIRED"})
_OF_SERVICEORDER = ("goods_tag", "device")
# What an order is in once it was cancelled (1) or finished (2).
_SETTLED = {1: ("FINISHED", "REVOKED"), 2: ("FINISHED", "USER_PAID")}


def complete(client: Client, key: OrderKey, parameters: Mapping[str, Any]) -> Accepted:
    """Complete or cancel an order (完结智慧零售订单). Sending the same parameters again is safe.

    Args:
        client: signs, sends and verifies.
        key: the order.
        parameters: the rest of the body under WeChat Pay's names; amounts in fen.

    Raises:
        WeChatPayError: any of its kinds, see `errors`. Only this function returning means accepted.
    """
    body = {name: value for name, value in parameters.items() if name not in _OF_SERVICEORDER}
    answer = post(client, key, "complete", body, str(parameters.get("finish_ticket", "")))
    return _accepted(answer, parameters)


def cancel(client: Client, key: OrderKey, reason: str) -> Accepted:
    """Cancel an order that the shopper has not confirmed yet: state CREATED (T: mirrors, merchants' code).

    Raises as `complete`.
    """
    return _accepted(post(client, key, "cancel", {"reason": reason}), {})


def query(client: Client, key: OrderKey) -> OrderState:
    """Ask what state an order is in (查询智慧零售订单).

    Raises:
        WeChatPayError: any of its kinds. A verified 404 is a `ServiceError`.
    """
    answer = get(client, key)
    state = answer.text("state")
    if state not in STATES:
        raise answer.unexpected("state is none that is documented")
    return OrderState(
        state=state,
        finish_ticket=answer.optional("finish_ticket", str),
        finish_type=answer.optional("finish_type", int),
        total_amount=answer.optional("total_amount", int),
        finish_transaction_id=answer.optional("finish_transaction_id", str),
        pay_succ_time=answer.optional("pay_succ_time", str),
        pay_type=answer.optional("pay_type", str),
        start_location=answer.optional("service_start_location", str),
        request_id=answer.request_id,
    )


def _accepted(answer: Answer, parameters: Mapping[str, Any]) -> Accepted:
    """Return what a 200 accepts. It has no state and no amount (V); one that has may not contradict (D)."""
    require_same_wish(answer, parameters)
    if "state" in answer.body and answer.body["state"] not in _SETTLED[parameters.get("finish_type", 1)]:
        raise answer.unexpected("state is none of a settled order")
    return Accepted(answer.text("order_id"), answer.request_id)
