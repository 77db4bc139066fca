"""What is logged and counted: exactly this, and nothing else."""

import json
from types import SimpleNamespace

import pytest
from wechatpay.errors import OutcomeUnknown, WeChatPayRateLimited, WeChatPayUnavailable
from wechatpay.reply_rules import REPLIES

from tests.function import EXECUTION, Function
from tests.replies import refusal
from tests.unit.complete_order.orders import cancel, finish, opened

# What Powertools puts on every line, and what this project does.
EVERY_LINE = {
    "level",
    "location",
    "message",
    "timestamp",
    "service",
    "cold_start",
    "function_name",
    "function_memory_size",
    "function_arn",
    "function_request_id",
    "out_order_no",
    "execution",
}
EXCHANGE = EVERY_LINE | {"method", "host", "status", "milliseconds", "request_id", "problem"}
SETTLED = EVERY_LINE | {"outcome", "evidence", "request_id"}
FAILED = SETTLED | {"category", "code", "status"}
NOT_SETTLED = EVERY_LINE | {"outcome", "reason"}


def keys(function: Function, message: str) -> set[str]:
    [line] = [line for line in function.logs if line["message"] == message][-1:]
    return set(line)


def counted(function: Function) -> set[str]:
    return {
        metric["Name"]
        for line in function.metrics
        for directive in line["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }


def test_a_settled_order_logs_only_what_is_allowed(function: Function, order_no: str) -> None:
    opened(function, order_no)
    function(finish(order_no, metadata={"cabinet": "SZ-3"}))
    assert [line["message"] for line in function.logs] == [
        "called WeChat Pay",
        "called WeChat Pay",
        "settled",
    ]
    assert keys(function, "called WeChat Pay") == EXCHANGE
    assert keys(function, "settled") == SETTLED
    assert {line["execution"] for line in function.logs} == {EXECUTION}
    assert {line["out_order_no"] for line in function.logs} == {order_no}
    assert "SZ-3" not in function.output.getvalue()
    assert "乌龙茶" not in function.output.getvalue()


@pytest.mark.parametrize("message", ["1900000001", "null", '{"a":1}', "是"])
def test_a_message_that_looks_like_json_stays_text(function: Function, message: str) -> None:
    function.app.logger.info(message, why=OutcomeUnknown("no answer"))
    [line] = function.logs
    assert (line["message"], line["why"]) == (message, "no answer")
    assert json.dumps(message, ensure_ascii=False) in function.output.getvalue()


def test_metadata_with_an_integer_beyond_2_to_the_53_is_counted(function: Function, order_no: str) -> None:
    opened(function, order_no)
    function(finish(order_no, metadata={"session": 2**53 - 1}))
    assert "MetadataRounded" not in counted(function)
    function(finish(order_no, metadata={"session": 2**53 + 1}))
    assert "MetadataRounded" in counted(function)


def test_a_refused_order_logs_what_was_refused(function: Function, order_no: str) -> None:
    opened(function, order_no, risk_cap=1)
    function(finish(order_no))
    assert keys(function, "failed") == FAILED
    [line] = [line for line in function.logs if line["message"] == "failed"]
    assert (line["category"], line["code"], line["status"]) == ("REJECTED", "PARAM_ERROR", 400)
    assert line["request_id"].endswith("-271316656")


def test_an_invalid_event_logs_no_value_of_it(function: Function, order_no: str) -> None:
    function({"out_order_no": order_no, "finish_type": "SECRET-VALUE", "SECRET-NAME": 1})
    # Powertools leaves out a key whose value is None.
    assert keys(function, "failed") == EVERY_LINE | {"outcome", "category", "code", "request_id"}
    assert "SECRET" not in function.output.getvalue()


def test_an_order_that_is_not_settled_says_why(function: Function, order_no: str) -> None:
    ticket = opened(function, order_no)
    function.simulator.script(order_no, "complete", fault="reset_after")
    function.simulator.script(order_no, "query", fault="system_error", times=None)
    with pytest.raises(OutcomeUnknown) as raised:
        function(finish(order_no, finish_ticket=ticket))
    assert keys(function, "not settled") == NOT_SETTLED
    [line] = [line for line in function.logs if line["message"] == "not settled"]
    assert (line["outcome"], line["level"], line["reason"]) == (
        "OutcomeUnknown",
        "WARNING",
        str(raised.value),
    )


def test_one_order_leaves_nothing_on_the_lines_of_the_next(function: Function, order_no: str) -> None:
    opened(function, order_no)
    function(finish(order_no))
    function.turn_page()
    function([])
    [line] = function.logs
    assert "out_order_no" not in line


@pytest.mark.parametrize(
    ("fault", "names"),
    [
        ({}, {"COMPLETED", "ProviderLatency"}),
        ({"fault": "unsigned"}, {"COMPLETED", "ProviderLatency", "UnverifiableReply"}),
        ({"fault": "wrong_signature"}, {"COMPLETED", "ProviderLatency", "UnverifiableReply"}),
        ({"fault": "reset_after"}, {"COMPLETED", "ProviderLatency"}),
        ({"fault": "settled_amount"}, {"CONFLICT", "ProviderLatency"}),
        (
            refusal(400, "PARAM_ERROR", tail="271316656"),
            {"REJECTED", "ProviderLatency"},
        ),
    ],
    ids=["accepted", "unsigned", "wrong signature", "lost", "conflict", "refused"],
)
def test_outcome_latency_and_unverifiable_replies_are_counted(
    function: Function, order_no: str, fault: dict[str, object], names: set[str]
) -> None:
    ticket = opened(function, order_no)
    if fault:
        function.simulator.script(order_no, "complete", **fault)
    function(finish(order_no, finish_ticket=ticket))
    assert counted(function) == names


def test_cancellations_invalid_events_and_each_error_are_counted(function: Function, order_no: str) -> None:
    opened(function, order_no)
    function(cancel(order_no))
    assert counted(function) == {"CANCELLED", "ProviderLatency"}
    function.turn_page()
    function({})
    assert counted(function) == {"INVALID_INPUT"}
    function.turn_page()
    function.simulator.script(order_no, "complete", fault="rate_limited")
    with pytest.raises(WeChatPayRateLimited):
        function(cancel(order_no, finish_ticket="of-the-cabinet"))
    assert counted(function) == {"WeChatPayRateLimited", "ProviderLatency"}


NEW = refusal(409, "SOMETHING_NEW", tail="271399999")


def test_a_refusal_on_no_row_is_counted_and_its_code_logged(function: Function, order_no: str) -> None:
    ticket = opened(function, order_no)
    function.simulator.script(order_no, "complete", **NEW)
    with pytest.raises(WeChatPayUnavailable):
        function(finish(order_no, finish_ticket=ticket))
    assert counted(function) == {"UnlistedRefusal", "WeChatPayUnavailable", "ProviderLatency"}
    [line] = [line for line in function.logs if line["message"] == "unlisted refusal"]
    assert (line["status"], line["code"], line["internal_code"]) == (409, "SOMETHING_NEW", "271399999")
    assert set(line) == EVERY_LINE | {"status", "code", "internal_code", "request_id"}


@pytest.mark.parametrize("order_api", [None, "serviceorder"])
def test_a_query_before_the_call_that_is_refused_on_no_row_is_counted(
    function: Function, order_no: str, order_api: str | None
) -> None:
    opened(function, order_no)
    function.simulator.script(order_no, "query", times=None, **NEW)
    named = {"order_api": order_api} if order_api else {}
    with pytest.raises(WeChatPayUnavailable, match="SOMETHING_NEW"):
        function(cancel(order_no, **named))
    assert counted(function) == {"UnlistedRefusal", "WeChatPayUnavailable", "ProviderLatency"}
    [line] = [line for line in function.logs if line["message"] == "unlisted refusal"]
    assert (line["status"], line["code"], line["internal_code"]) == (409, "SOMETHING_NEW", "271399999")


def test_a_query_after_the_call_that_is_refused_on_no_row_is_counted(
    function: Function, order_no: str
) -> None:
    ticket = opened(function, order_no)
    function.simulator.script(order_no, "complete", fault="reset_after")
    function.simulator.script(order_no, "query", times=None, **NEW)
    with pytest.raises(OutcomeUnknown, match="SOMETHING_NEW"):
        function(finish(order_no, finish_ticket=ticket))
    assert counted(function) == {"UnlistedRefusal", "OutcomeUnknown", "ProviderLatency"}


@pytest.mark.parametrize("with_ticket", [True, False])
def test_an_order_the_shopper_has_not_confirmed_is_counted_apart(
    function: Function, order_no: str, with_ticket: bool
) -> None:
    function.simulator.open_order(order_no, state="CREATED")
    ticket = {"finish_ticket": "of-the-cabinet"} if with_ticket else {}
    with pytest.raises(WeChatPayUnavailable, match="not confirmed"):
        function(finish(order_no, **ticket))
    assert counted(function) == {"OrderNotReady", "ProviderLatency"}


def test_no_metric_has_another_dimension_than_the_service(function: Function, order_no: str) -> None:
    opened(function, order_no)
    function(finish(order_no))
    [line] = function.metrics
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "SmartRetail"
    assert directive["Dimensions"] == [["service"]]
    assert set(line) == {"_aws", "service", "ProviderLatency", "COMPLETED"}
    assert order_no not in str(line)
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units == {"ProviderLatency": "Milliseconds", "COMPLETED": "Count"}
    assert len(line["ProviderLatency"]) == 2


@pytest.mark.parametrize("custom", [None, {}, {"execution": 7}, {"execution": None}, ["execution"]])
def test_lines_without_an_execution_name_none(function: Function, custom: object) -> None:
    function.client_context = SimpleNamespace(custom=custom)
    function({})
    function.client_context = None
    function({})
    assert all("execution" not in line for line in function.logs)


def test_an_order_number_with_a_lone_surrogate_breaks_no_line(function: Function) -> None:
    function({"out_order_no": "\ud800\nBROKEN"})
    assert [line["message"] for line in function.logs] == ["failed"]
    function.output.getvalue().encode()


def test_the_rule_that_decided_is_logged_by_its_name(function: Function, order_no: str) -> None:
    ticket = opened(function, order_no)
    function.simulator.script(order_no, "complete", fault="rate_limited")
    with pytest.raises(WeChatPayRateLimited):
        function(finish(order_no, finish_ticket=ticket))
    [line] = [line for line in function.logs if line["message"] == "rule decided"]
    assert line["then"] == "RETRY_LATER"
    assert line["rule"] in {row.name for row in REPLIES}
    assert set(line) == EVERY_LINE | {"rule", "then"}
