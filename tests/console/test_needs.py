"""Needs someone: what `make stuck` lists, and the buttons that first say what they will do."""

from collections.abc import Callable
from urllib.parse import quote, urlencode

from wechatpay_sandbox import Simulator

from life import Execution
from local.stack import Stack
from operations.executions import follow
from tests.console.visitor import Page, Visitor


def confirmation(somebody: Visitor, number: str, arn: str) -> Page:
    return somebody.get(f"/needs/confirm?order={quote(number, safe='')}&arn={quote(arn)}")


def confirm(somebody: Visitor, number: str, arn: str, action: str = "redrive") -> Page:
    return somebody.post("/needs/act", urlencode({"order": number, "arn": arn, "action": action}))


def test_a_redrive_shows_first_what_it_does_and_where(
    operator: Visitor, misconfigured: Execution, number: str, stack: Stack, simulator: Simulator
) -> None:
    before = simulator.order(number)["state"]
    page = confirmation(operator, number, misconfigured.arn)
    assert page.status == 200
    for text in (
        number,
        misconfigured.arn,
        "MerchantMisconfigured",
        "account 000000000000",
        f"stack {stack.name}",
    ):
        assert text in page.text
    assert stack.environment["AWS_REGION"] in page.text
    assert simulator.order(number)["state"] == before


def test_a_redrive_that_is_confirmed_settles_the_order_once(
    operator: Visitor, misconfigured: Execution, number: str, stack: Stack, simulator: Simulator
) -> None:
    done = confirm(operator, number, misconfigured.arn)
    assert (done.status, done.headers["Location"].startswith("/orders/")) == (303, True), done.text
    assert follow(stack.client("stepfunctions"), misconfigured.arn).status == "SUCCEEDED"
    again = confirm(operator, number, misconfigured.arn)
    assert (again.status, "no longer needs this" in again.text) == (409, True)
    assert simulator.order(number)["accepted"] == 1


def test_a_visitor_sees_what_is_stuck_and_may_not_act(
    visitor: Visitor, misconfigured: Execution, number: str, simulator: Simulator
) -> None:
    assert "/needs/confirm" not in visitor.get("/needs").text
    assert "disabled" in confirmation(visitor, number, misconfigured.arn).text
    assert confirm(visitor, number, misconfigured.arn).status == 403
    assert simulator.order(number)["accepted"] == 0


def test_an_order_is_listed_until_it_is_settled(
    operator: Visitor, simulator: Simulator, settle: Callable[..., Execution], number: str
) -> None:
    settle(total_amount=301, finish_ticket="a-ticket-nobody-may-see")
    page = operator.get("/needs")
    while number not in page.text:  # the list is read again a moment after it was read last
        page = operator.get("/needs")
    assert "INVALID_INPUT" in page.text
    assert "a-ticket-nobody" not in page.text


def test_another_action_than_the_execution_needs_is_refused(
    operator: Visitor, misconfigured: Execution, number: str, simulator: Simulator
) -> None:
    assert confirm(operator, number, misconfigured.arn, "resubmit").status == 409
    assert confirm(operator, "another", misconfigured.arn).status == 409
    assert confirm(operator, number, "arn:none").status == 409
    assert simulator.order(number)["accepted"] == 0


def test_an_event_that_is_still_wrong_is_not_sent_again(
    operator: Visitor, settle: Callable[..., Execution], number: str
) -> None:
    execution = settle(total_amount=301)
    refused = confirm(operator, number, execution.arn, "resubmit")
    assert refused.status == 409
    assert "Refused: " in refused.text
