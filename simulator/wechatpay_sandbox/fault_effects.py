"""What a fault makes of an answer, and of an order."""

from dataclasses import replace
from typing import Any

from wechatpay_sandbox.family import Family
from wechatpay_sandbox.fault import Fault
from wechatpay_sandbox.order import CANCEL, FINISH, Order
from wechatpay_sandbox.reader import parse_leniently
from wechatpay_sandbox.replies import UNDOCUMENTED_TAIL, Reply, error, html, ok, to_json

PHONE = "13800138000"


def by_someone_else(order: Order, body: bytes, fault: Fault) -> dict[str, Any]:
    """What another terminal asks for in the moment before this request, as the fault says."""
    request = parse_leniently(body)
    amount = request.get("total_amount", 0)
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


def wanted(operation: str, body: bytes) -> dict[str, Any]:
    """What a completion or a cancellation asks for, in the old families' words; never used to decide."""
    request = parse_leniently(body)
    amount = request.get("total_amount")
    if operation == "cancel" or request.get("finish_type") == CANCEL:
        return {"finish_type": CANCEL, "total_amount": 0}
    return {"finish_type": FINISH, "total_amount": amount if type(amount) is int else 0}


def claimed(order: Order, family: Family, operation: str, fault: Fault, now: float) -> Reply | None:
    """What a reply says that lies about an order; None: it has nothing to lie about."""
    settled = order.completion is not None
    if fault.claim in ("open", "created"):
        if not settled:
            return None
        state = "USER_ACCEPTED" if fault.claim == "open" else "CREATED"
        behind = replace(order, state=state, completion=None, asked=None, payments=[], revoked_reason=None)
        return ok(family.query_document(behind))
    pretended = replace(order, payments=list(order.payments))
    if not settled:
        completion = order.wanted or {"finish_type": FINISH, "total_amount": 0}
        pretended.settle(completion, "nobody", now)
    if operation != "query":
        return ok(family.settled_document(pretended, operation))
    if fault.claim == "paid" and pretended.state == "FINISHED" and pretended.amount:
        pretended.pay(pretended.amount, now)
    return ok(family.query_document(pretended))


def answer_wrongly(reply: Reply, out_order_no: str, fault: Fault, order: Order | None) -> Reply:
    """The answer as the fault wants it, not signed yet."""
    if fault.body == "html":
        reply = html(fault.status, f"{fault.status} openresty")
    elif fault.status and fault.body == "empty":
        reply = Reply(fault.status)
    elif fault.status and fault.code:
        message = fault.message
        if fault.body == "quoting" and order is not None:
            message = f"{message} {' '.join([*order.tickets][-1:])} {order.openid} {PHONE}"
        tail = fault.tail or UNDOCUMENTED_TAIL
        reply = error(fault.status, fault.code, message, tail=tail, detail=fault.detail)
    elif fault.status:
        reply = replace(reply, status=fault.status)
    body = _body(reply, out_order_no, fault) if fault.content is None else fault.content.encode()
    reply = replace(reply, body=body)
    if fault.content_type:
        reply = replace(reply, content_type=fault.content_type)
    if fault.location:
        reply = replace(reply, headers={"Location": fault.location})
    return reply


def _body(reply: Reply, out_order_no: str, fault: Fault) -> bytes:
    document = parse_leniently(reply.body)
    match fault.body:
        case "other-order":
            return to_json({**document, "out_order_no": f"{out_order_no[:31]}X"})
        case "duplicate-keys":
            return b'{"out_order_no":"ANOTHER-ORDER",' + reply.body[1:]
        case "oversized":
            return to_json({**document, "attach": "A" * fault.size})
        case "numeric-code":
            return to_json({**document, "code": fault.status})
        case _:
            return reply.body
