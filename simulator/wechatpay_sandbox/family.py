"""What the families of orders share: finding an order, creation, cancelling, payment by other means."""

from collections.abc import Mapping, Sequence
from typing import Any

from wechatpay_sandbox.order import Order
from wechatpay_sandbox.order_rules import CANCEL, SYNC
from wechatpay_sandbox.orders import Orders
from wechatpay_sandbox.reader import Reader
from wechatpay_sandbox.replies import Reply, ok
from wechatpay_sandbox.times import from_shanghai, shanghai

QUERY = ("service_id", "out_order_no", "appid")
GOODS = "商品信息"
"""The one name that WeChat Pay prescribes for unmanned retail; goods stand in the descriptions."""


class Family:
    """Orders of one kind of documents. Subclasses say how a document reads and an order is shown."""

    name: str
    """What the names of its rules begin with."""
    apis: tuple[str, ...]
    package: str
    """What the mini program opens to let the shopper confirm."""

    def __init__(self, orders: Orders, reader: Reader) -> None:
        self.orders = orders
        self.reader = reader
        self.refuse = reader.rules.refuse

    def create(self, api: str, body: bytes, now: float) -> Reply:
        """Put an order in the world, confirmed or to be confirmed by the shopper."""
        document, settings = self.read_create(body)
        number = self.reader.check_order_number(document["out_order_no"], location="body")
        if document["appid"] != self.orders.appid:
            self.refuse("create.appid_bound", "/appid", value=document["appid"])
        if document["service_id"] != self.orders.service_id:
            self.refuse("create.service_bound", "/service_id", value=document["service_id"])
        confirming = document.get("need_user_confirm", True)
        if confirming == ("openid" in document):
            self.refuse("create.openid", "/openid")
        order = self.orders.find(number, now)
        if order is None:
            state = "CREATED" if confirming else "USER_ACCEPTED"
            settings |= {"api": api, "state": state, "created": document}
            for name in ("appid", "service_id", "openid", "notify_url", "attach", "service_introduction"):
                if name in document:
                    settings[name] = document[name]
            order = self.orders.add(number, now, debit_after=self.orders.debit_after, **settings)
        elif order.created != document or order.api != api:
            self.refuse("order.reentry")
        package = self.package.format(order_id=order.order_id, mchid=order.mchid)
        return ok(self.created_document(order) | ({"package": package} if confirming else {}))

    def query(self, api: str, query: str, now: float) -> Reply:
        """The order as it stands."""
        parameters = self.reader.query(query, QUERY)
        order = self.find(api, parameters["out_order_no"], now)
        if (parameters["appid"], parameters["service_id"]) != (order.appid, order.service_id):
            self.refuse("order.unknown")
        return ok(self.query_document(order))

    def sync(self, api: str, number: str, body: bytes, now: float) -> Reply:
        """The merchant says that the order was paid by other means."""
        document = self.reader.document(body, "sync", SYNC)
        if document["type"] != "Order_Paid":
            self.refuse("sync.type", "/type", value=document["type"])
        order = self.find(api, number, now)
        self.check_identifiers(order, document)
        paid_time = document["detail"]["paid_time"]
        before = order.payments[-1] if order.payments else None
        if order.state == "USER_PAID" and before and before.by_merchant and shanghai(before.at) == paid_time:
            return ok(self.synced_document(order))
        if order.state != "FINISHED" or not order.amount:
            self.refuse("sync.state")
        if not shanghai(order.finished_at) < paid_time <= shanghai(now):
            self.refuse("sync.paid_time", "/detail/paid_time", value=paid_time)
        self.orders.sync(order, paid_at=from_shanghai(paid_time))
        return ok(self.synced_document(order))

    def complete(self, api: str, number: str, body: bytes, now: float) -> Reply:
        """Accept a completion once, absorb an identical one, refuse every other."""
        raise NotImplementedError

    def cancel(self, api: str, number: str, body: bytes, now: float) -> Reply:
        """Take an order back, for one reason."""
        document = self.reader.document(body, f"{self.name}.cancel", CANCEL)
        order = self.find(api, number, now)
        self.check_identifiers(order, document)
        if order.revoked_reason is None:
            self.check_cancellable(order)
            order.revoke(document["reason"], "merchant", now)
        elif order.revoked_reason != document["reason"]:
            self.refuse("order.reentry")
        return ok(self.accepted_document(order))

    def find(self, api: str, number: str, now: float) -> Order:
        """The order of this number and this family, or WeChat Pay's 404."""
        order = self.orders.find(number, now)
        if order is None or order.api not in self.apis:
            self.refuse("order.unknown")
        assert order is not None
        if order.api != api:
            self.refuse("order.twin_path")
        return order

    def check_identifiers(self, order: Order, document: Mapping[str, Any]) -> None:
        """Refuse a request about an order of another app or service."""
        for name, owned in (("appid", order.appid), ("service_id", order.service_id)):
            if document[name] != owned:
                self.refuse(f"order.{name}", f"/{name}", value=document[name])

    def check_money_and_time(
        self, order: Order, amount: int, start: str | None, end: str | None, now: float
    ) -> None:
        """Refuse a completion above the cap, with an end in the future, before its start, or lacking."""
        if amount > order.risk_cap:
            self.refuse("order.risk_cap")
        if end is None and order.service_end_time is None:
            self.refuse("order.end_required")
        if end is not None and end > shanghai(now)[: len(end)]:
            self.refuse("order.end_in_future")
        if start is None and order.service_start_time != "OnAccept":
            start = order.service_start_time
        if start is not None and end is not None:
            length = min(len(start), len(end))
            if end[:length] < start[:length]:
                self.refuse("order.end_before_start")

    def check_names(self, items: str, rule: str, names: Sequence[str]) -> None:
        """Refuse a completion in which two items have one name."""
        if len(set(names)) != len(names):
            self.refuse(f"{self.name}.complete.{rule}", f"/{items}")

    def check_total(self, document: Mapping[str, Any], prices: Sequence[int], cuts: Sequence[int]) -> int:
        """The total of a completion; refuse one that is not the sum."""
        total = sum(prices) - sum(cuts)
        amount: int = document.get("total_amount", total)
        if amount != total:
            self.refuse(f"{self.name}.complete.total_amount.is_sum", "/total_amount", value=amount)
        return amount

    def reenter(self, order: Order, request: Mapping[str, Any]) -> None:
        """Absorb a completion that was accepted before; refuse one with other parameters."""
        if request != order.asked:
            self.refuse("order.reentry")
        order.reentries += 1

    def accepted_document(self, order: Order) -> dict[str, Any]:
        """The five fields of an acceptance that says no state."""
        return {**order.identity(), "order_id": order.order_id}

    def settled_document(self, order: Order, operation: str) -> dict[str, Any]:
        """The reply to an accepted completion or cancellation."""
        return self.accepted_document(order)

    def check_cancellable(self, order: Order) -> None:
        """Refuse to cancel an order in a state that does not allow it."""
        raise NotImplementedError

    def read_create(self, body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        """The document of a creation that keeps the family's rules, and what ``Order`` names otherwise."""
        raise NotImplementedError

    def created_document(self, order: Order) -> dict[str, Any]:
        """The reply to a creation, but for the package."""
        raise NotImplementedError

    def query_document(self, order: Order) -> dict[str, Any]:
        """The reply to a query."""
        raise NotImplementedError

    def synced_document(self, order: Order) -> dict[str, Any]:
        """The reply to a sync."""
        return self.accepted_document(order)
