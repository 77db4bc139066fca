"""The example of a consumer, deployed beside the stack: what it receives, and what its reader books."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.stack import Stack
from tests.docs.markdown import ROOT, Document

EXAMPLE = ROOT / "examples/consumer"
PATIENCE_SECONDS = 20


@pytest.fixture(scope="module")
def consumer(stack: Stack) -> Iterator[dict[str, str]]:
    """Outputs of the example's stack."""
    formation = stack.client("cloudformation")
    formation.create_stack(
        StackName="order-consumer",
        TemplateBody=(EXAMPLE / "template.yaml").read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": "EventBusName", "ParameterValue": stack.outputs["EventBusName"]}],
    )
    formation.get_waiter("stack_create_complete").wait(
        StackName="order-consumer", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    (described,) = formation.describe_stacks(StackName="order-consumer")["Stacks"]
    yield {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    formation.delete_stack(StackName="order-consumer")


@pytest.fixture
def consume(consumer: dict[str, str], stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The reader that the example's README shows."""
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", stack.environment["AWS_REGION"])
    (reader,) = Document("examples/consumer/README.md").of("python")
    names: dict[str, Any] = {}
    exec(reader, names)
    return lambda book: names["consume"](consumer["QueueUrl"], book)


def test_paid_and_failed_orders_are_booked_and_accepted_ones_are_not(
    run, order, number, simulator, consume, outbox
):
    other = f"{number[:-1]}|"
    simulator.open_order(other)
    run(order)
    run({**order, "out_order_no": other, "total_amount": 1})

    book: dict[tuple[str, str, str], dict[str, Any]] = {}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(book) < 2 and time.monotonic() < deadline:
        consume(book)

    _, paid = outbox.details(number, "Order Completed", "Order Paid")
    (failed,) = outbox.details(other, "Order Failed")
    assert book == {
        ("Order Paid", "1900000001", number): paid,
        ("Order Failed", "None", other): failed,
    }


@pytest.mark.parametrize("queue", ["QueueUrl", "DeadLettersUrl"])
def test_its_queues_are_encrypted_and_take_from_the_rule_only(queue: str, consumer, stack: Stack):
    reply = stack.client("sqs").get_queue_attributes(QueueUrl=consumer[queue], AttributeNames=["All"])
    attributes = reply["Attributes"]

    assert attributes["SqsManagedSseEnabled"] == "true"
    allowed = [each for each in json.loads(attributes["Policy"])["Statement"] if each["Effect"] == "Allow"]
    assert [(each["Action"], each["Principal"]) for each in allowed] == [
        ("sqs:SendMessage", {"Service": "events.amazonaws.com"})
    ]
    assert "OrdersRule" in allowed[0]["Condition"]["ArnEquals"]["aws:SourceArn"]


def test_what_its_reader_fails_at_five_times_is_kept(consumer, stack: Stack):
    sqs = stack.client("sqs")
    queue, dead = (
        sqs.get_queue_attributes(QueueUrl=consumer[each], AttributeNames=["All"])["Attributes"]
        for each in ("QueueUrl", "DeadLettersUrl")
    )

    redrive = json.loads(queue["RedrivePolicy"])
    assert (redrive["deadLetterTargetArn"], int(redrive["maxReceiveCount"])) == (dead["QueueArn"], 5)
    assert dead["MessageRetentionPeriod"] == "1209600"
