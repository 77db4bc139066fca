"""The successor, serviceorder (微信支付分 公共API): what happens to its orders, and how they are shown.

Sources: https://pay.weixin.qq.com/doc/v3/merchant/4012587900 (create) and its neighbours, unless marked.
"""

from collections.abc import Mapping
from typing import Any

from wechatpay_sandbox.family import GOODS, Family
from wechatpay_sandbox.order import CANCEL, FINISH, RISK_CAP, Order
from wechatpay_sandbox.replies import Reply, ok
from wechatpay_sandbox.service_order_rules import COMPLETE, CREATE, RISK_NAMES
from wechatpay_sandbox.times import shanghai


class ServiceOrder(Family):
    """Orders of serviceorder."""

    name = "serviceorder"
    apis = ("serviceorder",)
    package = "AAQTn{order_id}"

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

    def check_cancellable(self, order: Order) -> None:
        if order.state == "FINISHED":
            self.refuse("serviceorder.cancel.completed")
        elif order.state not in ("CREATED", "USER_ACCEPTED"):
            self.refuse("serviceorder.cancel.state")

    def read_create(self, body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        document = self.reader.document(body, "serviceorder.create", CREATE)
        fund = document["risk_fund"]
        if fund.get("name", RISK_NAMES[0]) not in RISK_NAMES:
            self.refuse("serviceorder.create.risk_name", "/risk_fund/name", value=fund["name"])
        if fund["amount"] > RISK_CAP:
            self.refuse("serviceorder.create.risk_cap", "/risk_fund/amount", value=fund["amount"])
        return document, {
            "risk_cap": fund["amount"],
            "service_start_time": document["time_range"].get("start_time"),
            "service_end_time": document["time_range"].get("end_time"),
            "service_start_location": document.get("location", {}).get("start_location"),
        }

    def created_document(self, order: Order) -> dict[str, Any]:
        return self._document(order)

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
        self.check_names("post_payments", "payment_names_differ", names)
        self.check_names("post_discounts", "discount_names_differ", [each["name"] for each in discounts])
        prices = [payment["amount"] for payment in payments]
        return self.check_total(document, prices, [discount["amount"] for discount in discounts])


def _state(order: Order) -> tuple[str, str]:
    """``state`` and ``state_description`` [V]."""
    cancelled = order.completion is not None and order.completion["finish_type"] == CANCEL
    if cancelled or order.state == "REVOKED":
        return "REVOKED", ""
    if order.state == "USER_ACCEPTED":
        return "DOING", "USER_CONFIRM"
    if order.state == "FINISHED":
        return ("DOING", "MCH_COMPLETE") if order.amount else ("DONE", "")
    return ("DONE", "") if order.state == "USER_PAID" else (order.state, "")


def collection(order: Order) -> dict[str, Any]:
    """What is collected, paid and still to pay [V]."""
    shown: dict[str, Any] = {
        "state": "USER_PAID" if order.state == "USER_PAID" else "USER_PAYING",
        "total_amount": order.amount,
        "paying_amount": 0 if order.state == "USER_PAID" else order.open_amount,
        "paid_amount": order.amount - order.open_amount,
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
