"""`make sync`: an order that was paid at the counter, reported to WeChat Pay, on a deployed stack."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from wechatpay.forms import SHANGHAI
from wechatpay_sandbox import Simulator

from local.stack import Stack
from operations.executions import WAITS_FOR_PAYMENT, follow
from tests.operations.conftest import Command, Ran
from tests.stack import FEES

FAMILIES = ["smartretail-orders", "payafter-orders", "serviceorder"]
SYNCED = {"smartretail-orders": "payafter-orders", "payafter-orders": "payafter-orders"}


def in_shanghai(**ahead: float) -> str:
    return (datetime.now(SHANGHAI) + timedelta(**ahead)).strftime("%Y%m%d%H%M%S")


@pytest.fixture
def number() -> str:
    return f"S|{uuid.uuid4().hex[:20]}*"


@pytest.fixture
def sync(command: Command, number: str) -> Callable[..., Ran]:
    def run(paid_at: str | None = None, typed: str = "") -> Ran:
        at = in_shanghai(seconds=0) if paid_at is None else paid_at
        return command("sync", "--order", number, "--paid-at", at, typed=typed)

    return run


def opened(simulator: Simulator, number: str, order_api: str = "smartretail-orders", **state: Any) -> None:
    settled = {"finish_type": 2, "total_amount": 300, **state}
    simulator.set_clock(-5)  # it was completed a little while ago
    simulator.open_order(number, api=order_api, debit_after=None, **settled)
    simulator.set_clock(0)


def syncs(simulator: Simulator, number: str) -> list[str]:
    return [each["target"] for each in simulator.requests(number) if each["target"].endswith("/sync")]


@pytest.mark.parametrize("order_api", FAMILIES)
def test_an_unpaid_order_is_reported_once_its_number_is_typed(
    simulator: Simulator, stack: Stack, sync: Callable[..., Ran], number: str, order_api: str
) -> None:
    opened(simulator, number, order_api)
    ran = sync(in_shanghai(seconds=-1), typed=f"{number}\n")
    assert (ran.status, "WeChat Pay says paid" in ran.text) == (0, True), ran.text
    assert "the shopper is debited no more" in ran.text
    assert "¥3.00" in ran.text
    entry = simulator.order(number)
    assert (entry["state"], entry["charged"], entry["synced"]) == ("USER_PAID", 0, 300)
    assert syncs(simulator, number)[0].startswith(f"/v3/payscore/{SYNCED.get(order_api, order_api)}/")
    again = sync(in_shanghai(seconds=-1))
    assert (again.status, "already" in again.text) == (0, True)
    assert len(syncs(simulator, number)) == 1


@pytest.mark.parametrize("typed", ["", "y\n", "S|another*\n"])
def test_nothing_is_sent_unless_the_number_is_typed(
    simulator: Simulator, stack: Stack, sync: Callable[..., Ran], number: str, typed: str
) -> None:
    opened(simulator, number)
    ran = sync(typed=typed)
    assert (ran.status, "nothing was sent" in ran.text) == (1, True)
    assert syncs(simulator, number) == []


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ({"state": "USER_ACCEPTED", "finish_type": ...}, "has nothing to be paid"),
        ({"state": "USER_PAID"}, "is paid through WeChat Pay"),
        ({"state": "REVOKED", "finish_type": 1, "total_amount": 0}, "has nothing to be paid"),
        ({"finish_type": 2, "total_amount": 0}, "has nothing to be paid"),
    ],
    ids=str,
)
def test_an_order_that_is_not_completed_and_unpaid_is_not_reported(
    simulator: Simulator, stack: Stack, sync: Callable[..., Ran], number: str, state: dict[str, Any], why: str
) -> None:
    if state.get("finish_type") is ...:
        simulator.open_order(number)
    else:
        opened(simulator, number, **state)
    ran = sync(typed=f"{number}\n")
    assert (ran.status, why in ran.text) == (1, True), ran.text
    assert syncs(simulator, number) == []


def test_an_order_that_is_paid_in_part_is_not_reported(
    simulator: Simulator, stack: Stack, sync: Callable[..., Ran], number: str
) -> None:
    opened(simulator, number, "serviceorder")
    simulator.pay(number, 100)
    ran = sync(typed=f"{number}\n")
    assert (ran.status, "paid in part, 100 of 300 fen" in ran.text) == (1, True), ran.text
    assert syncs(simulator, number) == []


def test_what_is_unknown_or_unproven_is_not_reported(
    simulator: Simulator, stack: Stack, sync: Callable[..., Ran], number: str
) -> None:
    assert "no verified state" in sync(typed=f"{number}\n").text
    opened(simulator, number)
    simulator.script(number, "query", fault="unsigned", times=None)
    assert "no verified state" in sync(typed=f"{number}\n").text
    simulator.clear_faults(number)
    assert syncs(simulator, number) == []


@pytest.mark.parametrize("fault", ["reset_after", "unsigned", "wrong_signature"])
def test_a_report_whose_answer_proves_nothing_is_judged_by_a_query(
    simulator: Simulator, stack: Stack, sync: Callable[..., Ran], number: str, fault: str
) -> None:
    opened(simulator, number)
    simulator.script(number, "sync", fault=fault)
    assert "WeChat Pay says paid" in sync(in_shanghai(seconds=-1), typed=f"{number}\n").text


def test_a_refused_report_is_printed_and_may_be_repeated(
    simulator: Simulator, stack: Stack, sync: Callable[..., Ran], number: str
) -> None:
    opened(simulator, number)
    simulator.script(number, "sync", fault="unavailable")
    ran = sync(in_shanghai(seconds=-1), typed=f"{number}\n")
    assert (ran.status, "Run the same command again" in ran.text) == (1, True), ran.text
    assert sync(in_shanghai(seconds=-1), typed=f"{number}\n").status == 0


@pytest.mark.parametrize(
    ("at", "why"),
    [(in_shanghai(hours=1), "lies ahead"), ("yesterday", "is no time"), ("", "which order, paid when?")],
    ids=["ahead", "no time", "empty"],
)
def test_a_time_that_cannot_be_is_refused(
    simulator: Simulator, stack: Stack, sync: Callable[..., Ran], number: str, at: str, why: str
) -> None:
    opened(simulator, number)
    ran = sync(at, typed=f"{number}\n")
    assert (ran.status, why in ran.text) == (1, True), ran.text
    assert syncs(simulator, number) == []


def test_an_order_that_the_workflow_follows_is_paid_after_the_report(
    simulator: Simulator, stack: Stack, sync: Callable[..., Ran], number: str
) -> None:
    simulator.open_order(number, api="serviceorder", debit_after=None)
    event = {"out_order_no": number, "order_api": "serviceorder", "finish_type": 2, **FEES}
    client = stack.client("stepfunctions")
    simulator.set_clock(-5)
    follow(client, stack.start(json.dumps(event)), until=WAITS_FOR_PAYMENT)
    simulator.set_clock(0)
    early = sync(in_shanghai(hours=-1), typed=f"{number}\n")
    assert (early.status, "before the order was completed" in early.text) == (1, True), early.text
    ran = sync(in_shanghai(seconds=0), typed=f"{number}\n")
    assert ran.status == 0, ran.text
