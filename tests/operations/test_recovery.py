"""`make stuck`, `make redrive`, `make resubmit`: interrupted orders are found, and settled once."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from wechatpay_sandbox import Simulator

from life import Execution
from life.reading import message_of
from local.aws import EmbeddedAws
from local.aws.client import connect
from local.stack import Stack
from operations import options, recovery, stuck
from operations.executions import follow
from operations.merchant_files import now
from operations.recovery import Did, Recovery
from operations.remedies import Selection, Stuck, successor_arn
from tests.operations.conftest import Command
from tests.operations.redriving import Redriving


@pytest.fixture
def redriving(aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redriving]:
    with Redriving(aws.endpoint) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", running.url)
        yield running


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
    for text in (
        number,
        "MerchantMisconfigured: ",
        "make redrive ORDER=",
        misconfigured.arn,
        "1 need someone",
    ):
        assert text in ran.text


def test_an_order_that_failed_is_listed_with_how_it_is_corrected(
    ask: Command, redriving: Redriving, settle: Callable[..., Execution]
) -> None:
    execution = settle(total_amount=301)
    assert execution.error == "INVALID_INPUT"
    listed = ask("stuck").text
    for text in ("INVALID_INPUT: ", "total_amount: ", "修正后重发", execution.arn, "1 need someone"):
        assert text in listed
    assert "nothing to do" in ask("redrive", "--reason", "INVALID_INPUT").text


def test_an_order_settled_otherwise_asks_for_a_check_only(
    ask: Command, settle: Callable[..., Execution], simulator: Simulator, number: str
) -> None:
    simulator.open_order(number, replace=True, state="FINISHED", finish_type=2, total_amount=700)
    assert settle().error == "CONFLICT"
    assert "核对并退款" in ask("stuck").text
    for command in ("redrive", "resubmit"):
        assert "nothing to do" in ask(command, "--reason", "CONFLICT").text


def test_an_order_that_another_execution_has_settled_since_is_not_listed(
    ask: Command, settle: Callable[..., Execution], redriving: Redriving
) -> None:
    failed = settle(total_amount=301)
    settled = settle()
    assert settled.status == "SUCCEEDED"
    listed = ask("stuck").text
    assert failed.arn not in listed
    assert f"settled 已完结: {settled.arn}" in listed
    assert f"settled since by 已由另一执行完结: {settled.arn}" in ask("stuck", "--all").text
    assert "settled since" in ask("resubmit", "--reason", "INVALID_INPUT").text


def test_only_the_newest_failure_of_an_order_is_listed(
    ask: Command, settle: Callable[..., Execution], redriving: Redriving
) -> None:
    older, newer = settle(total_amount=301), settle(total_amount=302)
    listed = ask("stuck").text
    assert (older.arn in listed, newer.arn in listed) == (False, True)
    assert f"a newer execution decides 以更新的执行为准: {newer.arn}" in ask("stuck", "--all").text


def test_a_running_order_differs_from_a_settled_one_and_from_none(
    ask: Command, command: Command, settle: Callable[..., Execution], stack: Stack, number: str
) -> None:
    assert settle().status == "SUCCEEDED"
    assert f"{number}: settled 已完结: arn:" in ask("stuck").text
    assert "NO-SUCH-1: no execution of such an order" in command("stuck", "--order", "NO-SUCH-1").text


def test_a_running_order_is_listed_as_running_and_left_alone(
    ask: Command,
    settle: Callable[..., Execution],
    stack: Stack,
    redriving: Redriving,
    number: str,
) -> None:
    failed = settle(total_amount=301)
    running = settle()
    redriving.pretend(running.arn, status="RUNNING")
    assert f"{number}: running 进行中: {running.arn}" in ask("stuck").text
    for command, reason in (("redrive", "INVALID_INPUT"), ("resubmit", "INVALID_INPUT")):
        printed = ask(command, "--reason", reason).text
        assert f"skipped: {number} {failed.arn} another execution runs" in printed
        assert "nothing to do" in printed


def test_nothing_is_cut_on_a_narrow_terminal(
    ask: Command, misconfigured: Execution, redriving: Redriving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = ask("stuck").text.splitlines()
    assert f"  {misconfigured.arn}" in lines
    assert message_of(misconfigured.cause) in " ".join(lines)


def test_a_program_gets_json(
    ask: Command, misconfigured: Execution, redriving: Redriving, number: str, command: Command
) -> None:
    (entry,) = json.loads(ask("stuck", "--json").text)["stuck"]
    assert (entry["out_order_no"], entry["remedy"], entry["execution"]) == (
        number,
        "REDRIVE",
        misconfigured.arn,
    )
    orders = json.loads(command("stuck", "--json", "--order", "NO-SUCH-1").text)["orders"]
    assert orders == {"NO-SUCH-1": {"state": "unknown", "execution": ""}}


def test_a_smoke_test_needs_no_one(command: Command, stack: Stack, redriving: Redriving) -> None:
    ran = command("smoke", "--invalid")
    arn = ran.text.splitlines()[0]
    assert arn not in command("stuck").text
    assert arn in command("stuck", "--all").text


def test_a_settled_order_is_not_listed(ask: Command, settle: Callable[..., Execution], number: str) -> None:
    settled = settle()
    assert settled.status == "SUCCEEDED"
    assert "nothing is stuck" in ask("stuck", "--all").text


def test_merchants_are_chosen_the_default_one_too(
    ask: Command, misconfigured: Execution, redriving: Redriving
) -> None:
    assert "1 would be started" in ask("redrive", "--dry-run", "--mchid", "1900000001").text
    assert "nothing to do" in ask("redrive", "--dry-run", "--mchid", "1900000002").text


def test_where_and_how_many_is_printed_before_anything_starts(
    ask: Command, misconfigured: Execution, redriving: Redriving
) -> None:
    before, started = ask("redrive").text.splitlines()[:2]
    _, _, _, region, account, *_ = misconfigured.arn.split(":")
    assert f"account {account}, region {region}, stack operations, 1 executions" in before
    assert started.startswith("started: ")


@pytest.fixture
def rejected(settle: Callable[..., Execution], simulator: Simulator, number: str) -> Execution:
    """An order above its risk cap, which has been raised since."""
    simulator.open_order(number, replace=True, risk_cap=299)
    execution = settle()
    assert execution.error == "REJECTED", execution.cause
    simulator.open_order(number, replace=True)
    return execution


def test_a_rejected_order_is_sent_again_once_its_cause_is_corrected(
    ask: Command, redriving: Redriving, rejected: Execution, simulator: Simulator, number: str, stack: Stack
) -> None:
    assert "nothing to do" in ask("resubmit").text
    assert "1 would be started" in ask("resubmit", "--reason", "REJECTED", "--dry-run").text
    assert f"started: {number}" in ask("resubmit", "--reason", "REJECTED").text
    assert follow(stack.client("stepfunctions"), successor_arn(rejected.arn)).status == "SUCCEEDED"
    assert charged(simulator, number) == [300]
    assert "nothing to do" in ask("resubmit", "--reason", "REJECTED").text
    assert "nothing is stuck" in ask("stuck").text


@pytest.mark.parametrize(
    ("stands", "why"),
    [
        ({"state": "FINISHED", "finish_type": 2, "total_amount": 300}, "no longer open: it is USER_PAID"),
        ({"state": "EXPIRED"}, "no longer open: it is EXPIRED"),
    ],
)
def test_a_rejected_order_that_is_no_longer_open_is_skipped(
    ask: Command,
    redriving: Redriving,
    rejected: Execution,
    simulator: Simulator,
    number: str,
    stands: dict[str, Any],
    why: str,
) -> None:
    simulator.open_order(number, replace=True, **stands)
    ran = ask("resubmit", "--reason", "REJECTED")
    assert ran.status == 0
    assert f"skipped: {number} {rejected.arn} {why}" in ran.text


def test_a_rejected_order_without_a_verified_answer_is_not_sent(
    ask: Command, redriving: Redriving, rejected: Execution, simulator: Simulator, number: str
) -> None:
    simulator.script(number, "query", fault="unsigned", times=2)
    ran = ask("resubmit", "--reason", "REJECTED")
    simulator.clear_faults()
    assert ran.status == 1
    assert f"refused: {number} {rejected.arn} WeChat Pay could not be asked" in ran.text


def test_an_event_that_is_still_invalid_is_not_sent_again(
    ask: Command, redriving: Redriving, settle: Callable[..., Execution], number: str
) -> None:
    execution = settle(total_amount=301)
    ran = ask("resubmit", "--reason", "INVALID_INPUT")
    assert f"skipped: {number} {execution.arn} its event is not valid: total_amount" in ran.text
    assert "0 of 1 are under way" in ran.text


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
    assert follow(stack.client("stepfunctions"), misconfigured.arn).status == "SUCCEEDED"
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


@pytest.mark.parametrize(
    "since", ["yesterday", "9" * 12 + "d", "9" * 5000 + "d", "\u00b2d", "0001-01-01T00:00+14:00"]
)
def test_an_invalid_time_is_refused_in_words(command: Command, since: str) -> None:
    ran = command("redrive", "--since", since)
    assert (ran.status, "is no time" in ran.text) == (1, True)
    assert len(ran.text) < 200


@pytest.mark.parametrize("name", ["stuck", "redrive", "resubmit"])
def test_a_period_that_begins_in_the_future_is_refused(command: Command, name: str) -> None:
    """Beijing time on a machine in UTC: it would find nothing, as if nothing were stuck."""
    ran = command(name, "--since", f"{now() + timedelta(hours=7):%Y-%m-%dT%H:%M%z}")
    assert (ran.status, "lies ahead" in ran.text, "stuck" in ran.text) == (1, True, False)


def test_stuck_prints_first_its_period_with_the_zone(ask: Command) -> None:
    assert ask("stuck", "--since", "2026-01-02T03:04+09:00").text.startswith(
        "ended since 2026-01-02T03:04 +0900"
    )
    lines = ask("stuck", "--since", "2026-01-02T03:04", "--before", "1m").text.splitlines()
    assert lines[0].startswith(f"ended since {datetime(2026, 1, 2, 3, 4).astimezone():%Y-%m-%dT%H:%M %z}")
    assert lines[1].startswith("ended before ")
    listed = json.loads(ask("stuck", "--json", "--since", "2026-01-02T03:04+09:00").text)
    assert (listed["since"], listed["before"]) == ("2026-01-02T03:04:00+09:00", None)


@pytest.mark.parametrize(("shown", "day"), [("01:59", 26), ("02:00", 26), ("02:01", 25), ("02:00+09:00", 26)])
def test_a_time_without_a_date_is_the_last_such_in_shanghai(shown: str, day: int) -> None:
    at = options.past(shown, datetime(2026, 11, 25, 18, 0, tzinfo=UTC))  # 02:00 of the 26th in Shanghai
    zone = shown[5:] or "+08:00"
    assert at is not None
    assert at.isoformat() == f"2026-11-{day}T{shown[:5]}:00{zone}"


def test_a_reason_or_merchant_that_nothing_bears_does_not_hide_the_others(
    ask: Command, redriving: Redriving, misconfigured: Execution
) -> None:
    for chosen in (["--reason", "Misconfigured"], ["--mchid", "190000000"]):
        assert "1 MerchantMisconfigured of 1900000001" in ask("stuck", *chosen).text
        assert "of what was asked for" in ask("redrive", "--dry-run", *chosen).text


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
    assert "make resubmit ORDER=" in ask("stuck").text
    assert "nothing to do" in ask("redrive").text
    assert f"started: {number}" in ask("resubmit").text
    successor = follow(stack.client("stepfunctions"), successor_arn(misconfigured.arn))
    assert successor.status == "SUCCEEDED"
    assert charged(simulator, number) == [300]
    assert "nothing to do" in ask("resubmit").text
    assert "nothing is stuck" in ask("stuck").text
    assert "resubmitted as " in ask("stuck", "--all").text


@pytest.fixture
def find(redriving: Redriving, stack: Stack, number: str) -> Callable[[], list[Stuck]]:
    """List what is stuck of this test's order, as each of two people does."""
    client, machine = boto3_client(redriving, stack), stack.outputs["StateMachineArn"]

    def run() -> list[Stuck]:
        listing = stuck.find(client, machine, now(), Selection())
        return [each for each in listing.needy if each.out_order_no == number]

    return run


def recover(client: Any, chosen: list[Stuck], machine: str = "") -> Iterator[Recovery]:
    return recovery.recover(client, machine, chosen, lambda: None, lambda _: None)


def test_two_who_redrive_at_once_start_an_order_once(
    redriving: Redriving, misconfigured: Execution, stack: Stack, find: Callable[[], list[Stuck]]
) -> None:
    client = boto3_client(redriving, stack)
    mine, theirs = find(), find()
    outcomes = [list(recover(client, both)) for both in (mine, theirs)]
    assert [each.did for (each,) in outcomes] == [Did.STARTED, Did.STARTED]  # the same client token
    assert len(redriving.redriven) == 1
    late = [dataclasses.replace(each, redrives=7) for each in theirs]
    (attempt,) = recover(client, late)
    assert attempt.did is Did.ALREADY


def test_two_who_resubmit_at_once_start_an_order_once(
    redriving: Redriving, misconfigured: Execution, stack: Stack, find: Callable[[], list[Stuck]]
) -> None:
    client, machine = boto3_client(redriving, stack), stack.outputs["StateMachineArn"]
    redriving.pretend(misconfigured.arn, days=20)
    mine, theirs = find(), find()
    outcomes = [list(recover(client, both, machine)) for both in (mine, theirs)]
    assert [each.did for (each,) in outcomes] == [Did.STARTED, Did.ALREADY]


def test_a_refused_redrive_fails_the_command_and_says_why(
    redriving: Redriving, misconfigured: Execution, stack: Stack, find: Callable[[], list[Stuck]]
) -> None:
    client = boto3_client(redriving, stack)
    (stuck,) = find()
    redriving.pretend(misconfigured.arn, days=14)
    (attempt,) = recover(client, [stuck])
    assert attempt.did is Did.REFUSED
    assert "redrivable period exceeded" in attempt.message


def test_calls_are_made_at_a_pace() -> None:
    waited: list[float] = []
    pace = recovery.at_most(4, waited.append)
    for _ in range(3):
        pace()
    assert waited == [0.0, 0.25, 0.25]
