"""Every row of the decision tables, by running the real function against the simulator."""

from typing import Any

import pytest
from wechatpay import errors, reply_rules, smart_retail
from wechatpay.client import Client
from wechatpay.deadline import Deadline
from wechatpay.orders import OrderKey
from wechatpay.signed_transport import SignedTransport
from wechatpay_sandbox import APPID, MCHID, SERVICE_ID

from tests.decisions.cases import OPEN, REPLY_CASES, SETTLED, STATE_CASES, UNCONFIRMED, Case, StateCase
from tests.function import Function
from tests.hosts import set_hosts
from tests.replies import genuine, refusal

NOTHING_SENT = "nothing sent to any host"
PAGE = {"content": "<html>no</html>", "content_type": "text/html", "signed": False, "applied": False}
WISHES = pytest.mark.parametrize("finish_type", [1, 2], ids=["cancel", "finish"])


def order_event(order_no: str, finish_type: int, **more: Any) -> dict[str, Any]:
    wish: dict[str, Any] = {"finish_type": 1, "cancel_reason": "用户未取商品"}
    if finish_type == 2:
        wish = {"finish_type": 2, "fees": [{"fee_name": "可乐", "fee_amount": 1200}], "total_amount": 1200}
    return {"out_order_no": order_no, **wish, **more}


def calls(function: Function, order_no: str) -> dict[str, int]:
    arrived = [request["operation"] for request in function.simulator.requests(order_no)]
    return {"completes": arrived.count("complete"), "queries": arrived.count("query")}


def must_end(function: Function, event: dict[str, Any], ends: object) -> dict[str, Any]:
    """Settle; check that it ends so; return the result, empty when an error was raised as it should be."""
    if isinstance(ends, str) and hasattr(errors, ends):
        with pytest.raises(getattr(errors, ends)) as raised:
            function(event)
        assert type(raised.value).__name__ == ends
        assert event["out_order_no"] in str(raised.value)
        return {}
    result = function(event)
    if ends == SETTLED:
        assert result["outcome"] == SETTLED[event["finish_type"] - 1 ^ 1]
        assert "error" not in result
    else:
        assert result["outcome"] == "FAILED"
        assert result["error"]["category"] == ends
        assert "order_id" not in result
    assert ("order_id" in result) == (result["evidence"] == "REPLY" and ends == SETTLED)
    return result


@WISHES
@pytest.mark.parametrize("case", REPLY_CASES, ids=str)
def test_every_reply_leads_to_what_its_row_says(
    function: Function, order_no: str, case: Case, finish_type: int
) -> None:
    opened = function.simulator.open_order(order_no)
    function.simulator.script(order_no, "complete", times=case.times, **case.fault)
    event = order_event(order_no, finish_type, finish_ticket=opened["finish_ticket"])
    result = must_end(function, event, case.ends)
    assert result.get("evidence") == case.evidence
    assert calls(function, order_no) == {"completes": case.completes, "queries": case.queries}
    truth = function.simulator.order(order_no)
    assert (truth["finish_type"] == finish_type) or case.ends != SETTLED
    assert truth["total_amount"] in (None, 0 if finish_type == 1 else 1200)
    assert truth["accepted"] <= 1


@WISHES
@pytest.mark.parametrize("case", [case for case in REPLY_CASES if case.evidence is None], ids=str)
def test_what_was_raised_is_settled_once_by_sending_the_same_event_again(
    function: Function, order_no: str, case: Case, finish_type: int
) -> None:
    opened = function.simulator.open_order(order_no)
    function.simulator.script(order_no, "complete", times=case.times, **case.fault)
    event = order_event(order_no, finish_type, finish_ticket=opened["finish_ticket"])
    must_end(function, event, case.ends)
    function.simulator.clear_faults(order_no)
    assert must_end(function, event, SETTLED)["evidence"] == "REPLY"
    assert function.simulator.order(order_no)["accepted"] == 1


@pytest.mark.parametrize("case", REPLY_CASES, ids=str)
def test_every_reply_is_decided_by_the_row_named_here(function: Function, order_no: str, case: Case) -> None:
    opened = function.simulator.open_order(order_no)
    function.simulator.script(order_no, "complete", times=case.times, **case.fault)
    app = function.app
    signed_transport = SignedTransport(app.merchants[MCHID], app.transport)
    client = Client(signed_transport, function.simulator.hosts, Deadline(30))
    cancelled = {"finish_type": 1, "cancel_reason": "误开门", "total_amount": 0, "profit_sharing": False}
    parameters = cancelled | {"finish_ticket": opened["finish_ticket"]}
    key = OrderKey(MCHID, APPID, SERVICE_ID, order_no)
    with pytest.raises(errors.WeChatPayError) as raised:
        smart_retail.complete(client, key, parameters)
    fitting = reply_rules.rule_of(raised.value)
    assert fitting.name == case.row
    assert case.proves <= fitting.codes | fitting.internal_codes | set(fitting.phrases)


@WISHES
def test_nothing_sent_to_any_host_is_retried(function: Function, order_no: str, finish_type: int) -> None:
    opened = function.simulator.open_order(order_no)
    set_hosts(function.simulator, up=False)
    event = order_event(order_no, finish_type, finish_ticket=opened["finish_ticket"])
    must_end(function, event, "WeChatPayUnavailable")
    assert function.simulator.requests(order_no) == []


def test_every_row_of_replies_and_everything_a_row_names_is_met_by_a_case() -> None:
    assert {case.row for case in REPLY_CASES} | {NOTHING_SENT} == {row.name for row in reply_rules.REPLIES}
    for row in reply_rules.REPLIES:
        met = {each for case in REPLY_CASES if case.row == row.name for each in case.proves}
        assert met == row.codes | row.internal_codes | set(row.phrases), row.name


def test_no_two_rows_share_a_name() -> None:
    names = [row.name for row in reply_rules.REPLIES]
    assert len(names) == len(set(names))


def test_every_row_of_states_is_met_by_a_case_for_each_wish() -> None:
    cases = {(case.state, case.settled_as, case.finish_type) for case in STATE_CASES}
    rows = {(row.state, row.finish_type, wish) for row in reply_rules.STATES for wish in (1, 2)}
    assert cases == rows
    assert {row.state for row in reply_rules.STATES} == smart_retail.STATES


CONFIRMED = [case for case in STATE_CASES if case.ends != UNCONFIRMED]


def put(function: Function, order_no: str, case: StateCase) -> None:
    settled = {"finish_type": case.settled_as, "total_amount": case.amount}
    known = {name: value for name, value in settled.items() if value is not None}
    function.simulator.open_order(order_no, replace=True, state=case.state, **known)


@pytest.mark.parametrize("case", CONFIRMED, ids=str)
def test_a_state_found_after_an_unclear_completion(
    function: Function, order_no: str, case: StateCase
) -> None:
    put(function, order_no, case)
    function.simulator.script(order_no, "complete", fault="accepted_202")
    event = order_event(order_no, case.finish_type, finish_ticket="from-the-cabinet")
    result = must_end(function, event, "WeChatPayUnavailable" if case.ends == OPEN else case.ends)
    assert result.get("evidence") == (None if case.ends in (OPEN, "WeChatPayUnavailable") else "QUERY")
    assert calls(function, order_no) == {"completes": 1, "queries": 1}
    if result.get("error"):
        assert f"state {case.state}" in result["error"]["detail"]
        assert result["error"]["verified"] is True
        assert result["error"]["request_id"] == result["request_id"] != ""


@pytest.mark.parametrize("case", CONFIRMED, ids=str)
def test_a_state_found_while_fetching_the_ticket(function: Function, order_no: str, case: StateCase) -> None:
    put(function, order_no, case)
    result = must_end(
        function, order_event(order_no, case.finish_type), SETTLED if case.ends == OPEN else case.ends
    )
    assert result.get("evidence") == {OPEN: "REPLY", "WeChatPayUnavailable": None}.get(case.ends, "QUERY")
    assert calls(function, order_no) == {"completes": int(case.ends == OPEN), "queries": 1}


@WISHES
@pytest.mark.parametrize(
    ("query", "ends"),
    [
        (refusal(404, "ORDER_NOT_EXIST"), "OutcomeUnknown"),
        (refusal(404, "ORDER_NOT_EXIST", signed=False), "OutcomeUnknown"),
        ({"fault": "unsigned"}, "OutcomeUnknown"),
        ({"fault": "wrong_signature"}, "OutcomeUnknown"),
        ({"fault": "signtest"}, "OutcomeUnknown"),
        ({"fault": "system_error"}, "OutcomeUnknown"),
        ({"fault": "rate_limited"}, "OutcomeUnknown"),
        ({"fault": "no_auth"}, "OutcomeUnknown"),
        ({"fault": "unsigned_4xx"}, "OutcomeUnknown"),
        ({"fault": "reply", "status": 403, **PAGE}, "OutcomeUnknown"),
        ({"fault": "other_order"}, "OutcomeUnknown"),
        ({"fault": "duplicate_keys"}, "OutcomeUnknown"),
        ({"fault": "wrong_shape"}, "OutcomeUnknown"),
        ({"fault": "reset_before"}, "OutcomeUnknown"),
        ({"fault": "truncated_body"}, "OutcomeUnknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value['fault']}-{value.get('signed', '')}",
)
def test_a_query_that_cannot_tell_leaves_the_outcome_unknown(
    function: Function, order_no: str, query: dict[str, Any], ends: str, finish_type: int
) -> None:
    opened = function.simulator.open_order(order_no)
    function.simulator.script(order_no, "complete", fault="reset_after")
    function.simulator.script(order_no, "query", times=None, **query)
    must_end(function, order_event(order_no, finish_type, finish_ticket=opened["finish_ticket"]), ends)
    assert calls(function, order_no)["completes"] == 1


@pytest.mark.parametrize(
    ("query", "ends"),
    [
        (refusal(404, "ORDER_NOT_EXIST"), "REJECTED"),
        (refusal(400, "PARAM_ERROR"), "WeChatPayUnavailable"),
        (refusal(404, "ORDER_NOT_EXIST", signed=False), "WeChatPayUnavailable"),
        ({"fault": "unsigned"}, "WeChatPayUnavailable"),
        ({"fault": "system_error"}, "WeChatPayUnavailable"),
        ({"fault": "unsigned_4xx"}, "WeChatPayUnavailable"),
        ({"fault": "other_order"}, "WeChatPayUnavailable"),
        ({"fault": "reset_before"}, "WeChatPayUnavailable"),
        ({"fault": "rate_limited"}, "WeChatPayRateLimited"),
        ({"fault": "sign_error"}, "MerchantMisconfigured"),
        ({"fault": "no_auth"}, "MerchantMisconfigured"),
        ({"fault": "reply", "status": 401, **PAGE}, "WeChatPayUnavailable"),
        ({"fault": "reply", "status": 403, **PAGE}, "WeChatPayUnavailable"),
    ],
    ids=lambda value: (
        value
        if isinstance(value, str)
        else f"{value['fault']}-{value.get('status', '')}-{value.get('signed', '')}"
    ),
)
def test_a_ticket_that_cannot_be_fetched_sends_no_completion(
    function: Function, order_no: str, query: dict[str, Any], ends: str
) -> None:
    function.simulator.open_order(order_no)
    function.simulator.script(order_no, "query", times=None, **query)
    result = must_end(function, order_event(order_no, 2, appid=APPID, service_id=SERVICE_ID), ends)
    assert result.get("evidence") in (None, "QUERY")
    assert calls(function, order_no)["completes"] == 0
    assert function.simulator.order(order_no)["accepted"] == 0


def paid(order_no: str, **changes: Any) -> dict[str, Any]:
    """A query's answer, signed as genuine, about an order that was settled."""
    document = {
        "out_order_no": order_no,
        "state": "FINISHED",
        "finish_type": 2,
        "total_amount": 1200,
        **changes,
    }
    return genuine({name: value for name, value in document.items() if value is not None})


@pytest.mark.parametrize(
    "changes",
    [
        {"total_amount": None},
        {"finish_type": None},
        {"finish_type": None, "state": "USER_PAID"},
        {"finish_type": 1, "state": "USER_PAID"},
        {"total_amount": "1200"},
        {"total_amount": 1200.0},
        {"finish_type": True},
        {"state": "SOMETHING_NEW"},
        {"state": None},
        {"out_order_no": None},
        {"appid": "wx0000000000000000"},
        {"mchid": "1900000002"},
        {"service_id": "500002"},
    ],
    ids=str,
)
def test_a_genuine_answer_that_lacks_what_it_must_say_settles_nothing(
    function: Function, order_no: str, changes: dict[str, Any]
) -> None:
    opened = function.simulator.open_order(order_no)
    function.simulator.script(order_no, "complete", fault="reset_before")
    function.simulator.script(order_no, "query", times=None, **paid(order_no, **changes))
    event = order_event(order_no, 2, finish_ticket=opened["finish_ticket"])
    must_end(function, event, "OutcomeUnknown")
