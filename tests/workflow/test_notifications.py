"""PaymentNotification on the deployed stack: it wakes an order, never publishes, and bounds no wait."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from wechatpay_sandbox import MCHID, Simulator
from wechatpay_sandbox.notifications import Flaw, Shape

from life import Execution
from local.aws import EmbeddedAws
from local.stack import Stack, deploy_for
from operations import executions
from tests.workflow.conftest import Outbox

FLAWS: list[Flaw] = ["wrong-signature", "signtest", "stale", "early", "unknown-serial", "unsigned"]
# The fourth wait of 300 s lasts 15 s: time enough for a notification, and little for the loop to end alone.
WAIT_SCALE = 0.05
LONG_WAIT = 4
PATIENCE = 120


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(debit_after=3600) as running:
        yield running


@pytest.fixture(scope="module")
def stack(simulator: Simulator) -> Iterator[Stack]:
    with EmbeddedAws(wait_scale=WAIT_SCALE) as aws:
        yield deploy_for(simulator, aws.environment(), PaymentNotification="On")


@pytest.fixture(scope="module")
def outbox(stack: Stack) -> Outbox:
    return Outbox(stack)


@dataclass
class Followed:
    """Orders that were accepted and are in their fourth wait, by name."""

    stack: Stack
    simulator: Simulator
    outbox: Outbox
    arns: dict[str, str]

    @property
    def address(self) -> str:
        return f"{self.stack.notification_url}{MCHID}"

    def notify(self, name: str, *, shape: Shape = "smartretail", flaw: Flaw | None = None) -> int:
        """Send a notification about an order; returns the status of the answer."""
        notification = self.simulator.paid_notification(name, shape, flaw=flaw, total_amount=1200)
        return notification.send(self.address, seconds=PATIENCE)[0]

    def ended(self, name: str) -> Execution:
        return executions.follow(self.stack.client("stepfunctions"), self.arns[name])

    def waits(self, name: str) -> int:
        """How often an order has been waited for so far."""
        history = self.stack.client("stepfunctions").get_paginator("get_execution_history")
        pages = history.paginate(executionArn=self.arns[name])
        entered = [e.get("stateEnteredEventDetails", {}).get("name") for p in pages for e in p["events"]]
        return entered.count("AwaitNotification")

    def published(self, name: str) -> list[str]:
        return [event["detail-type"] for event in self.outbox.about(name)]


@pytest.fixture(scope="module")
def followed(stack: Stack, simulator: Simulator, outbox: Outbox) -> Followed:
    arns = {}
    for name in ("smartretail", "serviceorder", "unproven", "unpaid"):
        # No event names the API of its order.
        api = "serviceorder" if name == "serviceorder" else "smartretail-orders"
        simulator.open_order(name, api=api, debit_after=None if name == "unpaid" else 3600)
        arns[name] = stack.start(json.dumps(order(name)))
    orders = Followed(stack, simulator, outbox, arns)
    # The address runs from cold now, not when a test counts the seconds of a wait.
    assert orders.notify("unpaid", flaw="unsigned") == 401
    until = time.monotonic() + PATIENCE
    while min(orders.waits(name) for name in arns) < LONG_WAIT:
        assert time.monotonic() < until
    simulator.advance(3601)
    return orders


def order(name: str) -> dict[str, Any]:
    return {
        "out_order_no": name,
        "mchid": MCHID,
        "finish_type": 2,
        "fees": [{"fee_name": "矿泉水", "fee_amount": 1200}],
        "total_amount": 1200,
        "metadata": {"cabinet": "SZ-NS-003"},
    }


@pytest.mark.parametrize("shape", ["smartretail", "serviceorder"])
def test_a_notification_ends_the_wait_and_the_order_is_announced_once(followed: Followed, shape: Shape):
    assert followed.notify(shape, shape=shape) == 204
    execution = followed.ended(shape)
    again = followed.notify(shape, shape=shape)

    assert execution.states[-5:] == ["AwaitNotification", "QueryOrder", "Payment", "OrderPaid", "Completed"]
    assert execution.raised == ["States.Timeout"] * (LONG_WAIT - 1)
    assert again == 204
    assert followed.published(shape) == ["Order Completed", "Order Paid"]
    paid = followed.outbox.about(shape)[-1]["detail"]
    assert paid["payment"]["state"] == "PAID"
    assert (paid["metadata"], paid["execution"]) == ({"cabinet": "SZ-NS-003"}, execution.arn)


def test_an_order_found_in_serviceorder_is_followed_in_serviceorder(followed: Followed, simulator: Simulator):
    followed.notify("serviceorder", shape="serviceorder")
    execution = followed.ended("serviceorder")

    completed, paid = (event["detail"] for event in followed.outbox.about("serviceorder", 2))
    assert [each["order_api"] for each in (completed, paid, execution.output)] == ["serviceorder"] * 3
    [transaction] = paid["payment"]["transactions"]
    assert transaction["amount"] == 1200
    apis = [request["api"] for request in simulator.requests("serviceorder")]
    first = apis.index("serviceorder")
    assert apis[:first] == ["smartretail-orders", "payafter-orders"]
    assert set(apis[first:]) == {"serviceorder"}
    assert len(apis[first:]) > LONG_WAIT


def test_a_notification_of_what_is_not_paid_ends_no_wait(followed: Followed):
    waited = followed.waits("unpaid")
    assert followed.notify("unpaid") == 503
    assert followed.waits("unpaid") == waited


def test_without_a_notification_the_loop_announces_the_payment_once(
    followed: Followed,
):
    assert {followed.notify("unproven", flaw=flaw) for flaw in FLAWS} == {401}

    execution = followed.ended("unproven")

    assert execution.states[-5:] == ["AwaitNotification", "QueryOrder", "Payment", "OrderPaid", "Completed"]
    assert execution.raised == ["States.Timeout"] * LONG_WAIT
    assert followed.notify("unproven") == 204
    assert followed.published("unproven") == ["Order Completed", "Order Paid"]


def test_a_workflow_whose_table_is_gone_waits_by_the_clock(followed: Followed):
    dynamodb = followed.stack.client("dynamodb")
    (table,) = dynamodb.list_tables()["TableNames"]
    dynamodb.delete_table(TableName=table)
    followed.simulator.open_order("clock", debit_after=0)
    followed.arns["clock"] = followed.stack.start(json.dumps(order("clock")))

    execution = followed.ended("clock")

    way = ["Payment", "AwaitNotification", "AwaitPayment", "QueryOrder", "Payment", "OrderPaid", "Completed"]
    assert execution.states[-7:] == way
    assert followed.published("clock") == ["Order Completed", "Order Paid"]
