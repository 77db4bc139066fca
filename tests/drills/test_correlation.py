"""One order can be followed through the deployed stack's logs, from its execution to WeChat's Request-ID."""

import json
from typing import Any

import pytest

WIRE = "called WeChat Pay"


def lines(stack: Any, group: str) -> list[dict[str, Any]]:
    """Every JSON line of a log group that is not a metric."""
    events = stack.client("logs").filter_log_events(logGroupName=group, limit=10_000)["events"]
    parsed = [json.loads(e["message"]) for e in events if e["message"].startswith("{")]
    return [line for line in parsed if "_aws" not in line]


@pytest.fixture(scope="module")
def settled(stack, run, order, simulator) -> tuple[Any, list[dict[str, Any]]]:
    """An execution that met a fault on its way, and every log line of its attempts."""
    event = order()
    simulator.script(event["out_order_no"], fault="unavailable", times=2)  # of each host
    execution = run(event)
    assert execution.raised[0] == "WeChatPayUnavailable"
    logged = lines(stack, f"/aws/lambda/{stack.name}-CompleteOrder")
    requests = {line["function_request_id"] for line in logged if line.get("execution") == execution.arn}
    assert len(requests) == 2
    return execution, [line for line in logged if line["function_request_id"] in requests]


def test_every_line_of_every_attempt_names_the_execution_and_the_order(settled):
    execution, logged = settled
    assert len(logged) >= 4
    for line in logged:
        assert line["execution"] == execution.arn
        assert line["out_order_no"] == execution.output["out_order_no"]


def test_every_answer_of_wechat_pay_is_logged_with_its_request_id(settled, simulator):
    execution, logged = settled
    sent = simulator.requests(execution.output["out_order_no"])
    given = [line["request_id"] for line in logged if line["message"] == WIRE]
    assert all(given)
    assert execution.output["request_id"] in given
    assert len(given) == len([line for line in logged if line["message"] == WIRE]) <= len(sent)


def test_the_outcome_is_logged_with_the_request_id_that_proves_it(settled):
    execution, logged = settled
    (line,) = [line for line in logged if line["message"] == "settled"]
    assert line["request_id"] == execution.output["request_id"]


def test_no_line_holds_what_no_log_may(settled, simulator):
    _, logged = settled
    text = json.dumps(logged, ensure_ascii=False)
    secret = simulator.secret()
    for private in (secret["api_v3_key"], "PRIVATE KEY", "WECHATPAY2-SHA256-RSA2048", "SZ-NS-003", "矿泉水"):
        assert private not in text
