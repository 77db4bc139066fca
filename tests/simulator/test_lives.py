"""Orders of all families from their creation on: confirmed, cancelled, paid late, by hand or elsewhere."""

import json
import time
from random import Random

import pytest
from wechatpay_sandbox.order import NotPossible, Order
from wechatpay_sandbox.orders import Orders
from wechatpay_sandbox.times import shanghai

from tests.paths import escaped

NOW = 1_717_207_200.0


def an_order(**settings) -> tuple[Orders, Order]:
    orders = Orders("1900000001", "wx", "500001", 5.0, Random(1))
    return orders, orders.open("A1", NOW, settings)


def test_an_order_nobody_confirms_expires_after_an_hour():
    orders, order = an_order(state="CREATED")
    orders.catch_up(order, NOW + 3599)
    assert order.state == "CREATED"
    orders.catch_up(order, NOW + 3600)
    assert order.state == "EXPIRED"
    with pytest.raises(NotPossible):
        order.confirm()


def test_a_debit_of_an_empty_purse_is_repeated_until_it_is_filled():
    orders, order = an_order(debit_every=60)
    orders.fill(order.openid, 1199, NOW)
    order.settle({"finish_type": 2, "total_amount": 1200}, "merchant", NOW)
    orders.catch_up(order, NOW + 70)
    assert (order.state, order.failed_debits, order.charged) == ("FINISHED", 2, 0)
    orders.fill(order.openid, 1300, NOW + 70)
    orders.catch_up(order, NOW + 125)
    assert (order.state, order.charged, orders.purses[order.openid]) == ("USER_PAID", 1200, 100)


def test_an_order_paid_by_hand_is_not_debited():
    orders, order = an_order()
    order.settle({"finish_type": 2, "total_amount": 1200}, "merchant", NOW)
    orders.pay(order, None, NOW + 1)
    orders.catch_up(order, NOW + 100)
    assert (order.state, order.charged, order.debits) == ("USER_PAID", 1200, 0)


def test_a_tolerated_rule_is_lifted_and_comes_back(sim, merchant, opened, ticket):
    document = merchant.body(ticket, profit_sharing=...)
    assert merchant.complete(opened, document).status_code == 400
    assert sim.requests(opened)[-1]["refused"]["rule"] == "smartretail.complete.profit_sharing.required"
    sim.tolerate("smartretail.complete.profit_sharing.required")
    assert merchant.complete(opened, document).status_code == 200
    sim.tolerate()


OLD = ("smartretail-orders", "payafter-orders")
ALL = (*OLD, "serviceorder")
END = "20240601102000"


class Shop:
    """A merchant of one simulator, who calls one family's API."""

    def __init__(self, simulator, merchant, api, number):
        self.simulator, self.merchant, self.api, self.number = simulator, merchant, api, number
        self.own = {name: merchant.secret[name] for name in ("appid", "service_id")}

    def post(self, path, document):
        body = json.dumps(self.own | document).encode()
        reply = self.merchant.send("POST", f"/v3/payscore/{path}", body)
        self.merchant.verify(reply)
        return reply

    def create(self, **changes):
        document = {"out_order_no": self.number, "service_introduction": "智能柜购物"} | changes
        if self.api == "serviceorder":
            document |= {"time_range": {"start_time": "OnAccept"}, "notify_url": "http://127.0.0.1:9/"}
            document |= {"risk_fund": {"name": "ESTIMATE_ORDER_COST", "amount": 20000}}
        else:
            document |= {
                "service_start_time": "OnAccept",
                "service_start_location": "A 柜",
                "risk_amount": 20000,
            }
        return self.post(self.api, document)

    def act(self, action, document, api=None):
        number = escaped(self.number)
        return self.post(f"{api or self.api}/{number}/{action}", document)

    def query(self):
        reply = self.merchant.query(self.number, f"/v3/payscore/{self.api}")
        self.merchant.verify(reply)
        return reply.json()

    def complete(self):
        document = {"total_amount": 300, "profit_sharing": False}
        if self.api == "serviceorder":
            goods = {"name": "商品信息", "amount": 300, "description": "可乐", "count": 1}
            return self.act(
                "complete", document | {"post_payments": [goods], "time_range": {"end_time": END}}
            )
        document |= {"finish_type": 2, "fees": [{"fee_name": "可乐", "fee_amount": 300}]}
        document |= {"real_service_end_time": END, "finish_ticket": self.query()["finish_ticket"]}
        return self.act("complete", document)

    def sync(self, paid_time):
        detail = {"paid_time": paid_time}
        api = "serviceorder" if self.api == "serviceorder" else "payafter-orders"
        return self.act("sync", {"type": "Order_Paid", "detail": detail}, api)


@pytest.fixture
def shop(sim, merchant, number, request):
    return Shop(sim, merchant, request.param, number)


@pytest.mark.parametrize("shop", ALL, indirect=True)
def test_an_order_is_created_confirmed_completed_and_paid_at_the_counter(sim, shop):
    created = shop.create()
    assert (created.status_code, created.json()["state"]) == (200, "CREATED")
    assert created.json()["package"]
    assert shop.create().json() == created.json()
    assert shop.create(service_introduction="别的").status_code == 400
    sim.confirm(shop.number)
    assert shop.complete().status_code == 200
    now = shanghai(time.time() + sim.advance(2)["offset"])
    first, again = shop.sync(now), shop.sync(now)
    assert (first.status_code, again.json()) == (200, first.json())
    queried, entry = shop.query(), sim.order(shop.number)
    assert (entry["state"], entry["charged"], entry["synced"]) == ("USER_PAID", 0, 300)
    if shop.api == "serviceorder":
        (paid,) = queried["collection"]["details"]
        assert (queried["state"], paid["paid_type"], paid.get("transaction_id")) == ("DONE", "MCH", None)
    else:
        assert (queried["state"], queried["pay_type"]) == ("USER_PAID", "MchChannelPayType")
        assert "finish_transaction_id" not in queried


@pytest.mark.parametrize("shop", ALL, indirect=True)
def test_an_order_is_cancelled_before_the_shopper_confirms(sim, shop):
    shop.create()
    reply = shop.act("cancel", {"reason": "未取货"})
    assert (reply.status_code, len(reply.json())) == (200, 5)
    assert shop.act("cancel", {"reason": "未取货"}).json() == reply.json()
    assert shop.act("cancel", {"reason": "别的"}).status_code == 400
    assert shop.query()["state"] == "REVOKED"


@pytest.mark.parametrize("shop", OLD, indirect=True)
def test_the_old_families_cancel_no_order_that_was_confirmed(sim, shop):
    shop.create(need_user_confirm=False, openid="o")
    reply = shop.act("cancel", {"reason": "未取货"})
    assert (reply.status_code, reply.json()["code"]) == (400, "INVALID_ORDER_STATE")
    assert "finish_ticket" in shop.query()


@pytest.mark.parametrize("shop", OLD, indirect=True)
def test_an_order_is_not_known_on_the_other_path_unless_that_is_tolerated(sim, merchant, shop):
    shop.create(need_user_confirm=False, openid="o")
    (twin,) = {*OLD} - {shop.api}
    assert merchant.query(shop.number, f"/v3/payscore/{twin}").json()["code"] == "ORDER_NOT_EXIST"
    assert merchant.query(shop.number, "/v3/payscore/serviceorder").status_code == 404
    sim.tolerate("order.twin_path")
    assert merchant.query(shop.number, f"/v3/payscore/{twin}").json()["state"] == "USER_ACCEPTED"
    sim.tolerate()
