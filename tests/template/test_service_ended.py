"""The workflow's definition: its order of timeouts, its retries and its ends."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from wechatpay.client import CALL_SECONDS, QUERY_RESERVE_SECONDS, QUERY_SECONDS
from wechatpay.deadline import ANSWER_SECONDS
from wechatpay.reply_rules import ERRORS

from .conftest import ROOT, Template, source

PUBLISHED = {
    "OrderCompleted": "Order Completed",
    "OrderCancelled": "Order Cancelled",
    "OrderFailed": "Order Failed",
    "OrderPaid": "Order Paid",
    "OrderPaymentOverdue": "Order Payment Overdue",
}
INVOKING = ("ServiceEnded", "QueryOrder")
# The longest way there is: the one that follows an order, called overdue, to its late payment.
FOLLOWED = ("ServiceEnded", "OrderCompleted", "OrderPaymentOverdue", "QueryOrder", "OrderPaid")
LATE_DAYS = 50
DAY = 24 * 3600

# What failed by itself: Lambda, its network in a VPC or its sandbox. The function may have run; completing
# again is safe.
PLATFORM_FAULTS = {
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.EC2ThrottledException",
    "Lambda.ENILimitReachedException",
    "Lambda.ResourceConflictException",
    "Lambda.ResourceNotReadyException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.SnapStartException",
    "Lambda.SnapStartNotReadyException",
    "Lambda.SnapStartTimeoutException",
    "Lambda.SubnetIPAddressLimitReachedException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
    "States.Timeout",
}

SHIPPED = "\n".join(
    path.read_text(encoding="utf-8")
    for top in ("layers/wechatpay", "functions")
    for path in sorted((ROOT / top).rglob("*.py"))
)
RAISED = set(re.findall(r"^class (\w+)\(.*\bSettlementError\b", SHIPPED, re.MULTILINE))
# Fails the Task itself, so that a redrive runs it again once the merchant is fixed.
NEVER_RETRIED = {"MerchantMisconfigured"}


@pytest.fixture
def states(workflow: Template) -> Template:
    states: Template = workflow["States"]
    return states


def tasks(states: Template) -> dict[str, Any]:
    """The Tasks that do something. AwaitNotification only waits: see test_payment_notification."""
    return {
        name: state
        for name, state in states.items()
        if state["Type"] == "Task" and name != "AwaitNotification"
    }


def waits(retrier: dict[str, Any]) -> Iterator[float]:
    """The longest each wait can be, in seconds; jitter FULL takes a random part of it."""
    for attempt in range(retrier["MaxAttempts"]):
        backoff = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** attempt
        yield min(backoff, retrier["MaxDelaySeconds"])


def longest(state: dict[str, Any]) -> float:
    """Seconds a Task can take with every retrier used up, each wait and each attempt at its longest."""
    attempts = 1 + sum(retrier["MaxAttempts"] for retrier in state["Retry"])
    return attempts * state["TimeoutSeconds"] + sum(sum(waits(retrier)) for retrier in state["Retry"])


@pytest.mark.parametrize(
    ("name", "state", "http"),
    [
        # The main host silent: a completion, a query, a completion at the backup host, a query of both.
        ("CompleteOrderFunction", "ServiceEnded", 2 * CALL_SECONDS + QUERY_SECONDS + QUERY_RESERVE_SECONDS),
        ("QueryOrderFunction", "QueryOrder", QUERY_RESERVE_SECONDS),
    ],
)
def test_http_ends_before_lambda_before_the_task(name: str, state: str, http: float, states: Template):
    function = source()["Resources"][name]["Properties"]
    assert http + ANSWER_SECONDS < function["Timeout"] < states[state]["TimeoutSeconds"]


def test_the_machine_outlasts_the_longest_way_to_a_payment(workflow: Template):
    assert max(source()["Parameters"]["PaymentWaitDays"]["AllowedValues"]) < LATE_DAYS
    longest_path = LATE_DAYS * DAY + sum(longest(workflow["States"][name]) for name in FOLLOWED)
    assert longest_path < workflow["TimeoutSeconds"]
    assert f"{LATE_DAYS} * 86400" in workflow["States"]["OrderPaymentOverdue"]["Assign"]["until"]


def test_every_task_has_a_timeout_and_retries_with_jitter_and_a_cap(states: Template):
    for name, task in tasks(states).items():
        assert task["TimeoutSeconds"] > 0, name
        assert task["Retry"], name
        for retrier in task["Retry"]:
            assert retrier["JitterStrategy"] == "FULL"
            assert retrier["MaxDelaySeconds"] <= 1800


def test_every_retrier_lasts_about_a_day(states: Template):
    for name, task in tasks(states).items():
        for retrier in task["Retry"]:
            expected = sum(waits(retrier)) / 2
            assert expected == pytest.approx(DAY, rel=0.01), name


def test_rate_limited_waits_longer_than_the_rest(states: Template):
    limited, rest = states["ServiceEnded"]["Retry"]
    assert limited["ErrorEquals"] == ["WeChatPayRateLimited"]
    assert limited["IntervalSeconds"] > rest["IntervalSeconds"]
    assert limited["MaxDelaySeconds"] > rest["MaxDelaySeconds"]


def test_an_order_not_ready_is_queried_some_20_times_in_its_first_hour(states: Template):
    """WeChatPayUnavailable is also raised for an end that lies ahead, and until the shopper confirms."""
    _, rest = states["ServiceEnded"]["Retry"]
    expected = itertools.accumulate(wait / 2 for wait in waits(rest))
    assert 10 < sum(at < 3600 for at in expected) < 20


@pytest.mark.parametrize("name", INVOKING)
def test_a_function_is_retried_only_on_what_may_still_succeed(name: str, states: Template):
    retried = {error for retrier in states[name]["Retry"] for error in retrier["ErrorEquals"]}
    assert retried == RAISED - NEVER_RETRIED | PLATFORM_FAULTS


@pytest.mark.parametrize("name", sorted(RAISED))
def test_every_error_that_the_workflow_may_see_is_raised(name: str):
    assert f"raise {name}(" in SHIPPED or name in {error.__name__ for error in ERRORS.values()}


def test_only_these_tasks_invoke_a_function(states: Template):
    invoking = [name for name, task in states.items() if task.get("Resource", "").endswith(":lambda:invoke")]
    assert invoking == list(INVOKING)


def test_a_query_is_retried_as_a_completion_is(states: Template):
    assert states["QueryOrder"]["Retry"] == states["ServiceEnded"]["Retry"]


def test_no_task_catches_so_that_a_redrive_runs_it_again(states: Template):
    assert not [name for name, task in tasks(states).items() if "Catch" in task]


@pytest.mark.parametrize("state", INVOKING)
def test_function_gets_its_bare_input_and_the_attempt_beside_it(state: str, states: Template):
    arguments = states[state]["Arguments"]
    assert arguments["Payload"] == "{% $states.input %}"
    for part in ("Execution.Id", "State.RetryCount", "Execution.RedriveCount", "State.EnteredTime"):
        assert f"$states.context.{part}" in arguments["ClientContext"]


def test_each_outcome_has_its_own_branch_and_an_unknown_one_has_none(states: Template):
    outcome = states["Outcome"]
    assert {choice["Next"]: choice["Condition"] for choice in outcome["Choices"]} == {
        "OrderCompleted": '{% $states.input.outcome = "COMPLETED" %}',
        "OrderCancelled": '{% $states.input.outcome = "CANCELLED" %}',
        "OrderFailed": '{% $states.input.outcome = "FAILED" %}',
    }
    assert "Default" not in outcome


@pytest.mark.parametrize(("name", "detail_type"), PUBLISHED.items())
def test_outcome_is_published_with_the_result_and_the_execution(
    name: str, detail_type: str, states: Template
):
    state = states[name]
    assert state["Arguments"] == {
        "Entries": [
            {
                "Source": "smartretail.orders",
                "DetailType": detail_type,
                "EventBusName": "${EventBusName}",
                "Detail": '{% $merge([$states.input, {"execution": $states.context.Execution.Id}]) %}',
            }
        ]
    }
    assert state["Output"] == "{% $states.input %}"
    assert state["Retry"][0]["ErrorEquals"] == ["States.TaskFailed", "States.Timeout"]


def test_a_failed_order_fails_and_a_completed_one_waits_for_its_payment(states: Template):
    assert {name: states[name]["Next"] for name in PUBLISHED} == {
        "OrderCompleted": "Payment",
        "OrderCancelled": "Cancelled",
        "OrderFailed": "Failed",
        "OrderPaid": "Completed",
        "OrderPaymentOverdue": "Payment",
    }
    ends = {name: states[name]["Type"] for name in ("Completed", "Cancelled", "Failed")}
    assert ends == {"Completed": "Succeed", "Cancelled": "Succeed", "Failed": "Fail"}
    assert states["Failed"]["Error"] == "{% $states.input.error.category %}"


def test_failed_keeps_its_cause_within_what_step_functions_allows(states: Template):
    assert states["Failed"]["Cause"] == "{% $substring($string($states.input.error), 0, 32768) %}"
