"""What each API family takes of an order, and what is sent of it to serviceorder for unmanned retail."""

from typing import Any

import pytest
from complete_order.family_rules import FAMILY_RULES, family_problems
from complete_order.order import InvalidOrder

from tests.unit.complete_order.events import Event, cancelled, finished, parsed

TEA = {"fee_name": "乌龙茶", "fee_amount": 300}


def sent(event: Event, order_api: str, *, unmanned_retail: bool = True) -> dict[str, Any]:
    return dict(parsed(event).parameters_for(order_api, unmanned_retail=unmanned_retail))


def many(names: int) -> Event:
    discounts = [{"discount_name": str(n), "discount_amount": 1} for n in range(names)]
    return finished(fees=[{**TEA, "fee_amount": names}], discounts=discounts)


@pytest.mark.parametrize(
    ("order_api", "event", "problem"),
    [
        (
            "smartretail-orders",
            many(6),
            "discounts: must have at most 5 entries of different names, has 6",
        ),
        ("payafter-orders", many(6), "discounts: must have at most 5 entries of different names, has 6"),
        ("serviceorder", finished(), "fees: must have an entry for serviceorder"),
        (
            "serviceorder",
            finished(fees=[{"fee_name": "赠品", "fee_desc": "茶"}]),
            "fees[0].fee_amount: required for serviceorder",
        ),
        (
            "serviceorder",
            finished(fees=[{"fee_name": "商品信息", "fee_amount": 0}]),
            "fees[0].fee_desc: required for serviceorder where fee_name is 商品信息",
        ),
    ],
)
def test_what_a_family_does_not_take_is_invalid_under_our_own_path(
    order_api: str, event: Event, problem: str
) -> None:
    with pytest.raises(InvalidOrder) as raised:
        sent(event, order_api)
    assert raised.value.problems == [problem]
    assert raised.value.wanted is not None


def test_more_than_30_discounts_are_invalid_before_the_family_is_known() -> None:
    with pytest.raises(InvalidOrder, match="at most 30 entries of different names, has 31"):
        sent(many(31), "serviceorder")


@pytest.mark.parametrize("order_api", [None, "serviceorder"])
def test_serviceorder_and_an_unknown_family_take_30_discounts_and_no_more(order_api: str | None) -> None:
    assert not list(family_problems(many(30), order_api))
    assert dict(family_problems(many(31), order_api)) == {
        "discounts": "must have at most 30 entries of different names, has 31"
    }


def test_one_rule_holds_for_unmanned_retail_alone() -> None:
    # No source says for whom a rule holds: that is what `unmanned_retail` is for.
    assert all(rule.source[1:3] == ": " for rule in FAMILY_RULES)
    assert [rule.unmanned_retail for rule in FAMILY_RULES] == [False] * 4 + [True]
    goods = finished(fees=[{"fee_name": "商品信息", "fee_amount": 0}])
    assert not list(family_problems(goods, "serviceorder"))


@pytest.mark.parametrize(
    ("order_api", "event"),
    [
        ("smartretail-orders", finished()),
        ("payafter-orders", many(5)),
        ("smartretail-orders", finished(fees=[{"fee_name": "商品信息", "fee_amount": 0}])),
        ("serviceorder", cancelled()),
    ],
)
def test_what_a_family_takes_is_sent_as_it_is(order_api: str, event: Event) -> None:
    assert sent(event, order_api) == parsed(event).parameters


def test_serviceorder_takes_30_discounts() -> None:
    assert len(sent(many(30), "serviceorder")["discounts"]) == 30


@pytest.mark.parametrize(
    ("fee", "description", "count"),
    [
        ({"fee_name": "乌龙茶"}, "乌龙茶", 1),
        ({"fee_name": "乌龙茶", "fee_desc": "500ml", "fee_count": 3}, "乌龙茶 500ml", 3),
        ({"fee_name": "茶" * 20, "fee_desc": "描" * 30}, "茶" * 20 + " " + "描" * 9, 1),
        ({"fee_name": "商品信息", "fee_desc": "乌龙茶", "fee_count": 2}, "乌龙茶", 2),
    ],
)
def test_unmanned_retail_names_every_fee_goods_and_describes_it(
    fee: dict[str, Any], description: str, count: int
) -> None:
    event = finished(fees=[fee | {"fee_amount": 300}], total_amount=300)
    goods = {"fee_name": "商品信息", "fee_amount": 300, "fee_desc": description, "fee_count": count}
    assert sent(event, "serviceorder")["fees"] == [goods]
    assert sent(event, "smartretail-orders")["fees"] == [fee | {"fee_amount": 300}]


def test_another_trade_has_its_fees_sent_under_their_own_names() -> None:
    fees = [TEA, {"fee_name": "商品信息", "fee_amount": 0}]
    event = finished(fees=fees, total_amount=300)
    assert sent(event, "serviceorder", unmanned_retail=False)["fees"] == fees
