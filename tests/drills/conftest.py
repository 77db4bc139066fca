"""The deployed stack as it is operated: policies of its functions' roles count, alarms reach the topic."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wechatpay_sandbox import Simulator

from life import Execution
from local.aws import EmbeddedAws
from local.stack import Stack, deploy_for
from operations import executions
from tests.queues import take
from tests.stack import simulator

__all__ = ["simulator"]
WAIT_SECONDS = 15
PREFIX = "smart-retail-settlement-"


class Pager:
    """Somebody on call: a queue that receives the messages of the alarms' topic."""

    def __init__(self, stack: Stack) -> None:
        self._stack, self._sqs = stack, stack.client("sqs")
        self._url = self._sqs.create_queue(QueueName="on-call")["QueueUrl"]
        queue = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        (topic,) = stack.client("sns").list_topics()["Topics"]
        allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        self.topic = topic["TopicArn"]
        stack.client("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=queue["QueueArn"])
        self.messages: list[str] = []

    def states(self) -> dict[str, str]:
        """State of every alarm, by its name without the stack's."""
        alarms = self._stack.client("cloudwatch").describe_alarms()["MetricAlarms"]
        return {alarm["AlarmName"].removeprefix(PREFIX): alarm["StateValue"] for alarm in alarms}

    def rings(self, name: str) -> bool:
        """Whether this alarm goes off and its message arrives, within some seconds."""
        return self.receives(lambda text: f'"AlarmName": "{PREFIX}{name}"' in text and '"ALARM"' in text)

    def receives(self, about: Callable[[str], bool]) -> bool:
        """Whether a message of this kind arrives, within some seconds."""
        end = time.monotonic() + WAIT_SECONDS
        while not any(about(text) for text in self.messages):
            if time.monotonic() > end:
                return False
            self.states()  # the embedded AWS judges alarms when asked
            self.messages += [each["Message"] for each in take(self._sqs, self._url, seconds=1)]
        return True


@pytest.fixture(scope="session")
def stack(simulator: Simulator) -> Iterator[Stack]:
    with EmbeddedAws(wait_scale=0.002, auth=True) as aws:
        yield deploy_for(
            simulator,
            aws.environment(),
            AlarmEmail="night@example.com",
            NoSuccessHours="1",
            PaymentNotification="On",
        )


@pytest.fixture(scope="session")
def run(stack: Stack) -> Callable[[dict[str, Any]], Execution]:
    workflow = stack.client("stepfunctions")
    return lambda event: executions.follow(workflow, stack.start(json.dumps(event)))


@pytest.fixture(scope="session")
def order(simulator: Simulator) -> Callable[..., dict[str, Any]]:
    """Opens an order and returns its event, 12.00 yuan."""

    def opened(**fields: Any) -> dict[str, Any]:
        number = f"D{uuid.uuid4().hex[:20]}"
        simulator.open_order(number)
        fees = [{"fee_name": "矿泉水", "fee_amount": 1200}]
        event = {"out_order_no": number, "finish_type": 2, "fees": fees, "total_amount": 1200}
        return event | {"metadata": {"cabinet": "SZ-NS-003"}} | fields

    return opened


@pytest.fixture(scope="session")
def calm(pager: Pager) -> dict[str, str]:
    """The alarms' states after one order was settled, before anything went wrong."""
    return pager.before


@pytest.fixture(scope="session")
def pager(stack: Stack, run: Any, order: Any) -> Pager:
    on_call = Pager(stack)
    first = run(order())
    assert first.status == "SUCCEEDED", first
    on_call.before = on_call.states()
    return on_call
