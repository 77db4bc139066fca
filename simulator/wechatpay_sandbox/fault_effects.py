"""What a fault makes of an answer, and of an order."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wechatpay_sandbox import rules
from wechatpay_sandbox.fault_kinds import Fault
from wechatpay_sandbox.orders import CANCEL, FINISH, Order
from wechatpay_sandbox.replies import UNDOCUMENTED_TAIL, Reply, error, html, to_json


def by_someone_else(order: Order, body: bytes, fault: Fault) -> dict[str, Any]:
    """What another terminal asks for in the moment before this request, as the fault says."""
    asked = rules.parse_leniently(body)
    amount = asked.get("total_amount", 0)
    completion: dict[str, Any] = {
        "appid": order.appid,
        "service_id": order.service_id,
        "finish_type": FINISH,
        "total_amount": amount,
        "real_service_end_location": "由其他终端完结",
    }
    if fault.order_change == "cancelled":
        completion |= {"finish_type": CANCEL, "total_amount": 0, "cancel_reason": "由其他终端取消"}
    elif fault.order_change == "settled-amount":
        completion["total_amount"] = amount + 100 if fault.amount is None else fault.amount
    return completion


def misanswer(reply: Reply, out_order_no: str, fault: Fault) -> Reply:
    """The answer as the fault wants it, not signed yet."""
    if fault.body == "html":
        reply = html(fault.status, f"{fault.status} openresty")
    elif fault.status and fault.body == "empty":
        reply = Reply(fault.status)
    elif fault.status and fault.code:
        reply = error(
            fault.status, fault.code, fault.message, tail=fault.tail or UNDOCUMENTED_TAIL, detail=fault.detail
        )
    elif fault.status:
        reply = replace(reply, status=fault.status)
    if fault.body in _BODIES:
        reply = replace(reply, body=_BODIES[fault.body](reply, out_order_no, fault))
    if fault.content is not None:
        reply = replace(reply, body=fault.content.encode())
    if fault.content_type:
        reply = replace(reply, content_type=fault.content_type)
    if fault.location:
        reply = replace(reply, headers={"Location": fault.location})
    return reply


def _other_order(reply: Reply, out_order_no: str, fault: Fault) -> bytes:
    document = rules.parse_leniently(reply.body)
    return to_json({**document, "out_order_no": f"{out_order_no[:31]}X"})


def _duplicate_keys(reply: Reply, out_order_no: str, fault: Fault) -> bytes:
    return b'{"out_order_no":"ANOTHER-ORDER",' + reply.body[1:]


def _oversized(reply: Reply, out_order_no: str, fault: Fault) -> bytes:
    document = rules.parse_leniently(reply.body)
    return to_json({**document, "attach": "A" * fault.size})


_BODIES: dict[str, Callable[[Reply, str, Fault], bytes]] = {
    "other-order": _other_order,
    "duplicate-keys": _duplicate_keys,
    "oversized": _oversized,
}
