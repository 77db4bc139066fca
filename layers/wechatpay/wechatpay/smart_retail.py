"""The two calls that settle a smart-retail order of WeChat Pay Score (微信支付分, 智慧零售).

Source: https://pay.weixin.qq.com/doc/v3/merchant/4012586066 (完结智慧零售订单), 4012586133 (查询智慧零售订单)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from .client import QUERY_RESERVE_SECONDS, Client
from .errors import Problem, UnexpectedReply
from .replies import JSON

ORDERS_PATH = "/v3/payscore/smartretail-orders"

STATES = frozenset({"CREATED", "USER_ACCEPTED", "FINISHED", "USER_PAID", "REVOKED", "EXPIRED"})


@dataclass(frozen=True)
class OrderKey:
    """What names one order to WeChat Pay. Every reply is checked against it."""

    mchid: str
    appid: str
    service_id: str
    out_order_no: str


@dataclass(frozen=True)
class Accepted:
    """A verified 200 to a completion: accepted, not yet paid (the reply has no state)."""

    order_id: str
    request_id: str


@dataclass(frozen=True)
class OrderState:
    """A verified answer to a query.

    Attributes:
        state: one of `STATES`.
        finish_ticket: needed to complete; only in USER_ACCEPTED. Opaque, never logged.
        finish_type: 1 cancelled, 2 finished; None before.
        total_amount: fen; None before the order is finished.
        finish_transaction_id, pay_succ_time: only in USER_PAID.
    """

    state: str
    finish_ticket: str | None = field(default=None, repr=False)
    finish_type: int | None = None
    total_amount: int | None = None
    finish_transaction_id: str | None = None
    pay_succ_time: str | None = None
    request_id: str = ""

    def __str__(self) -> str:
        return f"state {self.state}, finish_type {self.finish_type}, total_amount {self.total_amount}"


def complete(client: Client, key: OrderKey, parameters: Mapping[str, Any]) -> Accepted:
    """Complete or cancel an order (完结智慧零售订单). Sending the same parameters again is safe.

    Args:
        client: signs, sends and verifies.
        key: the order.
        parameters: the rest of the body under WeChat Pay's names; amounts in fen.

    Raises:
        WeChatPayError: any of its kinds, see `errors`. Only this function returning means accepted.
    """
    target = f"{ORDERS_PATH}/{quote(key.out_order_no, safe='')}/complete"
    body = {"appid": key.appid, "service_id": key.service_id, **parameters}
    ticket = str(parameters.get("finish_ticket", ""))
    reply, request_id = client.post(target, body, reserve=QUERY_RESERVE_SECONDS, secret=ticket)
    _require_same_order(reply, key, request_id, ("mchid", "appid", "service_id", "out_order_no"))
    return Accepted(_text(reply, "order_id", request_id), request_id)


def query(client: Client, key: OrderKey) -> OrderState:
    """Ask what state an order is in (查询智慧零售订单).

    Raises:
        WeChatPayError: any of its kinds. A verified 404 is a `ServiceError`.
    """
    names = {"service_id": key.service_id, "out_order_no": key.out_order_no, "appid": key.appid}
    reply, request_id = client.get(f"{ORDERS_PATH}?{urlencode(names, quote_via=quote, safe='')}")
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
        request_id=request_id,
    )


def _require_same_order(reply: JSON, key: OrderKey, request_id: str, required: tuple[str, ...]) -> None:
    """Refuse a genuine reply that speaks of another order: a signature covers the reply, not the question."""
    for name in ("mchid", "appid", "service_id", "out_order_no"):
        if (name in reply or name in required) and reply.get(name) != getattr(key, name):
            raise _unexpected(f"{name} is not the one asked for", request_id)


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
