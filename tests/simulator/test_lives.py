"""Orders of the old families: created, cancelled, paid late, by hand or elsewhere; rules lifted."""

from random import Random

import pytest
from wechatpay_sandbox.order import NotPossible, Order
from wechatpay_sandbox.orders import Orders
from wechatpay_sandbox.rules import SOURCE
from wechatpay_sandbox.ruleset import RULES

NOW = 1_717_207_200.0


def an_order(**settings) -> tuple[Orders, Order]:
    orders = Orders("1900000001", "wx", "500001", 5.0, Random(1))
    return orders, orders.open("A1", NOW, settings)


def test_every_rule_has_a_source_and_a_reason():
    assert all(SOURCE.fullmatch(rule.source) and rule.reason for rule in RULES.values())


def test_an_order_nobody_confirms_expires_after_an_hour():
    orders, order = an_order(state="CREATED")
    orders.catch_up(order, NOW + 3599)
    assert order.state == "CREATED"
    orders.catch_up(order, NOW + 3600)
    assert order.state == "EXPIRED"
    with pytest.raises(NotPossible):
        order.confirm()


def test_an_empty_purse_is_asked_again_until_it_is_filled():
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
