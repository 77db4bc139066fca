"""The old families, smartretail-orders and payafter-orders, which are alike: what happens to their orders."""

from collections.abc import Mapping
from typing import Any

from wechatpay_sandbox.family import GOODS, Family
from wechatpay_sandbox.order import FINISH, RISK_CAP, Order
from wechatpay_sandbox.replies import Reply, ok
from wechatpay_sandbox.smart_retail_rules import COMPLETE, CREATE
from wechatpay_sandbox.times import shanghai


class SmartRetail(Family):
    """Orders of smartretail-orders and of its twin, payafter-orders."""

    name = "smartretail"
    apis = ("smartretail-orders", "payafter-orders")
    package = "mch_id={mchid}&package={order_id}"

    def complete(self, api: str, number: str, body: bytes, now: float) -> Reply:
        document = self.reader.document(body, "smartretail.complete", COMPLETE)
        if document["finish_type"] == FINISH:
            amount = self._check_finished(document)
        else:
            amount = self._check_cancelled(document)
        order = self.find(api, number, now)
        self.check_identifiers(order, document)
        request = {name: value for name, value in document.items() if name != "finish_ticket"}
        if order.completion is not None:
            self.reenter(order, request)
            return ok(self.accepted_document(order))
        if order.state != "USER_ACCEPTED":
            self.refuse("smartretail.complete.state")
        start, end = request.get("real_service_start_time"), request.get("real_service_end_time")
        self.check_money_and_time(order, amount, start, end, now)
        place = request.get("real_service_end_location")
        if place is not None and place == order.service_start_location:
            self.refuse("smartretail.complete.end_location_differs", "/real_service_end_location")
        if document["finish_ticket"] not in order.tickets:
            self.refuse("smartretail.complete.ticket")
        order.settle({**request, "total_amount": amount}, "merchant", now, request)
        return ok(self.accepted_document(order))

    def check_cancellable(self, order: Order) -> None:
        if order.state != "CREATED":
            self.refuse("smartretail.cancel.state")

    def sync(self, api: str, number: str, body: bytes, now: float) -> Reply:
        """Both families are synced on payafter-orders [T]."""
        order = self.orders.find(number, now)
        own = order.api if order is not None and order.api in self.apis else api
        return super().sync(own, number, body, now)

    def read_create(self, body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        document = self.reader.document(body, "smartretail.create", CREATE)
        if document["risk_amount"] > RISK_CAP:
            self.refuse("smartretail.create.risk_cap", "/risk_amount", value=document["risk_amount"])
        names = ("service_start_time", "service_end_time", "service_start_location")
        settings = {name: document.get(name) for name in names}
        return document, settings | {"risk_cap": document["risk_amount"]}

    def created_document(self, order: Order) -> dict[str, Any]:
        return self.accepted_document(order) | {"state": order.state}

    def query_document(self, order: Order) -> dict[str, Any]:
        """What a query returns. Each one in USER_ACCEPTED brings a fresh ticket."""
        start = order.service_start_time
        document: dict[str, Any] = {
            **order.identity(),
            "state": order.state,
            "service_start_time": shanghai(order.opened_at) if start in (None, "OnAccept") else start,
            "service_introduction": order.service_introduction,
            "risk_amount": order.risk_cap,
        }
        for name in ("service_end_time", "service_start_location", "attach"):
            if getattr(order, name) is not None:
                document[name] = getattr(order, name)
        for name, value in (order.completion or {}).items():
            if name not in ("appid", "service_id", "profit_sharing", "cancel_reason"):
                document[name] = value
        if order.state == "USER_ACCEPTED":
            document["finish_ticket"] = self.orders.ticket(order)
        if order.state == "USER_PAID":
            document |= _payment(order)
        return document

    def _check_finished(self, document: Mapping[str, Any]) -> int:
        if "cancel_reason" in document:
            self.refuse("smartretail.complete.reason_only_with_1", "/cancel_reason")
        fees, discounts = document.get("fees", []), document.get("discounts", [])
        names = [fee["fee_name"] for fee in fees if fee["fee_name"] != GOODS]
        self.check_names("fees", "fee_names_differ", names)
        names = [discount["discount_name"] for discount in discounts]
        self.check_names("discounts", "discount_names_differ", names)
        for index, fee in enumerate(fees):
            if "fee_amount" not in fee and "fee_desc" not in fee:
                self.refuse("smartretail.complete.fee_says_something", f"/fees/{index}")
        prices = [fee.get("fee_amount", 0) for fee in fees]
        return self.check_total(document, prices, [discount["discount_amount"] for discount in discounts])

    def _check_cancelled(self, document: Mapping[str, Any]) -> int:
        if "cancel_reason" not in document:
            self.refuse("smartretail.complete.reason_with_1", "/cancel_reason")
        if document.get("total_amount", 0) != 0:
            value = document["total_amount"]
            self.refuse("smartretail.complete.total_amount.zero_with_1", "/total_amount", value=value)
        if "real_service_end_location" in document:
            self.refuse("smartretail.complete.end_location_only_with_2", "/real_service_end_location")
        return 0


def _payment(order: Order) -> dict[str, Any]:
    """What a query says of the money: no transaction when the merchant took it by other means [T/I]."""
    last = order.payments[-1] if order.payments else None
    if last is not None and last.by_merchant:
        return {"total_amount": order.amount, "pay_type": "MchChannelPayType"}
    document: dict[str, Any] = {"total_amount": order.charged, "pay_succ_time": shanghai(order.paid_at)}
    return document | {"finish_transaction_id": last.transaction_id if last else f"42{order.order_id[2:]}"}
