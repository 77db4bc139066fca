"""The handler as Lambda calls it: what arrives at WeChat Pay, and what comes back, whatever goes wrong."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wechatpay import errors
from wechatpay.errors import (
    MerchantMisconfigured,
    OutcomeUnknown,
    SettlementError,
    WeChatPayRateLimited,
    WeChatPayUnavailable,
)
from wechatpay_sandbox import APPID, MCHID, SERVICE_ID

from tests.function import PREFIX, Function
from tests.hosts import set_hosts
from tests.paths import escaped
from tests.replies import refusal
from tests.unit.complete_order.events import arbitrary_events, text
from tests.unit.complete_order.orders import arrived, cancel, finish, opened, reads

MakeFunction = Callable[..., Function]
CONTRACT = {"WeChatPayUnavailable", "WeChatPayRateLimited", "OutcomeUnknown", "MerchantMisconfigured"}
SILENT = {"fault": "silence", "times": None}

fast = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_the_errors_of_the_contract_are_the_ones_there_are() -> None:
    assert {kind.__name__ for kind in SettlementError.__subclasses__()} == CONTRACT
    assert all(kind.__module__ == errors.__name__ for kind in SettlementError.__subclasses__())


# What is sent


def test_all_twelve_request_fields_arrive_unchanged_and_nothing_else(
    function: Function, order_no: str
) -> None:
    ticket = opened(function, order_no)
    function.simulator.open_order(
        order_no, appid="wx0000000000000009", service_id="77", finish_ticket=ticket, replace=True
    )
    event = finish(
        order_no,
        mchid=MCHID,
        appid="wx0000000000000009",
        service_id="77",
        real_service_start_time="20260101183012",
        real_service_end_time="20260101183147",
        real_service_end_location="深圳南山科技园3号柜",
        profit_sharing=True,
        finish_ticket=ticket,
        metadata={"cabinet": "SZ-NS-003"},
    )
    assert function(event)["metadata"] == {"cabinet": "SZ-NS-003"}
    [request] = function.simulator.requests(order_no)
    body = json.loads(request["body"])
    assert body == {name: event[name] for name in event.keys() - {"out_order_no", "mchid", "metadata"}}
    cancelling = {"cancel_reason"}
    assert body.keys() | cancelling == {
        "appid",
        "service_id",
        "finish_type",
        "cancel_reason",
        "real_service_start_time",
        "real_service_end_time",
        "real_service_end_location",
        "fees",
        "discounts",
        "total_amount",
        "finish_ticket",
        "profit_sharing",
    }
    assert request["target"] == f"/v3/payscore/smartretail-orders/{escaped(order_no)}/complete"
    assert request["verified"] is True


def test_an_order_that_costs_nothing_is_completed_and_not_cancelled(
    function: Function, order_no: str
) -> None:
    opened(function, order_no)
    result = function({"out_order_no": order_no, "finish_type": 2, "total_amount": 0})
    assert (result["outcome"], result["total_amount"]) == ("COMPLETED", 0)


def test_a_cancellation_sends_its_reason_and_a_total_of_0(function: Function, order_no: str) -> None:
    ticket = opened(function, order_no)
    assert function(cancel(order_no, finish_ticket=ticket))["outcome"] == "CANCELLED"
    [request] = function.simulator.requests(order_no)
    assert json.loads(request["body"]) == {
        "appid": APPID,
        "service_id": SERVICE_ID,
        "finish_type": 1,
        "cancel_reason": "用户未取商品",
        "total_amount": 0,
        "profit_sharing": False,
        "finish_ticket": ticket,
    }


@settings(fast, max_examples=40)
@given(reason=text(1, 30), name=text(1, 20), place=text(1, 20), amount=st.integers(1, 50_000))
def test_any_text_and_amount_arrive_as_they_were(
    function: Function, reason: str, name: str, place: str, amount: int
) -> None:
    simulator = function.simulator
    simulator.open_order("T-1", replace=True)
    simulator.open_order("T-2", replace=True)
    fees = [{"fee_name": name, "fee_amount": amount}]
    event = {"out_order_no": "T-1", "finish_type": 2, "fees": fees, "total_amount": amount}
    assert function(event | {"real_service_end_location": place})["outcome"] == "COMPLETED"
    assert function(cancel("T-2") | {"cancel_reason": reason})["outcome"] == "CANCELLED"
    completed, cancelled = (json.loads(simulator.requests(number)[-1]["body"]) for number in ("T-1", "T-2"))
    assert (completed["fees"], completed["total_amount"]) == (fees, amount)
    assert (completed["real_service_end_location"], cancelled["cancel_reason"]) == (place, reason)
    assert simulator.order("T-1")["total_amount"] == amount


INVALID: list[Any] = [
    None,
    [],
    {},
    "event",
    {"out_order_no": "A"},
    finish("A") | {"discuonts": []},
    finish("A") | {"total_amount": 1201},
    finish("A") | {"total_amount": 1200.0},
    cancel("A") | {"total_amount": 1},
    finish("A/../../v3/certificates"),
]


@pytest.mark.parametrize("event", INVALID, ids=lambda event: json.dumps(event, ensure_ascii=False)[:60])
def test_an_invalid_event_reaches_neither_the_secret_nor_the_wire(function: Function, event: Any) -> None:
    before, read = len(arrived(function)), reads(function)
    result = function(event)
    assert (result["outcome"], result["error"]["category"]) == ("FAILED", "INVALID_INPUT")
    assert result["error"]["detail"]
    assert result["evidence"] is None
    assert (len(arrived(function)), reads(function)) == (before, read)


@settings(fast, max_examples=100)
@given(event=arbitrary_events)
def test_no_event_makes_anything_but_a_result_or_an_error_of_the_contract(
    function: Function, event: Any
) -> None:
    before = len(arrived(function))
    with contextlib.suppress(SettlementError):
        result = function(event)
        assert result["outcome"] in ("COMPLETED", "CANCELLED", "FAILED")
        if result["outcome"] == "FAILED" and result["error"]["category"] == "INVALID_INPUT":
            assert len(arrived(function)) == before


def test_an_order_without_appid_is_misconfigured_and_sends_nothing(function: Function, order_no: str) -> None:
    function.store_secret(appid=None, service_id=None)
    function.forget()
    with pytest.raises(MerchantMisconfigured, match="has no appid, and"):
        function(cancel(order_no, service_id="500001"))
    assert arrived(function, order_no) == []
    function.forget()


# Duplicates and conflicts


def test_the_same_event_twice_charges_once(function: Function, order_no: str) -> None:
    opened(function, order_no, debit_after=0)
    first, second = (function(finish(order_no)) for _ in range(2))
    assert (first["outcome"], first["evidence"]) == ("COMPLETED", "REPLY")
    assert (second["outcome"], second["evidence"]) == ("COMPLETED", "QUERY")
    truth = function.simulator.order(order_no)
    assert (truth["accepted"], truth["debits"], truth["charged"]) == (1, 1, 1200)


def test_the_same_event_with_its_ticket_twice_is_absorbed_by_wechat_pay(
    function: Function, order_no: str
) -> None:
    event = finish(order_no, finish_ticket=opened(function, order_no))
    first, second = function(event), function(event)
    assert first | {"request_id": ""} == second | {"request_id": ""}
    assert function.simulator.order(order_no)["reentries"] == 1


@pytest.mark.parametrize("with_ticket", [True, False], ids=["ticket", "no ticket"])
@pytest.mark.parametrize("first", ["finish", "cancel"])
@pytest.mark.parametrize("second", ["other amount", "finish", "cancel"])
def test_a_second_wish_conflicts_unless_it_is_the_first_again(
    function: Function, order_no: str, first: str, second: str, with_ticket: bool
) -> None:
    given = opened(function, order_no, debit_after=0)
    ticket = {"finish_ticket": given} if with_ticket else {}
    fees = {"fees": [{"fee_name": "茶", "fee_amount": 700}], "discounts": [], "total_amount": 700}
    wishes = {
        "finish": finish(order_no, **ticket),
        "cancel": cancel(order_no, **ticket),
        "other amount": finish(order_no, **ticket) | fees,
    }
    assert function(wishes[first])["outcome"] in ("COMPLETED", "CANCELLED")
    before = function.simulator.order(order_no)
    result = function(wishes[second])
    if first == second:
        assert "error" not in result
    else:
        assert (result["outcome"], result["error"]["category"]) == ("FAILED", "CONFLICT")
        assert result["evidence"] == "QUERY"
        assert result["error"]["verified"] is True
    after = function.simulator.order(order_no)
    for field in ("finish_type", "total_amount", "accepted", "charged", "debits"):
        assert after[field] == before[field]


def test_an_order_settled_meanwhile_with_the_same_amount_is_completed(
    function: Function, order_no: str
) -> None:
    ticket = opened(function, order_no)
    function.simulator.script(order_no, "complete", fault="settled_same")
    result = function(finish(order_no, finish_ticket=ticket))
    assert (result["outcome"], result["evidence"]) == ("COMPLETED", "QUERY")


@pytest.mark.parametrize("fault", ["settled_amount", "settled_cancelled"])
def test_an_order_settled_meanwhile_otherwise_is_a_conflict(
    function: Function, order_no: str, fault: str
) -> None:
    ticket = opened(function, order_no)
    function.simulator.script(order_no, "complete", fault=fault)
    result = function(finish(order_no, finish_ticket=ticket))
    assert result["error"]["category"] == "CONFLICT"
    assert function.simulator.order(order_no)["accepted"] == 0


def test_an_order_that_failed_once_is_settled_when_it_is_sent_again(
    function: Function, order_no: str
) -> None:
    opened(function, order_no)
    function.simulator.script(order_no, "complete", fault="system_error", times=2)
    event = finish(order_no)
    with pytest.raises(WeChatPayUnavailable):
        function(event)
    assert function(event)["outcome"] == "COMPLETED"
    assert function.simulator.order(order_no)["accepted"] == 1


def test_an_order_refused_once_is_refused_again(function: Function, order_no: str) -> None:
    opened(function, order_no, risk_cap=1)
    results = [function(finish(order_no)) for _ in range(2)]
    assert [result["error"]["category"] for result in results] == ["REJECTED", "REJECTED"]
    assert function.simulator.order(order_no)["charged"] == 0


# Hosts


def test_the_backup_host_is_used_at_once_when_the_main_one_is_down(function: Function, order_no: str) -> None:
    ticket = opened(function, order_no)
    function.simulator.set_host(0, up=False)
    assert function(finish(order_no, finish_ticket=ticket))["evidence"] == "REPLY"
    assert [request["host"] for request in function.simulator.requests(order_no)] == [1]


def test_both_hosts_down_is_unavailable_and_nothing_was_sent(function: Function, order_no: str) -> None:
    ticket = opened(function, order_no)
    set_hosts(function.simulator, up=False)
    for event in (finish(order_no, finish_ticket=ticket), cancel(order_no)):
        with pytest.raises(WeChatPayUnavailable):
            function(event)
    assert function.simulator.order(order_no)["state"] == "USER_ACCEPTED"
    function.simulator.set_host(1, up=True)
    assert function(finish(order_no))["outcome"] == "COMPLETED"


@pytest.mark.parametrize("fault", ["reset_after", "truncated_body"])
def test_after_a_lost_reply_the_other_host_is_queried_and_nothing_sent(
    function: Function, order_no: str, fault: str
) -> None:
    ticket = opened(function, order_no)
    function.simulator.script(order_no, "complete", fault=fault)
    assert function(finish(order_no, finish_ticket=ticket))["evidence"] == "QUERY"
    seen = [(request["operation"], request["host"]) for request in function.simulator.requests(order_no)]
    assert seen == [("complete", 0), ("query", 1)]


@pytest.mark.parametrize("fault", ["reset_before", "bad_gateway", "system_error"])
def test_once_a_query_shows_it_open_the_same_bytes_go_to_the_backup_host(
    function: Function, order_no: str, fault: str
) -> None:
    opened(function, order_no)
    function.simulator.script(order_no, "complete", fault=fault)
    assert function(finish(order_no))["evidence"] == "REPLY"
    requests = function.simulator.requests(order_no)
    sent = [request for request in requests if request["operation"] == "complete"]
    assert [request["host"] for request in sent] == [0, 1]
    assert len({request["body"] for request in sent} - {""}) == 1


def test_an_unproven_refusal_is_put_to_the_other_host_first(function: Function, order_no: str) -> None:
    ticket = opened(function, order_no)
    function.simulator.script(order_no, "complete", fault="unsigned_4xx")
    assert function(finish(order_no, finish_ticket=ticket))["outcome"] == "COMPLETED"
    seen = [(request["operation"], request["host"]) for request in function.simulator.requests(order_no)]
    assert seen == [("complete", 0), ("query", 1), ("complete", 1)]


def test_a_query_that_fails_on_one_host_is_put_to_the_other(function: Function, order_no: str) -> None:
    ticket = opened(function, order_no)
    function.simulator.script(order_no, "complete", fault="reset_after")
    function.simulator.script(order_no, "query", fault="unavailable")
    assert function(finish(order_no, finish_ticket=ticket))["evidence"] == "QUERY"
    seen = [(request["operation"], request["host"]) for request in function.simulator.requests(order_no)]
    assert seen == [("complete", 0), ("query", 1), ("query", 0)]


# Deadline: 1.5 s are reserved for the answer, 10 s to ask after a completion; no call gets less than 0.5 s.


def test_a_silent_provider_leaves_time_for_a_query_before_the_timeout(
    function: Function, order_no: str
) -> None:
    ticket = opened(function, order_no)
    function.simulator.script(order_no, "complete", fault="silence_applied")
    result = function(finish(order_no, finish_ticket=ticket), seconds=10.3)
    assert (result["outcome"], result["evidence"]) == ("COMPLETED", "QUERY")
    assert arrived(function, order_no) == ["complete", "query"]
    assert function.context.get_remaining_time_in_millis() > 0


def test_a_reply_that_drips_is_cut_off_in_time_for_a_query(function: Function, order_no: str) -> None:
    ticket = opened(function, order_no)
    function.simulator.script(order_no, "complete", fault="slow_body", interval=0.05)
    result = function(finish(order_no, finish_ticket=ticket), seconds=10.3)
    assert (result["outcome"], result["evidence"]) == ("COMPLETED", "QUERY")
    assert function.context.get_remaining_time_in_millis() > 0


@pytest.mark.parametrize("seconds", [9.9, 5.0, 1.6, 0.0, -1.0])
def test_nothing_is_sent_without_time_for_a_query_afterwards(
    function: Function, order_no: str, seconds: float
) -> None:
    ticket = opened(function, order_no)
    with pytest.raises(WeChatPayUnavailable, match="not enough time"):
        function(finish(order_no, finish_ticket=ticket), seconds=seconds)
    assert arrived(function, order_no) == []


def test_a_silent_query_for_the_ticket_ends_before_the_timeout(function: Function, order_no: str) -> None:
    opened(function, order_no)
    function.simulator.script(order_no, "query", **SILENT)
    with pytest.raises(WeChatPayUnavailable, match="nothing was sent"):
        function(finish(order_no), seconds=2.7)
    assert set(arrived(function, order_no)) == {"query"}
    assert function.context.get_remaining_time_in_millis() > 0


# Secrets


def test_a_warm_function_reads_the_secret_once(function: Function, order_no: str) -> None:
    function.forget()
    before = reads(function)
    opened(function, order_no)
    for _ in range(3):
        function(finish(order_no))
    assert function.secrets_manager.reads[before:] == [f"{PREFIX}{MCHID}"]


def test_each_merchant_has_its_own_secret(function: Function, order_no: str) -> None:
    with pytest.raises(MerchantMisconfigured, match="there is no such secret"):
        function(cancel(order_no, mchid="1900000002"))
    assert function.secrets_manager.reads[-1] == f"{PREFIX}1900000002"
    assert arrived(function, order_no) == []


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("ResourceNotFoundException", 400, MerchantMisconfigured),
        ("AccessDeniedException", 400, MerchantMisconfigured),
        ("DecryptionFailure", 400, MerchantMisconfigured),
        ("InvalidRequestException", 400, MerchantMisconfigured),
        ("ThrottlingException", 400, WeChatPayUnavailable),
        ("InternalServiceError", 500, WeChatPayUnavailable),
    ],
)
def test_a_secret_that_cannot_be_read_sends_nothing(
    function: Function, order_no: str, code: str, status: int, error: type[SettlementError]
) -> None:
    opened(function, order_no)
    function.forget()
    function.secrets_manager.fail(code, status)
    with pytest.raises(error, match=code):
        function(finish(order_no))
    assert arrived(function, order_no) == []
    function.secrets_manager.fail(None)
    assert function(finish(order_no))["outcome"] == "COMPLETED"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"merchant_private_key": None}, "merchant_private_key"),
        (
            {"merchant_private_key": "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"},
            "not an unencrypted private key in PEM",
        ),
        ({"api_v3_key": "0123456789abcdef0123456789abcde"}, "api_v3_key: must be 32 bytes, is 31"),
        ({"merchant_serial_no": "not-hex"}, "merchant_serial_no: must be text of 8-64 hexadecimal digits"),
        ({"mchid": "1900000009"}, "mchid: belongs to another merchant"),
    ],
    ids=str,
)
def test_a_malformed_secret_names_the_field_and_sends_nothing(
    function: Function, order_no: str, changes: dict[str, Any], field: str
) -> None:
    function.store_secret(**changes)
    function.forget()
    with pytest.raises(MerchantMisconfigured, match=field):
        function(finish(order_no))
    assert arrived(function, order_no) == []
    assert "MIIEvQ" not in "".join(function.emitted)
    function.forget()


# Rotation


@pytest.mark.parametrize("with_ticket", [True, False], ids=["ticket", "no ticket"])
def test_a_secret_changed_while_warm_settles_the_order_after_one_401(
    cold_function: MakeFunction, order_no: str, with_ticket: bool
) -> None:
    function = cold_function()
    opened(function, "WARM")
    function.simulator.open_order("WARM")
    function(finish("WARM"))
    given = opened(function, order_no)
    ticket = {"finish_ticket": given} if with_ticket else {}
    old, read = function.simulator.secret()["merchant_serial_no"], reads(function)
    function.simulator.rotate_merchant_key()
    function.store_secret()
    assert function(finish(order_no, **ticket))["outcome"] == "COMPLETED"
    assert reads(function) == read + 1
    new = function.simulator.secret()["merchant_serial_no"]
    serials = [serial_of(request) for request in function.simulator.requests(order_no)]
    assert serials == [old, new] if with_ticket else [old, new, new]


def serial_of(request: dict[str, Any]) -> str:
    return str(request["headers"]["Authorization"].partition('serial_no="')[2].partition('"')[0])


@pytest.mark.parametrize("with_ticket", [True, False], ids=["ticket", "no ticket"])
def test_a_key_refused_after_a_forced_read_is_a_misconfigured_merchant(
    cold_function: MakeFunction, order_no: str, with_ticket: bool
) -> None:
    function = cold_function()
    given = opened(function, order_no)
    ticket = {"finish_ticket": given} if with_ticket else {}
    function.simulator.open_order("WARM")
    function(finish("WARM"))
    function.simulator.rotate_merchant_key()
    read = reads(function)
    with pytest.raises(MerchantMisconfigured, match="SIGN_ERROR"):
        function(finish(order_no, **ticket))
    assert reads(function) == read + 1
    assert len(arrived(function, order_no)) == 2
    function.store_secret()
    assert function(finish(order_no, **ticket))["outcome"] == "COMPLETED"


def test_moving_from_certificates_to_the_public_key_fails_no_order(
    cold_function: MakeFunction,
) -> None:
    function = cold_function(keys="certificate")
    for mode in ("certificate", "both", "public_key"):
        function.simulator.set_keys(mode)
        for moment in ("before the secret is stored", "after"):
            number = f"{mode}-{moment[:5]}"
            function.simulator.open_order(number)
            assert function(finish(number))["outcome"] == "COMPLETED"
            function.store_secret()
        function.forget()
    truth = [entry for entry in function.simulator.ledger() if entry["accepted"] != 1]
    assert truth == []


def test_a_merchant_without_a_platform_key_downloads_certificates_once(
    cold_function: MakeFunction,
) -> None:
    function = cold_function(keys="certificate")
    function.store_secret(wechatpay_certificates=None)
    for number in ("A", "B"):
        function.simulator.open_order(number)
        assert function(finish(number))["outcome"] == "COMPLETED"
    assert arrived(function).count("certificates") == 1


def test_an_unknown_serial_is_learnt_and_the_order_settles(
    cold_function: MakeFunction, order_no: str
) -> None:
    function = cold_function(keys="certificate")
    function.simulator.open_order("WARM")
    function(finish("WARM"))
    ticket = opened(function, order_no)
    function.simulator.rotate_platform_certificate()
    function.simulator.drop_oldest_platform_certificate()
    function.store_secret()
    read = reads(function)
    result = function(finish(order_no, finish_ticket=ticket))
    assert (result["outcome"], result["evidence"]) == ("COMPLETED", "REPLY")
    assert reads(function) == read + 1


def test_a_flood_of_unknown_serials_makes_no_storm_of_reads_or_downloads(function: Function) -> None:
    function.forget()
    read, downloads = reads(function), arrived(function).count("certificates")
    for index in range(10):
        function.simulator.open_order(f"FLOOD-{index}")
        function.simulator.script(f"FLOOD-{index}", "*", fault="unknown_serial", times=None)
        with pytest.raises(OutcomeUnknown):
            function(finish(f"FLOOD-{index}", finish_ticket="of-the-cabinet"))
    assert reads(function) <= read + 2
    assert arrived(function).count("certificates") <= downloads + 1


def test_a_rate_limit_is_raised_under_its_own_name(function: Function, order_no: str) -> None:
    ticket = opened(function, order_no)
    function.simulator.script(order_no, "complete", fault="rate_limited")
    with pytest.raises(WeChatPayRateLimited, match="HTTP 429"):
        function(finish(order_no, finish_ticket=ticket))


# Secrets quoted by WeChat Pay


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(
    "ticket", ["short-ticket", "T" * 512, "T" * 50 + "|tail-of-it", 'quo"ted\\ticket', "票据" * 10]
)
def test_a_ticket_that_is_quoted_in_a_refusal_comes_out_nowhere(
    function: Function, order_no: str, ticket: str, signed: bool
) -> None:
    function.simulator.open_order(order_no, finish_ticket=ticket)
    refused = refusal(400, "PARAM_ERROR", f"参数错误: {ticket}", signed=signed)
    detail = {"field": "finish_ticket", "issue": ticket, "value": ticket}
    function.simulator.script(order_no, "complete", times=None, detail=detail, **refused)
    with pytest.raises(WeChatPayUnavailable) as raised:
        function(finish(order_no, finish_ticket=ticket))
    assert "tail-of-it" not in str(raised.value)
    assert "ted" not in str(raised.value).replace("not verified", "")
    assert '"field": "finish_ticket"' in str(raised.value)
