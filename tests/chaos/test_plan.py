"""The plan depends on the seed alone, holds every scenario, and is what the product takes."""

import itertools
from datetime import UTC, datetime

import pytest
from complete_order import order as order_event
from wechatpay.order_apis import ORDER_APIS
from wechatpay_sandbox.fault_kinds import KINDS
from wechatpay_sandbox.fault_options import make

from chaos import __main__ as chaos
from chaos import scenarios
from chaos.plan import OPEN
from chaos.wechat import at_random


@pytest.fixture(scope="module")
def plan():
    return scenarios.make(400, 7)


def test_a_seed_makes_one_plan_and_another_seed_another(plan):
    assert scenarios.make(400, 7) == plan
    assert scenarios.make(400, 8) != plan


def test_every_scenario_is_in_a_small_plan_and_no_number_twice(plan):
    small = scenarios.make(len(scenarios.SCENARIOS), 1)
    assert {order.scenario for order in small} == set(scenarios.SCENARIOS)
    assert len({order.number for order in plan}) == len(plan)


def test_orders_start_in_both_ways_with_and_without_a_ticket(plan):
    arrivals = [arrival for order in plan for arrival in order.arrivals]
    ways = {(arrival.on_bus, "finish_ticket" in arrival.event) for arrival in arrivals}
    assert len(ways) == 4
    assert max(arrival.copies for arrival in arrivals) == 10


def test_orders_of_every_family_come_named_and_unnamed(plan):
    ways = set()
    for order in plan:
        assert order.opened["api"] == order.order_api
        for arrival in order.arrivals:
            assert arrival.event.get("order_api") in (None, order.order_api)
            ways.add((order.order_api, "order_api" in arrival.event, "finish_ticket" in arrival.event))
    unknowable = ("serviceorder", False, True)  # a ticket says that it is of another family
    every = itertools.product(ORDER_APIS, (True, False), (True, False))
    assert ways == {way for way in every if way != unknowable}


def test_only_what_is_planned_as_invalid_is_invalid(plan):
    for order in plan:
        for arrival in order.arrivals:
            try:
                parsed = order_event.parse(arrival.event, default_mchid="1", now=datetime.now(UTC))
            except order_event.InvalidOrder:
                parsed = None
            assert (parsed is not None) == arrival.valid
            if parsed is not None:
                assert (parsed.finish_type, parsed.total_amount) == (
                    arrival.asks.finish_type,
                    arrival.asks.amount,
                )


def test_an_order_becomes_only_what_was_asked_or_others_made_of_it(plan):
    others = {"settled_meanwhile", "settled_before"}
    for order in plan:
        assert order.may_become
        if order.scenario not in others:
            asked = {arrival.asks for arrival in order.arrivals if arrival.valid}
            assert order.may_become <= asked | {OPEN}


def test_every_kind_of_fault_is_thrown_at_random_or_planned(plan):
    thrown = {
        make(str(kind["fault"]), {k: v for k, v in kind.items() if k != "fault"}).name for kind in at_random()
    }
    planned = {str(fault["fault"]) for order in plan for fault in order.faults}
    # no_auth needs the operator by design, reply is whatever a test wants, lost_then_404 brings not_found.
    assert set(KINDS) - thrown - planned == {"no_auth", "reply", "not_found"}


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ("--orders=0", "1 or more"),
        ("--rate=1.1", "0 to 1"),
        ("--rate=-1", "0 to 1"),
        ("--at-a-time=0", "1 or more"),
    ],
)
def test_a_number_out_of_range_is_named(wrong, rule, capsys):
    with pytest.raises(SystemExit):
        chaos.main([wrong])
    assert rule in capsys.readouterr().err
