"""The workflow's definition: its order of timeouts, its retries and its ends."""

from collections.abc import Iterator
from typing import Any

import pytest
from wechatpay.client import CALL_SECONDS
from wechatpay.smart_retail import QUERY_RESERVE_SECONDS

from .conftest import Template, source

PUBLISHED = {
    "OrderCompleted": "Order Completed",
    "OrderCancelled": "Order Cancelled",
    "OrderFailed": "Order Failed",
}
DAY = 24 * 3600

# A Lambda or sandbox that failed by itself; the function may have run, and completing again is safe.
PLATFORM_FAULTS = {
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
    "States.Timeout",
}


@pytest.fixture
def states(workflow: Template) -> Template:
    states: Template = workflow["States"]
    return states


def tasks(states: Template) -> dict[str, Any]:
    return {name: state for name, state in states.items() if state["Type"] == "Task"}


def waits(retrier: dict[str, Any]) -> Iterator[float]:
    """The longest each wait can be, in seconds; jitter FULL takes a random part of it."""
    for attempt in range(retrier["MaxAttempts"]):
        backoff = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** attempt
        yield min(backoff, retrier["MaxDelaySeconds"])


def longest(state: dict[str, Any]) -> float:
    """Seconds a Task can take with every retrier used up, each wait and each attempt at its longest."""
    attempts = 1 + sum(retrier["MaxAttempts"] for retrier in state["Retry"])
    return attempts * state["TimeoutSeconds"] + sum(sum(waits(retrier)) for retrier in state["Retry"])


def test_http_ends_before_lambda_before_the_task_before_the_machine(workflow: Template):
    function = source()["Resources"]["CompleteOrderFunction"]["Properties"]
    states = workflow["States"]
    http = CALL_SECONDS + QUERY_RESERVE_SECONDS
    longest_path = longest(states["ServiceEnded"]) + max(longest(states[name]) for name in PUBLISHED)
    assert http < function["Timeout"] < states["ServiceEnded"]["TimeoutSeconds"]
    assert states["ServiceEnded"]["TimeoutSeconds"] < longest_path < workflow["TimeoutSeconds"]


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


def test_settling_is_retried_on_what_may_still_succeed_and_on_nothing_else(states: Template):
    retried = {error for retrier in states["ServiceEnded"]["Retry"] for error in retrier["ErrorEquals"]}
    ours = {"WeChatPayUnavailable", "OutcomeUnknown", "WeChatPayRateLimited"}
    assert retried == ours | PLATFORM_FAULTS


def test_no_task_catches_so_that_a_redrive_runs_it_again(states: Template):
    assert not [name for name, task in tasks(states).items() if "Catch" in task]


def test_function_gets_the_bare_order_event_and_the_execution_beside_it(states: Template):
    arguments = states["ServiceEnded"]["Arguments"]
    assert arguments["Payload"] == "{% $states.input %}"
    assert "$states.context.Execution.Id" in arguments["ClientContext"]


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


def test_completed_and_cancelled_succeed_and_failed_fails(states: Template):
    ends = {name: states[states[name]["Next"]]["Type"] for name in PUBLISHED}
    assert ends == {"OrderCompleted": "Succeed", "OrderCancelled": "Succeed", "OrderFailed": "Fail"}
    assert states["Failed"]["Error"] == "{% $states.input.error.category %}"


def test_failed_keeps_its_cause_within_what_step_functions_allows(states: Template):
    assert states["Failed"]["Cause"] == "{% $substring($string($states.input.error), 0, 32768) %}"
