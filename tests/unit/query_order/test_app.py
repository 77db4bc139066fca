"""The handler as Lambda calls it: what it makes of every state, and of every answer that proves nothing."""

import contextlib
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from wechatpay.errors import (
    MerchantMisconfigured,
    OutcomeUnknown,
    SettlementError,
    WeChatPayRateLimited,
    WeChatPayUnavailable,
)

from tests.function import EXECUTION, PREFIX, Function
from tests.hosts import set_hosts
from tests.replies import genuine, refusal
from tests.schemas import schemas

Result = dict[str, Any]
FINISHED = {"finish_type": 2, "total_amount": 1200}


def opened(function: Function, order_no: str, state: str, **settings: Any) -> None:
    function.simulator.open_order(order_no, state=state, **settings)


def test_a_paid_order_has_what_refunds_and_bookkeeping_need(function, accepted, order_no):
    opened(function, order_no, "USER_PAID", **FINISHED)
    answer = function(accepted)
    payment = answer["payment"]
    assert answer == {**accepted, "payment": payment}
    order = function.simulator.order(order_no)
    assert (payment["state"], payment["paid_by"]) == ("PAID", "WECHAT_PAY")
    assert payment["finish_transaction_id"] == f"42{order['order_id'][2:]}"
    assert len(payment["pay_succ_time"]) == len("yyyyMMddHHmmss")
    assert payment["request_id"]


def test_an_accepted_order_is_still_collecting(function, accepted, order_no):
    opened(function, order_no, "FINISHED", **FINISHED)
    answer = function(accepted)
    request_id = answer["payment"]["request_id"]
    assert answer == {**accepted, "payment": {"state": "COLLECTING", "request_id": request_id}}


def test_what_an_earlier_query_found_is_replaced(function, accepted, order_no):
    opened(function, order_no, "FINISHED", **FINISHED)
    collecting = function(accepted)
    opened_again = {"replace": True, "state": "USER_PAID", **FINISHED}
    function.simulator.open_order(order_no, **opened_again)
    assert function(collecting)["payment"]["state"] == "PAID"


def test_it_queries_once_and_sends_nothing_of_the_callers_own(function, accepted, order_no):
    opened(function, order_no, "FINISHED", **FINISHED)
    function(accepted)
    [request] = function.simulator.requests(order_no)
    assert (request["operation"], request["method"], request["verified"]) == ("query", "GET", True)
    assert request["body"] == ""
    assert "SZ-NS-003" not in json.dumps(request)


@pytest.mark.parametrize(
    ("state", "settings"),
    [
        ("USER_PAID", {"finish_type": 2, "total_amount": 90}),
        ("FINISHED", {"finish_type": 2, "total_amount": 1300}),
        ("FINISHED", {"finish_type": 1, "total_amount": 0}),
        ("REVOKED", {}),
        ("EXPIRED", {}),
    ],
)
def test_anything_but_what_was_accepted_is_a_conflict(function, accepted, order_no, state, settings):
    opened(function, order_no, state, **settings)
    collecting = {**accepted, "payment": {"state": "COLLECTING", "request_id": "two"}}
    answer = function(collecting)
    error = answer["error"]
    assert answer == {**accepted, "outcome": "FAILED", "evidence": "QUERY", "error": error}
    assert (error["category"], error["verified"]) == ("CONFLICT", True)
    assert state in error["detail"]
    [line] = [line for line in function.logs if line["message"] == "failed"]
    assert (line["outcome"], line["category"]) == ("FAILED", "CONFLICT")


@pytest.mark.parametrize("state", ["CREATED", "USER_ACCEPTED"])
def test_an_accepted_order_that_looks_open_is_queried_again(function, accepted, order_no, state):
    opened(function, order_no, state)
    with pytest.raises(OutcomeUnknown, match=f"was accepted, and a query says state {state}"):
        function(accepted)


def test_an_accepted_order_that_is_not_found_is_queried_again(function, accepted):
    with pytest.raises(OutcomeUnknown, match="was accepted, and a query is refused: HTTP 404"):
        function(accepted)


TRANSACTION = {"finish_transaction_id": "4200002500202510011234567890", "pay_succ_time": "20251001183205"}
ELSEWHERE = {"pay_type": "MchChannelPayType"}


@pytest.mark.parametrize(
    ("fields", "paid_by"),
    [
        (TRANSACTION, "WECHAT_PAY"),
        ({**TRANSACTION, "pay_type": "WeChatPay"}, "WECHAT_PAY"),
        ({"finish_transaction_id": TRANSACTION["finish_transaction_id"]}, "WECHAT_PAY"),
        (ELSEWHERE, "MERCHANT_CHANNEL"),
        ({**ELSEWHERE, **TRANSACTION}, "MERCHANT_CHANNEL"),
        ({**ELSEWHERE, "finish_transaction_id": ""}, "MERCHANT_CHANNEL"),
        ({}, "UNKNOWN"),
        ({"pay_succ_time": TRANSACTION["pay_succ_time"]}, "UNKNOWN"),
        ({"pay_type": "SomethingElse"}, "UNKNOWN"),
    ],
    ids=str,
)
def test_a_payment_names_who_was_paid_and_its_transaction(function, accepted, order_no, fields, paid_by):
    opened(function, order_no, "USER_PAID", **FINISHED)
    answer = {"out_order_no": order_no, "state": "USER_PAID", **FINISHED, **fields}
    function.simulator.script(order_no, "query", **genuine(answer))
    payment = function(accepted)["payment"]
    assert payment["request_id"]
    assert payment == {
        "state": "PAID",
        "paid_by": paid_by,
        "finish_transaction_id": fields.get("finish_transaction_id") or None,
        "pay_succ_time": fields.get("pay_succ_time"),
        "request_id": payment["request_id"],
    }


def detail(amount, transaction_id=None, paid_type="NEWTON"):
    shown = {"seq": 1, "amount": amount, "paid_type": paid_type, "paid_time": "20251001183205"}
    return shown | ({"transaction_id": transaction_id} if transaction_id else {})


@pytest.mark.parametrize(
    ("details", "paid_by", "transaction_id"),
    [
        ([detail(1200, "42")], "WECHAT_PAY", "42"),
        ([detail(500, "42"), detail(700, "43")], "WECHAT_PAY", "43"),
        ([detail(500, "42"), detail(700, None, "MCH")], "WECHAT_PAY", "42"),
        ([detail(1200, None, "MCH")], "MERCHANT_CHANNEL", None),
        ([detail(1200)], "UNKNOWN", None),
        ([], "UNKNOWN", None),
    ],
    ids=str,
)
def test_every_transaction_of_a_serviceorder_is_listed(
    function, accepted, order_no, details, paid_by, transaction_id
):
    function.simulator.open_order(order_no, api="serviceorder", **FINISHED)
    collection = {"state": "USER_PAID", "total_amount": 1200, "details": details}
    answer = {"out_order_no": order_no, "state": "DONE", "total_amount": 1200, "collection": collection}
    function.simulator.script(order_no, "query", **genuine(answer))
    payment = function({**accepted, "order_api": "serviceorder"})["payment"]
    assert (payment["state"], payment["paid_by"]) == ("PAID", paid_by)
    assert payment["finish_transaction_id"] == transaction_id
    listed = [(each["amount"], each["transaction_id"]) for each in payment.get("transactions", [])]
    assert listed == [(each["amount"], each.get("transaction_id")) for each in details]
    payment_schema = schemas()["Order Paid"]["properties"]["payment"]
    assert list(Draft202012Validator(payment_schema).iter_errors(payment)) == []


def test_a_serviceorder_that_is_partly_paid_is_not_paid(function, accepted, order_no):
    function.simulator.open_order(order_no, api="serviceorder", debit_after=None, **FINISHED)
    event = {**accepted, "order_api": "serviceorder"}
    function.simulator.pay(order_no, 500)
    assert function(event)["payment"]["state"] == "COLLECTING"
    function.simulator.pay(order_no)
    assert [each["amount"] for each in function(event)["payment"]["transactions"]] == [500, 700]


@pytest.mark.parametrize("order_api", [None, "smartretail-orders", "payafter-orders", "serviceorder"])
def test_an_order_is_queried_by_the_api_that_created_it(function, accepted, order_no, order_api):
    opened(function, order_no, "FINISHED", **FINISHED)
    event = accepted if order_api is None else {**accepted, "order_api": order_api}
    with contextlib.suppress(SettlementError):  # whatever WeChat Pay says of an order of the twin
        function(event)
    path = f"/v3/payscore/{order_api or 'smartretail-orders'}?"
    assert {request["target"][: len(path)] for request in function.simulator.requests()[-1:]} == {path}


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ("wrong_signature", WeChatPayUnavailable),
        ("unsigned", WeChatPayUnavailable),
        ("signtest", WeChatPayUnavailable),
        ("stale_timestamp", WeChatPayUnavailable),
        ("unknown_serial", WeChatPayUnavailable),
        ("other_order", WeChatPayUnavailable),
        ("not_json", WeChatPayUnavailable),
        ("system_error", WeChatPayUnavailable),
        ("unavailable", WeChatPayUnavailable),
        ("reset_after", WeChatPayUnavailable),
        ("unsigned_4xx", WeChatPayUnavailable),
        ("rate_limited", WeChatPayRateLimited),
        ("sign_error", MerchantMisconfigured),
        ("no_auth", MerchantMisconfigured),
    ],
)
def test_an_unproven_answer_raises_an_error_that_the_workflow_retries(
    function, accepted, order_no, fault, raised
):
    opened(function, order_no, "USER_PAID", **FINISHED)
    function.simulator.script(order_no, "query", fault=fault, times=None)
    with pytest.raises(SettlementError) as caught:
        function(accepted)
    assert type(caught.value) is raised
    assert order_no in str(caught.value)
    function.simulator.clear_faults(order_no)
    assert function(accepted)["payment"]["state"] == "PAID"


def test_without_any_host_it_is_unavailable(function, accepted):
    set_hosts(function.simulator, up=False)
    with pytest.raises(WeChatPayUnavailable):
        function(accepted)


def test_the_backup_host_answers_when_the_main_one_is_down(function, accepted, order_no):
    opened(function, order_no, "USER_PAID", **FINISHED)
    function.simulator.set_host(0, up=False)
    assert function(accepted)["payment"]["state"] == "PAID"


def test_a_merchant_without_a_secret_is_misconfigured(function, accepted):
    with pytest.raises(MerchantMisconfigured, match=f"{PREFIX}1900009999"):
        function({**accepted, "mchid": "1900009999"})
    assert function.simulator.requests(accepted["out_order_no"]) == []


def test_a_rotated_key_is_taken_up_within_the_query(function, accepted, order_no):
    opened(function, order_no, "USER_PAID", **FINISHED)
    function(accepted)
    function.simulator.rotate_merchant_key()
    function.store_secret()
    assert function(accepted)["payment"]["state"] == "PAID"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"outcome": "CANCELLED"}, "outcome: must be COMPLETED"),
        ({"outcome": "FAILED"}, "outcome: must be COMPLETED"),
        ({"mchid": None}, "mchid: required, text"),
        ({"appid": 1, "service_id": 2}, "appid: required, text; service_id: required, text"),
        ({"out_order_no": None}, "out_order_no: required, text"),
        ({"order_api": "another"}, "order_api: must be one of smartretail-orders, payafter-orders"),
        ({"order_api": []}, "order_api: must be one of"),
        ({"total_amount": "1200"}, "total_amount: required, an integer of fen"),
        ({"total_amount": True}, "total_amount: required, an integer of fen"),
        ({"total_amount": 1200.0}, "total_amount: required, an integer of fen"),
    ],
)
def test_what_is_no_completed_order_is_refused_and_nothing_is_sent(function, accepted, change, problem):
    before = len(function.simulator.requests())
    with pytest.raises(ValueError, match=problem):
        function({**accepted, **change})
    assert len(function.simulator.requests()) == before


@pytest.mark.parametrize("event", [None, [], "COMPLETED", {}])
def test_what_is_no_result_is_refused(function, event):
    with pytest.raises(ValueError, match="QueryOrder takes what CompleteOrder returned"):
        function(event)


def test_the_log_names_order_execution_and_payment_and_counts_it(function, accepted, order_no):
    opened(function, order_no, "FINISHED", **FINISHED)
    function(accepted)
    [call, outcome] = function.logs
    assert (call["message"], call["method"], call["status"]) == ("called WeChat Pay", "GET", 200)
    assert (outcome["outcome"], outcome["evidence"]) == ("COLLECTING", "QUERY")
    for line in (call, outcome):
        assert (line["out_order_no"], line["execution"]) == (order_no, EXECUTION)
        assert (line["service"], line["function_name"]) == ("query-order", "query_order")
    counted = [
        name for line in function.metrics for name in line if name in ("COLLECTING", "ProviderLatency")
    ]
    assert sorted(counted) == ["COLLECTING", "ProviderLatency"]


def test_a_refusal_on_no_row_is_counted(function, accepted, order_no):
    opened(function, order_no, "FINISHED", **FINISHED)
    function.simulator.script(order_no, "query", **refusal(409, "SOMETHING_NEW"))
    with pytest.raises(WeChatPayUnavailable, match="SOMETHING_NEW"):
        function(accepted)
    assert [line["UnlistedRefusal"] for line in function.metrics if "UnlistedRefusal" in line] == [[1.0]]
