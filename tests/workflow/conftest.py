"""The deployed stack: the built template, unchanged, on an embedded AWS, against the WeChat Pay simulator."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wechatpay_sandbox import Simulator

from life import Attempt, Execution, Step
from local.aws import EmbeddedAws
from local.stack import Stack, deploy_for
from operations import executions
from tests.queues import take
from tests.schemas import problems, undocumented
from tests.stack import number, simulator

__all__ = ["number", "simulator"]
WAIT_SECONDS = 20
# The day for which payment is waited for passes in under two seconds.
WAIT_SCALE = 2e-5
PAYMENT_WAIT_DAYS = 1


@pytest.fixture(scope="session")
def stack(simulator: Simulator) -> Iterator[Stack]:
    """One for each process of the test run; order numbers keep tests apart."""
    with EmbeddedAws(wait_scale=WAIT_SCALE) as aws:
        yield deploy_for(simulator, aws.environment(), PaymentWaitDays=str(PAYMENT_WAIT_DAYS))


class Outbox:
    """A queue that receives every event the workflow publishes, and checks each against its schema."""

    def __init__(self, stack: Stack) -> None:
        self._sqs = stack.client("sqs")
        self._url = stack.queue_of_published("published")
        self._events: list[dict[str, Any]] = []

    def about(self, out_order_no: str, count: int = 1) -> list[dict[str, Any]]:
        """Events about an order: waits for so many, then takes all there are."""
        waited = 0
        while self._receive(0) or (len(self._of(out_order_no)) < count and waited < WAIT_SECONDS):
            waited += len(self._of(out_order_no)) < count and not self._receive(1)
        return self._of(out_order_no)

    def details(self, out_order_no: str, *types: str) -> list[dict[str, Any]]:
        """The details of the events about an order, which must be one of each of these types and no other."""
        by_type = {event["detail-type"]: event["detail"] for event in self.about(out_order_no, len(types))}
        assert sorted(event["detail-type"] for event in self._of(out_order_no)) == sorted(types)
        return [by_type[each] for each in types]

    def _of(self, out_order_no: str) -> list[dict[str, Any]]:
        return [event for event in self._events if event["detail"]["out_order_no"] == out_order_no]

    def _receive(self, seconds: int) -> bool:
        events = take(self._sqs, self._url, seconds=seconds)
        self._events += events
        for event in events:
            assert problems(event["detail-type"], event["detail"]) == []
            assert undocumented(event["detail-type"], event["detail"]) == set()
        return bool(events)


@pytest.fixture(scope="session")
def outbox(stack: Stack) -> Outbox:
    return Outbox(stack)


@pytest.fixture
def order(number: str) -> dict[str, Any]:
    """The event of that order: 12.00 yuan."""
    return {
        "out_order_no": number,
        "finish_type": 2,
        "real_service_start_time": "20251001183012",
        "real_service_end_time": "20251001183147",
        "fees": [{"fee_name": "矿泉水", "fee_count": 2, "fee_amount": 1300}],
        "discounts": [{"discount_name": "新客立减", "discount_amount": 100}],
        "total_amount": 1200,
        "metadata": {"cabinet": "SZ-NS-003"},
    }


@pytest.fixture
def ledger(simulator: Simulator) -> Callable[[str], dict[str, Any]]:
    """The state of an order at WeChat Pay."""
    return lambda number: next(entry for entry in simulator.ledger() if entry["out_order_no"] == number)


type Run = Callable[..., Execution]


@pytest.fixture
def run(stack: Stack, outbox: Outbox) -> Run:
    """Start the workflow with an event and follow it to its end, calling `on_step` with each step."""
    workflow = stack.client("stepfunctions")

    def run(event: dict[str, Any], on_step: Callable[[Step | Attempt], None] = lambda _: None) -> Any:
        return executions.follow(workflow, stack.start(json.dumps(event)), on_step)

    return run
