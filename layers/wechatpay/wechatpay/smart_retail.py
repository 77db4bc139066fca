"""The calls that settle an order of smart retail (智慧零售) or its twin, payafter-orders (先享后付).

Source: https://pay.weixin.qq.com/doc/v3/merchant/4012586066 (完结), 4012586133 (查询).
The twin differs in the path's segment only (T: both pages compared).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from .answer import Answer
from .client import QUERY_RESERVE_SECONDS, Client
from .orders import Accepted, OrderKey, OrderState

ROOT = "/v3/payscore"

STATES = frozenset({"CREATED", "USER_ACCEPTED", "FINISHED", "USER_PAID", "REVOKED", "EXPIRED"})
_SETTLED = ("FINISHED", "USER_PAID", "REVOKED")


def complete(client: Client, key: OrderKey, parameters: Mapping[str, Any]) -> Accepted:
    """Complete or cancel an order (完结智慧零售订单). Sending the same parameters again is safe.

    Args:
        client: signs, sends and verifies.
        key: the order.
        parameters: the rest of the body under WeChat Pay's names; amounts in fen.

    Raises:
        WeChatPayError: any of its kinds, see `errors`. Only this function returning means accepted.
    """
    ticket = str(parameters.get("finish_ticket", ""))
    return _settle(client, key, "complete", parameters, ticket)


def cancel(client: Client, key: OrderKey, reason: str) -> Accepted:
    """Cancel an order that the shopper has not confirmed yet: state CREATED (T: mirrors, merchants' code).

    Raises as `complete`.
    """
    return _settle(client, key, "cancel", {"reason": reason})


def query(client: Client, key: OrderKey) -> OrderState:
    """Ask what state an order is in (查询智慧零售订单).

    Raises:
        WeChatPayError: any of its kinds. A verified 404 is a `ServiceError`.
    """
    names = {"service_id": key.service_id, "out_order_no": key.out_order_no, "appid": key.appid}
    target = f"{ROOT}/{key.order_api}?{urlencode(names, quote_via=quote, safe='')}"
    answer = client.get(target)
    _require_same_order(answer, key, ("out_order_no",))
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
        request_id=answer.request_id,
    )


def _settle(
    client: Client, key: OrderKey, call: str, parameters: Mapping[str, Any], ticket: str = ""
) -> Accepted:
    target = f"{ROOT}/{key.order_api}/{quote(key.out_order_no, safe='')}/{call}"
    body = {"appid": key.appid, "service_id": key.service_id, **parameters}
    answer = client.post(target, body, reserve=QUERY_RESERVE_SECONDS, secret=ticket)
    _require_same_order(answer, key, ("mchid", "appid", "service_id", "out_order_no"))
    _require_same_wish(answer, parameters)
    return Accepted(answer.text("order_id"), answer.request_id)


def _require_same_order(answer: Answer, key: OrderKey, required: tuple[str, ...]) -> None:
    """Refuse a genuine reply that speaks of another order: a signature covers the reply, not the question."""
    for name in ("mchid", "appid", "service_id", "out_order_no"):
        if (name in answer.body or name in required) and answer.body.get(name) != getattr(key, name):
            raise answer.unexpected(f"{name} is not the one asked for")


def _require_same_wish(answer: Answer, parameters: Mapping[str, Any]) -> None:
    """Refuse a genuine 200 that contradicts what was asked (D): it has none of this (V), and may get it."""
    for name in ("total_amount", "finish_type"):
        if name in answer.body and name in parameters and answer.body[name] != parameters[name]:
            raise answer.unexpected(f"{name} is not the one asked for")
    if "state" in answer.body and answer.body["state"] not in _SETTLED:
        raise answer.unexpected("state is none of a settled order")
