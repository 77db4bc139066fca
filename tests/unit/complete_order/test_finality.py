"""When a refusal ends an order: *Later attempts* and the row 404 of the rules, through the handler."""

import json
from typing import Any

import pytest
from wechatpay.errors import MerchantMisconfigured, OutcomeUnknown, WeChatPayUnavailable
from wechatpay_sandbox import APPID, SERVICE_ID

from tests.function import Function, attempt, later
from tests.replies import Fault, genuine, refusal
from tests.unit.complete_order.orders import arrived, cancel, finish, opened

NAMED = {"appid": APPID, "service_id": SERVICE_ID}
ABOVE_CAP = refusal(400, "PARAM_ERROR", tail="271316656")
NOT_FOUND = refusal(404, "ORDER_NOT_EXIST", tail="271317510")
WRONG_PARAMETER = refusal(400, "PARAM_ERROR", "参数错误")
UNSIGNED = {"signed": False}


def always(function: Function, order_no: str, reply: Fault, operation: str = "complete") -> None:
    function.simulator.script(order_no, operation, times=None, **reply)


def refused(function: Function, order_no: str, reply: Fault) -> dict[str, Any]:
    """Open an order whose completion is always refused so; return the event that finishes it."""
    ticket = opened(function, order_no)
    always(function, order_no, reply)
    return finish(order_no, finish_ticket=ticket)


def sent(function: Function, order_no: str) -> list[dict[str, Any]]:
    requests = function.simulator.requests(order_no)
    return [json.loads(each["body"]) for each in requests if each["operation"] == "complete" and each["body"]]


# Listed refusals


@pytest.mark.parametrize(("minutes", "final"), [(0, False), (9, False), (10, True), (600, True)])
def test_a_listed_refusal_of_a_later_attempt_stands_after_ten_minutes(
    function: Function, order_no: str, minutes: float, final: bool
) -> None:
    event = refused(function, order_no, ABOVE_CAP)
    function.client_context = later(minutes)
    if final:
        assert function(event)["error"]["category"] == "REJECTED"
    else:
        with pytest.raises(WeChatPayUnavailable, match="not final yet"):
            function(event)
    assert arrived(function, order_no) == ["complete", "query"]


@pytest.mark.parametrize(
    "context",
    [
        attempt(retry_count=1, entered_time=None),
        attempt(redrive_count=1),
        attempt(retry_count=None),
        attempt("arn:aws:states:us-east-1:000000000000:execution:ServiceEnded:resubmit-1"),
    ],
    ids=["retry", "redrive", "older definition", "resubmission"],
)
def test_every_kind_of_later_attempt_knows_that_it_is_one(
    function: Function, order_no: str, context: object
) -> None:
    event = refused(function, order_no, ABOVE_CAP)
    function.client_context = context
    with pytest.raises(WeChatPayUnavailable, match="not final yet"):
        function(event)


@pytest.mark.parametrize("context", [None, attempt()], ids=["direct", "first"])
def test_a_listed_refusal_of_a_first_attempt_stands(
    function: Function, order_no: str, context: object
) -> None:
    event = refused(function, order_no, ABOVE_CAP)
    function.client_context = context
    result = function(event)
    assert (result["error"]["category"], result["evidence"]) == ("REJECTED", "REPLY")


@pytest.mark.parametrize("doubt", ["reset_before", "bad_gateway", "unsigned"])
def test_a_refusal_never_outweighs_an_attempt_of_the_same_invocation(
    function: Function, order_no: str, doubt: str
) -> None:
    event = finish(order_no, finish_ticket=opened(function, order_no))
    unapplied = {"applied": False} if doubt == "unsigned" else {}
    function.simulator.script(order_no, "complete", fault=doubt, **unapplied)
    always(function, order_no, ABOVE_CAP)
    for context in (attempt(), later(600)):
        function.client_context = context
        with pytest.raises(WeChatPayUnavailable, match="not final yet"):
            function(event)
        function.simulator.clear_faults(order_no)
        function.simulator.script(order_no, "complete", fault=doubt, **unapplied)
        always(function, order_no, ABOVE_CAP)


@pytest.mark.parametrize(
    "context", [None, attempt(), later(10)], ids=["direct", "first", "after ten minutes"]
)
def test_an_unsigned_listed_refusal_stands_by_the_query_after_it(
    function: Function, order_no: str, context: object
) -> None:
    event = refused(function, order_no, ABOVE_CAP | UNSIGNED)
    function.client_context = context
    result = function(event)
    assert (result["error"]["category"], result["evidence"]) == ("REJECTED", "QUERY")
    assert result["error"]["verified"] is False
    assert arrived(function, order_no) == ["complete", "query"]


@pytest.mark.parametrize("minutes", [0, 9])
def test_an_unsigned_refusal_of_a_later_attempt_waits_as_a_signed_one(
    function: Function, order_no: str, minutes: int
) -> None:
    event = refused(function, order_no, ABOVE_CAP | UNSIGNED)
    function.client_context = later(minutes)
    with pytest.raises(WeChatPayUnavailable, match="not final yet"):
        function(event)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("again", [True, False])
def test_a_wrong_parameter_stands_only_when_it_is_refused_twice(
    function: Function, order_no: str, signed: bool, again: bool
) -> None:
    event = finish(order_no, finish_ticket=opened(function, order_no))
    reply = WRONG_PARAMETER | {"signed": signed}
    function.simulator.script(order_no, "complete", times=1 + again, **reply)
    function.client_context = None
    assert function(event)["outcome"] == ("FAILED" if again else "COMPLETED")
    assert arrived(function, order_no) == ["complete", "query", "complete", *["query"] * again]


PLACE = {"real_service_end_location": "深圳南山3号柜"}


@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
@pytest.mark.parametrize("stale", [True, False], ids=["stale ticket", "good ticket"])
def test_an_end_at_the_start_is_left_out_once_the_order_is_refused(
    function: Function, order_no: str, signed: bool, stale: bool
) -> None:
    ticket = opened(function, order_no, service_start_location=PLACE["real_service_end_location"])
    event = finish(order_no, finish_ticket="stale-ticket" if stale else ticket, **PLACE)
    message = "完结凭证错误" if stale else "服务结束地点不能与服务开始地点相同"
    function.simulator.script(order_no, "complete", **refusal(400, "PARAM_ERROR", message, signed=signed))
    if stale and not signed:  # an unsigned refusal is no reason to replace a ticket
        with pytest.raises(WeChatPayUnavailable):
            function(event)
    else:
        assert function(event)["outcome"] == "COMPLETED"
    first, second = sent(function, order_no)
    assert first["real_service_end_location"] == PLACE["real_service_end_location"]
    assert "real_service_end_location" not in second


def test_the_next_attempt_leaves_out_an_end_place_refused_by_an_odd_code(
    function: Function, order_no: str
) -> None:
    ticket = opened(function, order_no, service_start_location=PLACE["real_service_end_location"])
    event = finish(order_no, finish_ticket=ticket, **PLACE)
    function.simulator.script(order_no, "complete", **refusal(400, "LOCATION_INVALID"))
    with pytest.raises(WeChatPayUnavailable, match="still open"):
        function(event)
    function.client_context = later()
    assert function(event)["outcome"] == "COMPLETED"
    refused, accepted = sent(function, order_no)
    assert refused == {**accepted, **PLACE}
    assert arrived(function, order_no) == ["complete", "query", "query", "complete"]


def test_after_an_unsigned_refusal_the_same_parameters_are_sent_again(
    function: Function, order_no: str
) -> None:
    ticket = opened(function, order_no, service_start_location=PLACE["real_service_end_location"])
    event = finish(order_no, finish_ticket=ticket, **PLACE)
    function.simulator.script(order_no, "complete", fault="reset_before")
    function.simulator.script(order_no, "complete", **WRONG_PARAMETER | UNSIGNED)
    with pytest.raises(WeChatPayUnavailable, match="not final yet"):
        function(event)
    assert len({json.dumps(each) for each in sent(function, order_no)}) == 1
    function.client_context = later()
    assert function(event)["outcome"] == "COMPLETED"
    assert not PLACE.keys() & sent(function, order_no)[-1].keys()


# The shopper confirms meanwhile


@pytest.mark.parametrize("code", ["PARAM_ERROR", "SOMETHING_NEW"])
def test_the_next_attempt_cancels_an_order_confirmed_meanwhile(
    function: Function, order_no: str, code: str
) -> None:
    opened(function, order_no)
    created = {"out_order_no": order_no, "state": "CREATED"}
    function.simulator.script(order_no, "query", **genuine(created))
    always(function, order_no, refusal(400, code), "cancel")
    with pytest.raises(WeChatPayUnavailable, match="confirmed it meanwhile"):
        function(cancel(order_no))
    assert arrived(function, order_no) == ["query", "cancel", "query"]
    function.client_context = later()
    assert function(cancel(order_no))["outcome"] == "CANCELLED"
    [completion] = sent(function, order_no)
    assert completion["finish_type"] == 1


def test_a_cancellation_refused_twice_before_the_shopper_confirmed_stands(
    function: Function, order_no: str
) -> None:
    function.simulator.open_order(order_no, state="CREATED")
    always(function, order_no, refusal(400, "PARAM_ERROR"), "cancel")
    assert function(cancel(order_no))["error"]["category"] == "REJECTED"
    assert arrived(function, order_no) == ["query", "cancel", "query", "cancel", "query"]


def test_an_unsigned_refusal_of_a_settled_order_is_no_refusal(function: Function, order_no: str) -> None:
    event = refused(function, order_no, ABOVE_CAP | UNSIGNED | {"applied": True})
    result = function(event)
    assert (result["outcome"], result["evidence"]) == ("COMPLETED", "QUERY")


def test_a_refusal_without_a_query_that_shows_the_order_open_never_stands(
    function: Function, order_no: str
) -> None:
    event = finish(order_no, finish_ticket=opened(function, order_no), **NAMED)
    always(function, order_no, ABOVE_CAP)
    always(function, order_no, NOT_FOUND, "query")
    for context in (attempt(), later(600)):
        function.client_context = context
        with pytest.raises(OutcomeUnknown, match="ORDER_NOT_EXIST"):
            function(event)


@pytest.mark.parametrize(("signed", "tickets"), [(True, 2), (False, 1)])
def test_a_ticket_is_replaced_only_after_a_verified_refusal(
    function: Function, order_no: str, signed: bool, tickets: int
) -> None:
    function.simulator.open_order(order_no, finish_ticket="from-the-cabinet")
    function.simulator.script(order_no, "complete", **WRONG_PARAMETER | {"signed": signed})
    if signed:
        answer = {"out_order_no": order_no, "state": "USER_ACCEPTED", "finish_ticket": "of-the-query-instead"}
        always(function, order_no, genuine(answer), "query")
        function.tickets.add("of-the-query-instead")
        always(function, order_no, WRONG_PARAMETER)
        assert function(finish(order_no, finish_ticket="from-the-cabinet"))["outcome"] == "FAILED"
    else:
        assert function(finish(order_no, finish_ticket="from-the-cabinet"))["outcome"] == "COMPLETED"
    bodies = sent(function, order_no)
    assert len(bodies) == 2
    assert len({body["finish_ticket"] for body in bodies}) == tickets
    assert len({json.dumps(body | {"finish_ticket": ""}, sort_keys=True) for body in bodies}) == 1


# 404


@pytest.mark.parametrize("ticket", [{}, {"finish_ticket": "from-the-cabinet"}], ids=["no ticket", "ticket"])
def test_an_unknown_order_is_final_when_the_event_names_its_identifiers(
    function: Function, order_no: str, ticket: dict[str, str]
) -> None:
    result = function(finish(order_no, **ticket, **NAMED))
    assert (result["error"]["category"], result["error"]["status"]) == ("REJECTED", 404)
    assert result["evidence"] == ("REPLY" if ticket else "QUERY")


@pytest.mark.parametrize("named", [{}, {"appid": APPID}, {"service_id": SERVICE_ID}], ids=str)
@pytest.mark.parametrize("ticket", [{}, {"finish_ticket": "from-the-cabinet"}], ids=["no ticket", "ticket"])
def test_an_order_unknown_by_the_secrets_identifiers_blames_the_secret(
    function: Function, order_no: str, ticket: dict[str, str], named: dict[str, str]
) -> None:
    with pytest.raises(MerchantMisconfigured, match="appid and service_id of the secret"):
        function(finish(order_no, **ticket, **named))


@pytest.mark.parametrize("minutes", [0, 600])
@pytest.mark.parametrize("ticket", [{}, {"finish_ticket": "from-the-cabinet"}], ids=["no ticket", "ticket"])
def test_a_404_of_a_later_attempt_is_never_final(
    function: Function, order_no: str, ticket: dict[str, str], minutes: float
) -> None:
    function.client_context = later(minutes)
    with pytest.raises(OutcomeUnknown, match="may have been applied"):
        function(finish(order_no, **ticket, **NAMED))


@pytest.mark.parametrize("lost", ["reset_before", "bad_gateway", "reset_after"])
def test_a_404_after_a_lost_reply_is_never_final(function: Function, order_no: str, lost: str) -> None:
    event = finish(order_no, finish_ticket=opened(function, order_no), **NAMED)
    function.simulator.script(order_no, "complete", fault=lost)
    always(function, order_no, NOT_FOUND, "*")
    with pytest.raises(OutcomeUnknown, match="may have been applied"):
        function(event)


@pytest.mark.parametrize("context", [None, later(600)], ids=["first", "later"])
def test_a_404_never_outweighs_a_query_that_found_the_order(
    function: Function, order_no: str, context: Any
) -> None:
    opened(function, order_no)
    open_order = {"out_order_no": order_no, "state": "USER_ACCEPTED", "finish_ticket": "of-the-query-instead"}
    function.tickets.add("of-the-query-instead")
    function.simulator.script(order_no, "query", **genuine(open_order))
    always(function, order_no, NOT_FOUND, "*")
    function.client_context = context
    with pytest.raises(OutcomeUnknown, match="another query has found it"):
        function(finish(order_no, **NAMED))
    assert arrived(function, order_no) == ["query", "complete", "query"]


def test_a_404_of_the_completion_alone_is_retried(function: Function, order_no: str) -> None:
    event = finish(order_no, finish_ticket=opened(function, order_no), **NAMED)
    always(function, order_no, NOT_FOUND)
    with pytest.raises(WeChatPayUnavailable, match="still open"):
        function(event)


# Events that are invalid now


def test_an_invalid_event_of_a_first_attempt_is_its_own_fault(function: Function, order_no: str) -> None:
    opened(function, order_no)
    assert function(finish(order_no, colour="red"))["error"]["category"] == "INVALID_INPUT"
    assert arrived(function, order_no) == []


def test_an_invalid_event_of_a_later_attempt_queries_before_it_is_judged(
    function: Function, order_no: str
) -> None:
    opened(function, order_no)
    function.client_context = later(600)
    with pytest.raises(MerchantMisconfigured, match=r"the event is invalid now.*colour"):
        function(finish(order_no, colour="red"))
    assert arrived(function, order_no) == ["query"]


@pytest.mark.parametrize("wish", [finish, cancel])
def test_an_order_settled_before_is_found_though_the_event_is_invalid_now(
    function: Function, order_no: str, wish: Any
) -> None:
    opened(function, order_no)
    outcome = function(wish(order_no))["outcome"]
    function.client_context = later()
    result = function(wish(order_no, colour="red", metadata={"cabinet": "SZ-1"}))
    assert (result["outcome"], result["evidence"]) == (outcome, "QUERY")
    assert result["metadata"] == {"cabinet": "SZ-1"}


def test_an_order_settled_otherwise_is_a_conflict_with_an_invalid_event(
    function: Function, order_no: str
) -> None:
    function.simulator.open_order(order_no, state="FINISHED", finish_type=2, total_amount=1)
    function.client_context = later()
    assert function(finish(order_no, colour="red"))["error"]["category"] == "CONFLICT"


@pytest.mark.parametrize("change", [{"finish_type": 7}, {"total_amount": "x"}, {"out_order_no": "无"}])
def test_an_invalid_event_without_an_order_is_raised_by_a_later_attempt(
    function: Function, order_no: str, change: dict[str, Any]
) -> None:
    function.client_context = later()
    with pytest.raises(MerchantMisconfigured, match="invalid now"):
        function(finish(order_no) | change)


def test_an_unknown_order_of_an_invalid_event_is_never_the_events_fault(
    function: Function, order_no: str
) -> None:
    function.client_context = later()
    with pytest.raises(MerchantMisconfigured, match="invalid now"):
        function(finish(order_no, colour="red", **NAMED))


# Readers behind the writer


@pytest.mark.parametrize("state", ["CREATED", "USER_ACCEPTED"])
@pytest.mark.parametrize("shown", [{"fault": "wrong_shape"}, {"fault": "debit_in_progress"}], ids=str)
def test_an_order_that_looks_open_after_its_acceptance_is_unknown(
    function: Function, order_no: str, state: str, shown: dict[str, Any]
) -> None:
    event = finish(order_no, finish_ticket=opened(function, order_no))
    function.simulator.script(order_no, "complete", **shown)
    always(function, order_no, genuine({"out_order_no": order_no, "state": state}), "query")
    with pytest.raises(OutcomeUnknown, match=f"says state {state}"):
        function(event)
    assert function.simulator.order(order_no)["accepted"] == 1
