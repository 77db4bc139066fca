"""`make show`: one order's life on one screen, from the stack, the functions' logs and WeChat Pay itself."""

import json
import uuid
from collections.abc import Callable

import pytest
from wechatpay_sandbox import Simulator

from life import Execution
from local.stack import Stack
from operations import __main__ as command_line
from operations.executions import follow
from tests.operations.conftest import Command, Ran
from tests.stack import FEES


@pytest.fixture
def show(command: Command, number: str) -> Callable[..., Ran]:
    return lambda *arguments: command("show", "--order", number, *arguments)


def test_an_interrupted_order_is_shown_with_cause_and_remedy(
    misconfigured: Execution, show: Callable[..., Ran], number: str
) -> None:
    ran = show()
    assert ran.status == 0
    for text in (
        "stuck: needs someone",
        "MerchantMisconfigured: ",
        misconfigured.arn,
        "total_amount  300  ¥3.00",
        "attempt 1",
        "403 verified",
        "USER_ACCEPTED",
        f"make redrive ORDER='{number}'",
    ):
        assert text in ran.text
    assert "published" not in ran.text


def test_an_order_that_was_tried_again_shows_each_attempt_and_call(
    simulator: Simulator, settle: Callable[..., Execution], show: Callable[..., Ran], number: str
) -> None:
    simulator.script(number, fault="unavailable", times=2)  # of each host
    settle()
    output = show().text
    for text in (
        "settled: paid",
        "attempt 1",
        "WeChatPayUnavailable: ",
        "attempt 2",
        "NOT verified",
        "200 verified",
        "COMPLETED by REPLY",
        "Order Completed",
        "Order Paid",
        "USER_PAID  ¥3.00",
    ):
        assert text in output


def test_an_order_that_nothing_knows_is_reported_as_unknown(command: Command, stack: Stack) -> None:
    ran = command("show", "--order", f"N{uuid.uuid4().hex[:20]}")
    assert ran.status == 1
    assert "no such order" in ran.text
    assert "NOT_FOUND" in ran.text


def test_an_order_older_than_the_period_is_not_reported_as_merely_unknown(
    settle: Callable[..., Execution], show: Callable[..., Ran]
) -> None:
    settle()
    assert "leave out SINCE=" in show("--since", "0m").text
    assert "lies ahead" in show("--since", "2100-01-01").text


def test_a_merchant_without_a_secret_is_named(show: Callable[..., Ran], stack: Stack) -> None:
    assert "there is no secret " in show("--mchid", "1900000009").text


def test_without_a_number_nothing_is_searched(command: Command) -> None:
    ran = command("show", "--order", "")
    assert (ran.status, "which order?" in ran.text) == (1, True)


def test_an_order_that_only_wechat_pay_knows_has_no_execution(show: Callable[..., Ran], stack: Stack) -> None:
    ran = show()
    assert ran.status == 1
    assert "USER_ACCEPTED" in ran.text
    assert "no execution was started" in ran.text


def test_the_executions_of_an_order_are_shown_in_the_order_of_time(
    settle: Callable[..., Execution], show: Callable[..., Ran]
) -> None:
    first, second = settle(total_amount=301), settle()
    text = show().text
    assert text.index(first.arn) < text.index("execution 2 of 2") < text.index(second.arn)
    assert "settled: paid" in text
    assert f"also: {first.arn} FAILED INVALID_INPUT" in text


def test_an_execution_that_no_log_names_is_found_by_its_input(command: Command, stack: Stack) -> None:
    number = f"LONG{uuid.uuid4().hex}"  # longer than a number may be: logged shortened
    event = {"out_order_no": number, "finish_type": 2, **FEES}
    follow(stack.client("stepfunctions"), stack.start(json.dumps(event)))
    ran = command("show", "--order", number, "--no-query")
    assert ran.status == 0
    assert "failed: cannot be settled as asked" in ran.text


def test_a_number_that_two_merchants_use_asks_for_the_merchant(
    settle: Callable[..., Execution], show: Callable[..., Ran]
) -> None:
    ours, other = settle(), settle(mchid="1900000099")
    ran = show("--no-query")
    assert ran.status == 1
    assert "1900000001, 1900000099" in ran.text
    text = show("--no-query", "--mchid", "1900000099").text
    assert other.arn in text
    assert ours.arn not in text


def test_with_no_query_nothing_is_sent_to_wechat_pay(
    simulator: Simulator, settle: Callable[..., Execution], show: Callable[..., Ran]
) -> None:
    settle()
    before = len(simulator.requests())
    assert "at WeChat Pay" not in show("--no-query").text
    assert len(simulator.requests()) == before


def test_the_json_is_for_programs_and_holds_no_ticket(
    settle: Callable[..., Execution], show: Callable[..., Ran], number: str
) -> None:
    settle(finish_ticket="a-ticket-that-opens-the-order")
    ran = show("--json")
    document = json.loads(ran.text)
    assert (document["out_order_no"], len(document["runs"])) == (number, 1)
    assert document["runs"][0]["asked"]["finish_ticket"] == "***"
    assert "a-ticket-that-opens" not in ran.text


def test_nothing_is_cut_in_a_narrow_terminal(
    settle: Callable[..., Execution], show: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = settle(metadata={"name": "\x1b[31m\u202e" + "长" * 80})
    monkeypatch.setattr(command_line.console, "width", 60)
    lines = show().text.splitlines()
    assert execution.arn in lines
    assert any("长" * 80 in line and "\\u001b[31m\\u202e" in line for line in lines)
