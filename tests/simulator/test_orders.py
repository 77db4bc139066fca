"""An order is completed once, however often it is asked; the shopper is charged once, by WeChat Pay."""

import re
import time
from random import Random

import pytest
from wechatpay_sandbox import Simulator
from wechatpay_sandbox.order import RISK_CAP, Order
from wechatpay_sandbox.orders import Orders
from wechatpay_sandbox.times import shanghai

NOW = 1_717_207_200.0  # 2024-06-01 10:00:00 in Shanghai
FINISHED = {"finish_type": 2, "total_amount": 1200}


def an_order(**settings) -> tuple[Orders, Order]:
    orders = Orders("1900000001", "wx", "500001", 5.0, Random(1))
    return orders, orders.open("A1", NOW, settings)


def test_a_200_carries_exactly_the_five_documented_fields(sim, merchant, opened, ticket):
    reply = merchant.complete(opened, merchant.body(ticket))
    assert set(reply.json()) == {"appid", "mchid", "out_order_no", "service_id", "order_id"}
    assert reply.json()["out_order_no"] == opened
    assert reply.json()["order_id"] == sim.order(opened)["order_id"]


def test_every_reply_has_a_request_id_that_ends_in_the_internal_code(merchant, opened):
    assert re.fullmatch(r"[0-9A-F]+-0", merchant.query(opened).headers["Request-ID"])


def test_re_entry_with_identical_parameters_is_absorbed_with_any_ticket(sim, merchant, opened, ticket):
    document = merchant.body(ticket)
    first = merchant.complete(opened, document)
    again = merchant.complete(opened, document | {"finish_ticket": "another"})
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    entry = sim.order(opened)
    assert (entry["accepted"], entry["reentries"], entry["calls"]) == (1, 1, {"complete": 2})


@pytest.mark.parametrize(
    "change",
    [
        {"total_amount": 1100, "discounts": [{"discount_name": "满10减2", "discount_amount": 200}]},
        {"real_service_end_location": "别处"},
        {"profit_sharing": True},
    ],
    ids=str,
)
def test_re_entry_with_other_parameters_is_refused(sim, merchant, internal_code, opened, ticket, change):
    merchant.complete(opened, merchant.body(ticket))
    reply = merchant.complete(opened, merchant.body(ticket, **change))
    assert (reply.status_code, reply.json()["message"]) == (400, "订单重入参数校验失败")
    assert internal_code(reply) == "271316598"
    assert sim.order(opened)["total_amount"] == 1200


def test_a_wrong_ticket_is_refused(sim, merchant, opened):
    reply = merchant.complete(opened, merchant.body("no such ticket"))
    assert (reply.status_code, reply.json()["message"]) == (400, "校验完结凭证错误")
    assert sim.order(opened)["accepted"] == 0


def test_each_query_brings_a_new_ticket_and_older_ones_stay_valid(merchant, opened):
    older = merchant.query(opened).json()["finish_ticket"]
    newer = merchant.query(opened).json()["finish_ticket"]
    assert older != newer
    assert merchant.complete(opened, merchant.body(older)).status_code == 200


@pytest.mark.parametrize("state", ["CREATED", "EXPIRED", "REVOKED"])
def test_an_order_in_another_state_cannot_be_completed(sim, merchant, number, state):
    sim.open_order(number, state=state)
    reply = merchant.complete(number, merchant.body("t"))
    assert (reply.status_code, reply.json()["message"]) == (400, "完结订单状态不合法")
    assert sim.order(number)["state"] == state


def test_a_total_above_the_risk_cap_is_refused(merchant, internal_code, opened, ticket):
    fees = [{"fee_name": "金表", "fee_amount": RISK_CAP + 1}]
    document = merchant.body(ticket, fees=fees, discounts=..., total_amount=RISK_CAP + 1)
    reply = merchant.complete(opened, document)
    assert (reply.status_code, internal_code(reply)) == (400, "271316656")


def test_an_end_before_the_start_is_refused(merchant, internal_code, opened, ticket):
    reply = merchant.complete(opened, merchant.body(ticket, real_service_end_time="20240601101459"))
    assert (reply.status_code, internal_code(reply)) == (400, "271316637")


@pytest.mark.parametrize("end", ["20240601101500", "20240601"])
def test_a_service_may_end_the_moment_it_starts(merchant, opened, ticket, end):
    assert merchant.complete(opened, merchant.body(ticket, real_service_end_time=end)).status_code == 200


def test_an_end_in_the_future_is_refused(merchant, opened, ticket):
    reply = merchant.complete(opened, merchant.body(ticket, real_service_end_time="29990101"))
    message = "实际结束时间不能晚于使用完结接口的时间"
    assert (reply.status_code, reply.json()["message"]) == (400, message)


@pytest.mark.parametrize(("skew", "status"), [(-30.0, 400), (30.0, 200)])
def test_an_end_is_compared_with_wechat_pays_own_clock(as_merchant, skew, status):
    with Simulator(clock_skew=skew) as simulator:
        merchant = as_merchant(simulator)
        ticket = simulator.open_order("A1")["finish_ticket"]
        body = merchant.body(ticket, real_service_end_time=shanghai(time.time()))
        assert merchant.complete("A1", body).status_code == status
        simulator.set_clock(0)
        merchant.verify(merchant.query("A1"))


@pytest.mark.parametrize("left_as", ["REVOKED", "FINISHED"])
def test_a_cancellation_charges_nothing(sim, merchant, number, left_as):
    sim.open_order(number, cancelled_state=left_as, debit_after=0)
    ticket = sim.order(number)["finish_ticket"]
    gone = dict.fromkeys(("fees", "discounts", "real_service_end_location"), ...)
    document = merchant.body(ticket, finish_type=1, cancel_reason="未取货", total_amount=0, **gone)
    assert merchant.complete(number, document).status_code == 200
    queried = merchant.query(number).json()
    assert (queried["state"], queried["finish_type"]) == (left_as, 1)
    assert sim.order(number)["charged"] == 0


def test_the_shopper_is_charged_once_and_some_time_later():
    orders, order = an_order()
    order.settle(FINISHED, "merchant", NOW)
    orders.catch_up(order, NOW + 4.9)
    assert (order.state, order.debits, order.charged) == ("FINISHED", 0, 0)
    for moment in (5.0, 6.0, 60.0):
        orders.catch_up(order, NOW + moment)
        assert (order.state, order.debits, order.charged) == ("USER_PAID", 1, 1200)
    assert shanghai(order.paid_at) == "20240601100005"


def test_nothing_to_pay_is_never_debited():
    orders, order = an_order(debit_after=0)
    order.settle(FINISHED | {"total_amount": 0}, "merchant", NOW)
    orders.catch_up(order, NOW + 1e6)
    assert (order.state, order.debits) == ("FINISHED", 0)


@pytest.mark.parametrize(
    ("settings", "state", "charged"),
    [
        ({"debit_after": 0}, "USER_PAID", 1200),
        ({"debit_after": 60}, "FINISHED", 0),
        ({"debit_after": None}, "FINISHED", 0),
        ({"debit_after": 0, "debit_amount": 900}, "USER_PAID", 900),
    ],
    ids=str,
)
def test_a_debit_can_be_at_once_late_never_or_wrong(sim, merchant, number, settings, state, charged):
    ticket = sim.open_order(number, **settings)["finish_ticket"]
    merchant.complete(number, merchant.body(ticket))
    queried = merchant.query(number).json()
    paid = {"finish_transaction_id", "pay_succ_time"} <= queried.keys()
    assert (queried["state"], paid) == (state, state == "USER_PAID")
    assert queried["total_amount"] == (charged or 1200)
    assert sim.order(number)["charged"] == charged


def test_time_can_be_moved_so_that_nobody_waits_for_a_debit(as_merchant):
    with Simulator(debit_after=3600) as simulator:
        merchant = as_merchant(simulator)
        merchant.complete("A1", merchant.body(simulator.open_order("A1")["finish_ticket"]))
        assert merchant.query("A1").json()["state"] == "FINISHED"
        simulator.advance(3600)
        reply = merchant.query("A1")
        merchant.verify(reply)
        assert reply.json()["state"] == "USER_PAID"


def test_a_query_shows_a_ticket_only_while_the_order_can_be_completed(merchant, opened, ticket):
    assert "finish_ticket" in merchant.query(opened).json()
    merchant.complete(opened, merchant.body(ticket))
    queried = merchant.query(opened).json()
    assert "finish_ticket" not in queried
    assert "pay_succ_time" not in queried
    assert (queried["finish_type"], queried["total_amount"]) == (2, 1200)
    assert "order_id" not in queried


def test_opening_an_order_again_changes_nothing_unless_it_is_replaced(sim, merchant, opened, ticket):
    merchant.complete(opened, merchant.body(ticket))
    assert sim.open_order(opened)["state"] == "FINISHED"
    assert sim.open_order(opened, replace=True)["state"] == "USER_ACCEPTED"


@pytest.mark.parametrize(
    "settings", [{"colour": "red"}, {"state": "OPEN"}, {"risk_cap": "1"}, {"risk_cap": True}], ids=str
)
def test_an_order_cannot_be_opened_with_settings_that_mean_nothing(sim, number, settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        sim.open_order(number, **settings)


def test_an_order_can_be_settled_before_the_story_begins(sim, merchant, number):
    sim.open_order(number, state="FINISHED", finish_type=2, total_amount=700)
    assert merchant.query(number).json()["total_amount"] == 700
    assert (sim.order(number)["settled_by"], sim.order(number)["accepted"]) == ("someone else", 0)
