"""The successor, serviceorder (微信支付分 公共API): its documents, states and rules.

Sources: https://pay.weixin.qq.com/doc/v3/merchant/4012587900 (create) and its neighbours, unless marked.
"""

from collections.abc import Mapping
from typing import Any

from wechatpay_sandbox.family import CANCEL, IDENTIFIERS, Family
from wechatpay_sandbox.fields import MAX_INT, Field, field_rules
from wechatpay_sandbox.orders import CANCEL as CANCELLED
from wechatpay_sandbox.orders import FINISH, RISK_CAP, Order, shanghai
from wechatpay_sandbox.replies import Reply, ok
from wechatpay_sandbox.rules import Rule, table

_TIME = "V: yyyyMMddHHmmss or yyyyMMdd"
_AMOUNT = "V: an integer of fen, at least 0"
_MUST = "V: 必填"

PAYMENTS = {
    "name": Field(str, 1, 20, "V: 不能超过20个字符", required=_MUST, firm=True),
    "amount": Field(int, 0, MAX_INT, _AMOUNT, required=_MUST, firm=True),
    "description": Field(str, 1, 30, "V: 不超过30个字符"),
    "count": Field(int, 1, 100, "V: [1,100]"),
}
DISCOUNTS = {
    "name": Field(str, 1, 20, "V: 不超过20个字符", required=_MUST, firm=True),
    "description": Field(str, 1, 30, "V: 不超过30个字符"),
    "amount": Field(
        int, 1, MAX_INT, "V: an integer of fen, above 0", required="I: the sum needs it", firm=True
    ),
    "count": Field(int, 1, 100, "V: [1,100]"),
}
DEVICE = {
    name: Field(str, 1, 32, "V: string(32)") for name in ("start_device_id", "end_device_id", "materiel_no")
}
RISK_NAMES = (
    "DEPOSIT",
    "ADVANCE",
    "CASH_DEPOSIT",
    "ESTIMATE_ORDER_COST",
)
COMPLETE = {
    **IDENTIFIERS,
    "post_payments": Field(list, 1, 100, "V: 最多100条", required=_MUST, fields=PAYMENTS),
    "post_discounts": Field(list, 0, 30, "V: 最多30条", fields=DISCOUNTS),
    "total_amount": Field(int, 0, MAX_INT, _AMOUNT, required=_MUST),
    "time_range": Field(
        dict,
        source="V: 选填",
        fields={name: Field(str, 8, 14, _TIME, time=True) for name in ("start_time", "end_time")},
    ),
    "location": Field(
        dict,
        source="V: 选填",
        fields={name: Field(str, 1, 50, "V: 50 characters") for name in ("start_location", "end_location")},
    ),
    "profit_sharing": Field(bool, source="V: 选填, default false"),
    "goods_tag": Field(str, 1, 32, "V: string(32)"),
    "device": Field(dict, source="V: 选填", fields=DEVICE),
}
CREATE = {
    "out_order_no": Field(str, 1, 32, "V: 要求32个字符内", required=_MUST, firm=True),
    **IDENTIFIERS,
    "service_introduction": Field(str, 1, 20, "V: 不超过20个字符", required=_MUST),
    "post_payments": Field(
        list,
        0,
        100,
        "V: 最多100条",
        fields=PAYMENTS | {"amount": Field(int, 0, MAX_INT, _AMOUNT)},
    ),
    "post_discounts": Field(
        list, 0, 30, "V: 最多30条", fields=DISCOUNTS | {"amount": Field(int, 1, MAX_INT, _AMOUNT)}
    ),
    "time_range": Field(
        dict,
        source="V: 必填",
        required=_MUST,
        firm=True,
        fields={
            "start_time": Field(
                str, 8, 14, _TIME + ", or OnAccept", required=_MUST, time=True, words=("OnAccept",)
            ),
            "end_time": Field(str, 8, 14, _TIME, time=True),
            "start_time_remark": Field(str, 1, 20, "V: 不超过20个字符"),
            "end_time_remark": Field(str, 1, 20, "V: 不超过20个字符"),
        },
    ),
    "location": Field(
        dict,
        source="V: 选填",
        fields={name: Field(str, 1, 50, "V: 50 characters") for name in ("start_location", "end_location")},
    ),
    "risk_fund": Field(
        dict,
        source="V: 必填",
        required=_MUST,
        firm=True,
        fields={
            "name": Field(str, 1, 64, "V: " + ", ".join(RISK_NAMES), required=_MUST),
            "amount": Field(int, 1, MAX_INT, "V: >0, an integer of fen", required=_MUST, firm=True),
            "description": Field(str, 1, 30, "V: 不超过30个字符"),
        },
    ),
    "attach": Field(str, 1, 256, "V: 256 characters at most"),
    "notify_url": Field(str, 1, 255, "V: string(255)", required=_MUST),
    "openid": Field(str, 1, 128, "V: string(128)"),
    "need_user_confirm": Field(bool, source="V: default true"),
    "device": Field(dict, source="V: 选填", fields=DEVICE),
}

RULES = {
    **field_rules("serviceorder.complete", COMPLETE),
    **field_rules("serviceorder.create", CREATE),
    **field_rules("serviceorder.cancel", CANCEL),
    **table(
        Rule(
            "serviceorder.complete.goods_name",
            "V: unmanned retail names every payment 商品信息",
            "in unmanned retail every payment is called 商品信息; tolerate this rule for other trades",
            "付费项目名称应为商品信息",
        ),
        Rule(
            "serviceorder.complete.goods_description",
            "V: unmanned retail: description and count of every payment are required",
            "unmanned retail: every payment needs description and count; tolerate this rule for other trades",
            "缺少必填参数",
        ),
        Rule(
            "serviceorder.complete.payment_names_differ",
            "V: no name twice, but 商品信息",
            "two payments have one name; only 商品信息 may repeat",
            "付费项目名称不能重复",
        ),
        Rule(
            "serviceorder.complete.discount_names_differ",
            "V: 同一单多个优惠项目名称不可重复",
            "two discounts have one name",
            "优惠项目名称不能重复",
        ),
        Rule(
            "serviceorder.complete.total_amount.is_sum",
            "V: 收款总金额=后付费项目amount和-优惠项目amount和",
            "total_amount is not the sum of the payments less the discounts",
            "总金额不等于后付费项目总和减去商户优惠总和",
        ),
        Rule(
            "serviceorder.complete.state",
            "T: 完结订单状态不合法; only DOING/USER_CONFIRM can be completed",
            "the order is not in DOING/USER_CONFIRM",
            "完结订单状态不合法",
            firm=True,
        ),
        Rule(
            "serviceorder.cancel.completed",
            "V: skills of 2026-04; the official page of 2025-02-13 allows it, which waives the debt",
            "the order is completed: cancelling it would waive what the shopper owes",
            "当前订单状态不允许取消",
            code="INVALID_ORDER_STATE",
            tail="271316592",
        ),
        Rule(
            "serviceorder.cancel.state",
            "V: only an order that is neither paid nor expired",
            "the order is paid or has expired",
            "当前订单状态不允许取消",
            code="INVALID_ORDER_STATE",
            tail="271316592",
            firm=True,
        ),
        Rule(
            "serviceorder.create.risk_name",
            "V: " + ", ".join(RISK_NAMES),
            "risk_fund.name is none of the documented ones",
            "风险名称不正确",
        ),
        Rule(
            "serviceorder.create.risk_cap",
            "V: 创单risk_fund.amount<=服务ID风险金额上限",
            "risk_fund.amount is above what the service may charge for one order",
            "订单风险金额超过服务风险金额上限",
            tail="271316656",
        ),
    ),
}
GOODS = "商品信息"


class ServiceOrder(Family):
    """Orders of serviceorder."""

    apis = ("serviceorder",)

    def complete(self, api: str, number: str, body: bytes, now: float) -> Reply:
        document = self.reader.document(body, "serviceorder.complete", COMPLETE)
        amount = self._check_amounts(document)
        order = self.find(api, number, now)
        self.check_identifiers(order, document)
        if order.completion is not None and order.state != "REVOKED":
            self.reenter(order, document)
            return ok(self.settled_document(order, "complete"))
        if order.state != "USER_ACCEPTED":
            self.refuse("serviceorder.complete.state")
        times = document.get("time_range", {})
        self.check_money_and_time(order, amount, times.get("start_time"), times.get("end_time"), now)
        order.settle({"finish_type": FINISH, "total_amount": amount}, "merchant", now, document)
        return ok(self.settled_document(order, "complete"))

    def cancel(self, api: str, number: str, body: bytes, now: float) -> Reply:
        document = self.reader.document(body, "serviceorder.cancel", CANCEL)
        order = self.find(api, number, now)
        self.check_identifiers(order, document)
        if order.revoked_reason is not None:
            if order.revoked_reason != document["reason"]:
                self.refuse("order.reentry")
            return ok(self.accepted_document(order))
        if order.state == "FINISHED":
            self.refuse("serviceorder.cancel.completed")
        elif order.state not in ("CREATED", "USER_ACCEPTED"):
            self.refuse("serviceorder.cancel.state")
        order.revoke(document["reason"], "merchant", now)
        return ok(self.accepted_document(order))

    def read_create(self, body: bytes) -> dict[str, Any]:
        document = self.reader.document(body, "serviceorder.create", CREATE)
        fund = document["risk_fund"]
        if fund.get("name") not in RISK_NAMES:
            self.refuse("serviceorder.create.risk_name", "/risk_fund/name", value=fund.get("name"))
        if fund["amount"] > RISK_CAP:
            self.refuse("serviceorder.create.risk_cap", "/risk_fund/amount", value=fund["amount"])
        return document

    def order_of(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "risk_cap": document["risk_fund"]["amount"],
            "service_start_time": document["time_range"].get("start_time"),
            "service_end_time": document["time_range"].get("end_time"),
            "service_start_location": document.get("location", {}).get("start_location"),
        }

    def created_document(self, order: Order, *, confirming: bool) -> dict[str, Any]:
        document = self._document(order)
        return document | {"package": f"AAQTn{order.order_id}"} if confirming else document

    def settled_document(self, order: Order, operation: str) -> dict[str, Any]:
        """The reply to a completion is the order without its collection; to a cancellation, five fields."""
        return self._document(order) if operation == "complete" else self.accepted_document(order)

    def query_document(self, order: Order) -> dict[str, Any]:
        """The reply to a query: the order, and what was collected."""
        document = self._document(order) | {"openid": order.openid}
        if order.notify_url is not None:
            document["notify_url"] = order.notify_url
        return document | ({"collection": collection(order)} if document.get("need_collection") else {})

    def synced_document(self, order: Order) -> dict[str, Any]:
        return self.query_document(order)

    def _document(self, order: Order) -> dict[str, Any]:
        state, description = _state(order)
        created = order.created or {}
        start = order.service_start_time
        times = {"start_time": shanghai(order.opened_at) if start in (None, "OnAccept") else start}
        if order.service_end_time is not None:
            times["end_time"] = order.service_end_time
        document: dict[str, Any] = {
            **self.accepted_document(order),
            "service_introduction": order.service_introduction,
            "state": state,
            "risk_fund": created.get("risk_fund", {"name": "ESTIMATE_ORDER_COST", "amount": order.risk_cap}),
            "time_range": times,
        }
        if description:
            document["state_description"] = description
        if order.attach is not None:
            document["attach"] = order.attach
        finished = order.completion is not None and order.completion["finish_type"] == FINISH
        for name in ("post_payments", "post_discounts", "location", "device"):
            source = order.asked or {} if finished else created
            if name in source:
                document[name] = source[name]
        if finished:
            document["time_range"] = times | (order.asked or {}).get("time_range", {})
            document |= {"total_amount": order.amount, "need_collection": order.amount > 0}
        return document

    def _check_amounts(self, document: Mapping[str, Any]) -> int:
        payments, discounts = document.get("post_payments", []), document.get("post_discounts", [])
        for index, payment in enumerate(payments):
            if payment["name"] != GOODS:
                self.refuse("serviceorder.complete.goods_name", f"/post_payments/{index}/name")
            if not {"description", "count"} <= payment.keys():
                self.refuse("serviceorder.complete.goods_description", f"/post_payments/{index}")
        names = [payment["name"] for payment in payments if payment["name"] != GOODS]
        if len(set(names)) != len(names):
            self.refuse("serviceorder.complete.payment_names_differ", "/post_payments")
        if len({discount["name"] for discount in discounts}) != len(discounts):
            self.refuse("serviceorder.complete.discount_names_differ", "/post_discounts")
        total = sum(payment["amount"] for payment in payments)
        total -= sum(discount["amount"] for discount in discounts)
        amount: int = document.get("total_amount", total)
        if amount != total:
            self.refuse("serviceorder.complete.total_amount.is_sum", "/total_amount", value=amount)
        return amount


def _state(order: Order) -> tuple[str, str]:
    """``state`` and ``state_description`` [V]."""
    cancelled = order.completion is not None and order.completion["finish_type"] == CANCELLED
    if cancelled or order.state == "REVOKED":
        return "REVOKED", ""
    if order.state == "USER_ACCEPTED":
        return "DOING", "USER_CONFIRM"
    if order.state == "FINISHED":
        return ("DOING", "MCH_COMPLETE") if order.amount else ("DONE", "")
    return ("DONE", "") if order.state == "USER_PAID" else (order.state, "")


def collection(order: Order) -> dict[str, Any]:
    """What is collected, paid and still to pay [V]."""
    paid = sum(payment.amount for payment in order.payments)
    shown: dict[str, Any] = {
        "state": "USER_PAID" if order.state == "USER_PAID" else "USER_PAYING",
        "total_amount": order.amount,
        "paying_amount": 0 if order.state == "USER_PAID" else order.amount - paid,
        "paid_amount": paid,
    }
    details = []
    for number, payment in enumerate(order.payments, 1):
        detail: dict[str, Any] = {
            "seq": number,
            "amount": payment.amount,
            "paid_type": "MCH" if payment.by_merchant else "NEWTON",
            "paid_time": shanghai(payment.at),
        }
        if payment.transaction_id is not None:
            detail["transaction_id"] = payment.transaction_id
        details.append(detail)
    return shown | ({"details": details} if details else {})
