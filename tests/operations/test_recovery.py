"""`make stuck`, `make redrive`, `make resubmit`: interrupted orders are found, and settled once."""

import dataclasses
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wechatpay_sandbox import Simulator

from local.aws import EmbeddedAws
from local.aws.embedded import connect
from local.stack import Stack
from operations import recovery, stuck
from operations.executions import Execution, follow
from operations.merchant_files import now
from operations.recovery import Did
from operations.stuck import successor_arn
from tests.operations.conftest import Command
from tests.operations.redriving import Redriving


@pytest.fixture
def redriving(aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redriving]:
    with Redriving(aws.endpoint) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", running.url)
        yield running


@pytest.fixture
def number(simulator: Simulator) -> str:
    """An order that the shopper has confirmed."""
    unique = f"R|{uuid.uuid4().hex[:20]}*"
    simulator.open_order(unique)
    return unique


@pytest.fixture
def settle(stack: Stack, number: str) -> Callable[..., Execution]:
    """Run an order through the workflow to its end."""

    def run(**fields: Any) -> Execution:
        fees = [{"fee_name": "矿泉水", "fee_amount": 300}]
        event = {"out_order_no": number, "finish_type": 2, "fees": fees, "total_amount": 300, **fields}
        return follow(stack.client("stepfunctions"), stack.start(json.dumps(event)))

    return run


@pytest.fixture
def misconfigured(simulator: Simulator, settle: Callable[..., Execution], number: str) -> Execution:
    """An order whose Task failed: for one moment the merchant had no permission."""
    simulator.script(number, "complete", fault="no_auth")
    execution = settle()
    assert (execution.status, execution.error) == ("FAILED", "MerchantMisconfigured")
    return execution


@pytest.fixture
def aborted(stack: Stack, settle: Callable[..., Execution], number: str) -> str:
    """An execution that a person stopped."""
    client = stack.client("stepfunctions")
    event = {"out_order_no": number, "finish_type": 2, "fees": [], "total_amount": 0}
    arn = stack.start(json.dumps(event))
    client.stop_execution(executionArn=arn, error="EmergencyStop", cause="wrong prices")
    return arn


@pytest.fixture
def ask(command: Command, number: str) -> Command:
    """Run a command about this test's order alone."""
    return lambda name, *arguments: command(name, "--order", number, *arguments)


def boto3_client(redriving: Redriving, stack: Stack) -> Any:
    return connect("stepfunctions", {**stack.environment, "AWS_ENDPOINT_URL": redriving.url})


def charged(simulator: Simulator, number: str) -> list[int]:
    """Fen of each completion that WeChat Pay took: one for an order that was settled once."""
    order = simulator.order(number)
    return [order["total_amount"]] * order["accepted"]


def test_an_interrupted_order_is_listed_with_why_and_what_to_do(
    ask: Command, redriving: Redriving, misconfigured: Execution, number: str
) -> None:
    ran = ask("stuck")
    assert ran.status == 0
    for told in (number, "MerchantMisconfigured: ", " redrive ", misconfigured.arn, "1 need someone"):
        assert told in ran.text


def test_an_order_that_can_never_be_settled_is_listed_only_when_asked(
    ask: Command, redriving: Redriving, settle: Callable[..., Execution]
) -> None:
    execution = settle(total_amount=301)
    assert execution.error == "INVALID_INPUT"
    assert "nothing is stuck" in ask("stuck").text
    listed = ask("stuck", "--failed").text
    assert "INVALID_INPUT: " in listed
    assert "total_amount: " in listed
    assert "nothing is stuck" in listed
    assert "nothing to do" in ask("redrive", "--reason", "INVALID_INPUT").text
    redriving.pretend(execution.arn, days=20)
    assert "nothing to do" in ask("resubmit", "--reason", "INVALID_INPUT").text


def test_a_settled_order_is_not_listed(ask: Command, settle: Callable[..., Execution], number: str) -> None:
    assert settle().status == "SUCCEEDED"
    assert number not in ask("stuck", "--failed").text


def test_a_redriven_order_is_settled_and_no_longer_listed(
    ask: Command,
    redriving: Redriving,
    simulator: Simulator,
    misconfigured: Execution,
    number: str,
    stack: Stack,
) -> None:
    ran = ask("redrive")
    assert ran.status == 0
    assert f"started: {number} {misconfigured.arn}" in ran.text
    continued = redriving.pretended[misconfigured.arn].continued
    assert continued is not None
    assert follow(stack.client("stepfunctions"), continued).status == "SUCCEEDED"
    assert charged(simulator, number) == [300]
    assert "nothing is stuck" in ask("stuck").text
    assert "nothing to do" in ask("redrive").text
    assert len(redriving.redriven) == 1


def test_a_dry_run_starts_nothing(
    ask: Command, redriving: Redriving, misconfigured: Execution, number: str
) -> None:
    assert "1 would be started" in ask("redrive", "--dry-run").text
    redriving.pretend(misconfigured.arn, days=15)
    assert "1 would be started" in ask("resubmit", "--dry-run").text
    assert redriving.redriven == []
    assert " resubmit " in ask("stuck").text


def test_executions_are_chosen_by_reason_and_time(
    ask: Command, redriving: Redriving, misconfigured: Execution
) -> None:
    for chosen, meant in (
        (["--reason", "merchantmisconfigured"], True),
        (["--reason", "OutcomeUnknown"], False),
        (["--reason", "OutcomeUnknown", "--reason", "MerchantMisconfigured"], True),
        (["--reason", "FAILED"], True),
        (["--since", "3h"], True),
        (["--before", "3h"], False),
        (["--since", "2020-01-01", "--before", "2100-01-01T00:00+08:00"], True),
        (["--since", "2100-01-01"], False),
        (["--reason", "", "--since", "", "--before", ""], True),
    ):
        assert ("1 would be started" in ask("redrive", "--dry-run", *chosen).text) is meant, chosen


def test_what_is_no_time_is_refused(command: Command) -> None:
    ran = command("redrive", "--since", "yesterday")
    assert (ran.status, "is no time" in ran.text) == (1, True)


def test_what_a_person_aborted_is_redriven_only_by_name(
    ask: Command, redriving: Redriving, aborted: str
) -> None:
    assert "EmergencyStop: wrong prices" in ask("stuck").text
    assert "nothing to do" in ask("redrive").text
    ask("redrive", "--reason", "ABORTED")
    assert [arn for arn, _ in redriving.redriven] == [aborted]


def test_an_execution_that_timed_out_is_redriven(
    ask: Command, redriving: Redriving, misconfigured: Execution
) -> None:
    redriving.pretend(misconfigured.arn, status="TIMED_OUT")
    assert "TIMED_OUT" in ask("stuck").text
    ask("redrive", "--reason", "timed_out")
    assert [arn for arn, _ in redriving.redriven] == [misconfigured.arn]


def test_after_14_days_an_order_is_resubmitted_once_with_the_same_input(
    ask: Command,
    redriving: Redriving,
    simulator: Simulator,
    misconfigured: Execution,
    number: str,
    stack: Stack,
) -> None:
    redriving.pretend(misconfigured.arn, days=14)
    assert " resubmit " in ask("stuck").text
    assert "nothing to do" in ask("redrive").text
    assert f"started: {number}" in ask("resubmit").text
    successor = follow(stack.client("stepfunctions"), successor_arn(misconfigured.arn))
    assert successor.status == "SUCCEEDED"
    assert charged(simulator, number) == [300]
    assert "nothing to do" in ask("resubmit").text
    assert "nothing is stuck" in ask("stuck").text
    assert " resubmitted " in ask("stuck", "--failed").text


def test_two_who_press_at_once_start_an_order_once(
    redriving: Redriving, misconfigured: Execution, stack: Stack, number: str
) -> None:
    client = boto3_client(redriving, stack)
    machine = stack.outputs["StateMachineArn"]

    def found() -> list[stuck.Stuck]:
        every = stuck.find(client, machine, now(), stuck.Selection())
        return [each for each in every if each.out_order_no == number]

    mine, theirs = found(), found()
    outcomes = [list(recovery.redrive(client, both, lambda: None)) for both in (mine, theirs)]
    assert [each.did for (each,) in outcomes] == [Did.STARTED, Did.STARTED]  # the same client token
    assert len(redriving.redriven) == 1
    late = [dataclasses.replace(each, redrives=7) for each in theirs]
    (attempt,) = recovery.redrive(client, late, lambda: None)
    assert attempt.did is Did.ALREADY
    redriving.pretend(misconfigured.arn, days=20)
    mine, theirs = found(), found()
    outcomes = [list(recovery.resubmit(client, machine, both, lambda: None)) for both in (mine, theirs)]
    assert [each.did for (each,) in outcomes] == [Did.STARTED, Did.ALREADY]


def test_a_refused_redrive_fails_the_command_and_says_why(
    command: Command, redriving: Redriving, misconfigured: Execution, number: str, stack: Stack
) -> None:
    client = boto3_client(redriving, stack)
    every = stuck.find(client, stack.outputs["StateMachineArn"], now(), stuck.Selection())
    (found,) = [each for each in every if each.out_order_no == number]
    redriving.pretend(misconfigured.arn, days=14)
    (attempt,) = recovery.redrive(client, [found], lambda: None)
    assert attempt.did is Did.REFUSED
    assert "redrivable period exceeded" in attempt.message


def test_calls_are_made_at_a_pace() -> None:
    waited: list[float] = []
    pace = recovery.at_most(4, waited.append)
    for _ in range(3):
        pace()
    assert waited == [0.0, 0.25, 0.25]
