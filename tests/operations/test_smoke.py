"""`make smoke`: one execution after a deployment, followed to its end; without an order nobody is charged."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from wechatpay_sandbox import Simulator

from life import Attempt, Step
from local.stack import Stack
from operations import executions, smoke
from tests.operations.conftest import Command

ROLE = "arn:aws:iam::000000000000:role/none"
PATH_OF_A_FAILED_ORDER = ["ServiceEnded", "Outcome", "OrderFailed", "Failed"]


def states(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.startswith("  ") and line.strip().isalpha()]


def test_an_order_that_cannot_exist_proves_the_wiring_and_charges_nobody(
    command: Command, stack: Stack, simulator: Simulator
) -> None:
    before = len(simulator.requests())
    ran = command("smoke")
    assert ran.status == 0, ran.text
    assert states(ran.text) == PATH_OF_A_FAILED_ORDER
    assert "REJECTED" in ran.text
    assert "complete" not in {request["operation"] for request in simulator.requests()[before:]}


def test_an_invalid_order_proves_the_workflow_without_wechat_pay(
    command: Command, stack: Stack, simulator: Simulator
) -> None:
    before = len(simulator.requests())
    ran = command("smoke", "--invalid")
    assert ran.status == 0, ran.text
    assert states(ran.text) == PATH_OF_A_FAILED_ORDER
    assert len(simulator.requests()) == before


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("order_api", ["smartretail-orders", "serviceorder"])
def test_a_real_order_is_settled(
    command: Command, stack: Stack, simulator: Simulator, tmp_path: Path, order_api: str, named: bool
) -> None:
    number = f"S|{uuid.uuid4().hex[:20]}*"
    simulator.open_order(number, api=order_api)
    fees = [{"fee_name": "矿泉水", "fee_amount": 300}]
    event = {"out_order_no": number, "finish_type": 2, "fees": fees, "total_amount": 300}
    event |= {"order_api": order_api} if named else {}
    path = tmp_path / "order.json"
    path.write_text(json.dumps(event), encoding="utf-8")
    ran = command("smoke", "--event", str(path))
    assert ran.status == 0, ran.text
    assert states(ran.text)[:3] == ["ServiceEnded", "Outcome", "OrderCompleted"]
    entry = simulator.order(number)
    assert (entry["api"], entry["total_amount"]) == (order_api, 300)


@pytest.mark.parametrize("waiting", ["AwaitPayment", "AwaitNotification"])
def test_an_order_that_only_waits_to_be_paid_is_not_waited_for(
    stack: Stack, tmp_path: Path, waiting: str
) -> None:
    client = stack.client("stepfunctions")
    activity = client.create_activity(name=f"never-done-{waiting}")["activityArn"]
    states = {waiting: {"Type": "Task", "Resource": activity, "End": True}}
    machine = client.create_state_machine(
        name=f"waits-{waiting}", definition=json.dumps({"StartAt": waiting, "States": states}), roleArn=ROLE
    )
    arn = client.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    seen: list[Step | Attempt] = []
    path = tmp_path / "order.json"
    path.write_text('{"out_order_no": "X"}', encoding="utf-8")
    order = smoke.order(path)
    execution = executions.follow(client, arn, seen.append, until=executions.WAITS_FOR_PAYMENT)
    client.stop_execution(executionArn=arn)
    assert (execution.status, [str(each) for each in seen]) == ("RUNNING", [waiting])
    assert order.holds(execution)


def test_an_order_that_cannot_be_settled_fails_the_command(
    command: Command, stack: Stack, simulator: Simulator, tmp_path: Path
) -> None:
    path = tmp_path / "order.json"
    path.write_text(json.dumps({"out_order_no": "X", "finish_type": 2, "total_amount": 300}))
    simulator.open_order("X")
    ran = command("smoke", "--event", str(path))
    assert ran.status == 1
    assert "INVALID_INPUT" in ran.text


@pytest.fixture
def started(stack: Stack) -> Callable[[], int]:
    """How many executions there are."""
    machine = stack.outputs["StateMachineArn"]
    listed = stack.client("stepfunctions").list_executions
    return lambda: len(listed(stateMachineArn=machine)["executions"])


def test_where_the_doctor_fails_no_order_is_run(command: Command, started: Callable[[], int]) -> None:
    before = started()
    ran = command("smoke", "--mchid", "1900000008")
    assert ran.status == 1
    assert "there is no secret" in ran.text
    assert "no order was run" in ran.text
    assert started() == before


def test_an_order_that_wechat_pay_does_not_know_is_not_run(
    command: Command, stack: Stack, started: Callable[[], int], tmp_path: Path
) -> None:
    path = tmp_path / "order.json"
    path.write_text(json.dumps({"out_order_no": "NO-SUCH-2", "finish_type": 2, "total_amount": 0}))
    before = started()
    for arguments in (["--event", str(path)], ["--order", "NO-SUCH-2"]):
        ran = command("smoke", *arguments)
        assert ran.status == 1
        assert "WeChat Pay does not know order NO-SUCH-2" in ran.text
    assert started() == before


@pytest.mark.parametrize(
    ("content", "problem"), [(None, "cannot be read"), ("{", "is not JSON"), ("{}", "is no order event")]
)
def test_a_file_that_is_no_event_is_refused(
    command: Command, tmp_path: Path, content: str | None, problem: str
) -> None:
    path = tmp_path / "order.json"
    if content is not None:
        path.write_text(content)
    ran = command("smoke", "--event", str(path))
    assert (ran.status, problem in ran.text) == (1, True)
