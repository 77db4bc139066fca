"""The calls that settle an order of smart retail (智慧零售) or its twin, payafter-orders (先享后付).

Source: https://pay.weixin.qq.com/doc/v3/merchant/4012586066 (完结), 4012586133 (查询).
The twin differs in the path's segment only (T: both pages compared).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from .client import QUERY_RESERVE_SECONDS, Client
from .errors import Problem, UnexpectedReply
from .orders import Accepted, OrderKey, OrderState
from .replies import JSON

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
    reply, request_id = client.get(target)
    _require_same_order(reply, key, request_id, ("out_order_no",))
    state = _text(reply, "state", request_id)
    if state not in STATES:
        raise _unexpected("state is none that is documented", request_id)
    return OrderState(
        state=state,
        finish_ticket=_optional(reply, "finish_ticket", str, request_id),
        finish_type=_optional(reply, "finish_type", int, request_id),
        total_amount=_optional(reply, "total_amount", int, request_id),
        finish_transaction_id=_optional(reply, "finish_transaction_id", str, request_id),
        pay_succ_time=_optional(reply, "pay_succ_time", str, request_id),
        pay_type=_optional(reply, "pay_type", str, request_id),
        request_id=request_id,
    )


def _settle(
    client: Client, key: OrderKey, call: str, parameters: Mapping[str, Any], ticket: str = ""
) -> Accepted:
    target = f"{ROOT}/{key.order_api}/{quote(key.out_order_no, safe='')}/{call}"
    body = {"appid": key.appid, "service_id": key.service_id, **parameters}
    reply, request_id = client.post(target, body, reserve=QUERY_RESERVE_SECONDS, secret=ticket)
    _require_same_order(reply, key, request_id, ("mchid", "appid", "service_id", "out_order_no"))
    _require_same_wish(reply, parameters, request_id)
    return Accepted(_text(reply, "order_id", request_id), request_id)


def _require_same_order(reply: JSON, key: OrderKey, request_id: str, required: tuple[str, ...]) -> None:
    """Refuse a genuine reply that speaks of another order: a signature covers the reply, not the question."""
    for name in ("mchid", "appid", "service_id", "out_order_no"):
        if (name in reply or name in required) and reply.get(name) != getattr(key, name):
            raise _unexpected(f"{name} is not the one asked for", request_id)


def _require_same_wish(reply: JSON, parameters: Mapping[str, Any], request_id: str) -> None:
    """Refuse a genuine 200 that contradicts what was asked (D): it has none of this (V), and may get it."""
    for name in ("total_amount", "finish_type"):
        if name in reply and name in parameters and reply[name] != parameters[name]:
            raise _unexpected(f"{name} is not the one asked for", request_id)
    if "state" in reply and reply["state"] not in _SETTLED:
        raise _unexpected("state is none of a settled order", request_id)


def _text(reply: JSON, name: str, request_id: str) -> str:
    value = _optional(reply, name, str, request_id)
    if not value:
        raise _unexpected(f"{name} is missing", request_id)
    return value


def _optional[T](reply: JSON, name: str, kind: type[T], request_id: str) -> T | None:
    value = reply.get(name)
    if value is None:
        return None
    if type(value) is not kind:  # isinstance would take true for 1
        raise _unexpected(f"{name} must be {kind.__name__}", request_id)
    return value


def _unexpected(message: str, request_id: str) -> UnexpectedReply:
    return UnexpectedReply(Problem(status=200, message=message, request_id=request_id, verified=True))
