"""The handler as API Gateway calls it: which notifications wake an execution, and the answers."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wechatpay_sandbox import MCHID
from wechatpay_sandbox.notifications import Flaw, Shape

from tests.unit.payment_notification.conftest import PREFIX, Function, as_base64, awaited

FLAWS: list[Flaw] = [
    "wrong-signature",
    "signtest",
    "stale",
    "early",
    "unknown-serial",
    "unsigned",
]
fast = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def queries(function: Function, number: str) -> int:
    return len(function.simulator.requests(number))


def signed(function: Function, resource: dict[str, Any], **options: Any) -> Any:
    return function.simulator.notifier.of(resource, **options)


@pytest.mark.parametrize("shape", ["smartretail", "serviceorder"])
def test_a_genuine_notification_of_either_shape_wakes_the_execution(
    function: Function, paid: str, shape: Shape
):
    answer = function(function.simulator.paid_notification(paid, shape))

    assert answer == {"statusCode": 204}
    assert queries(function, paid) == 1
    assert function.aws.woken[-1] == f"token-{paid}"


def test_a_serviceorder_notification_is_confirmed_by_its_own_api(function: Function):
    paid = awaited(function, api="serviceorder", order_api={"S": "serviceorder"})

    assert function(function.simulator.paid_notification(paid, "serviceorder")) == {"statusCode": 204}

    [request] = function.simulator.requests(paid)
    assert request["target"].startswith("/v3/payscore/serviceorder?")
    assert function.aws.woken[-1] == f"token-{paid}"


def test_a_serviceorder_notification_of_part_of_the_sum_wakes_nothing(function: Function):
    number = awaited(function, "FINISHED", api="serviceorder", order_api={"S": "serviceorder"})
    function.simulator.pay(number, 500)
    collected = {"collection": {"state": "USER_PAID"}, "total_amount": 1200}
    notification = function.simulator.paid_notification(number, "serviceorder", **collected)

    assert function(notification)["statusCode"] == 503
    assert f"token-{number}" in function.aws.waiting


@pytest.mark.parametrize("event_type", ["PAYSCORE.USER_CONFIRM", "PAYSCORE.SOMETHING_NEW"])
def test_a_serviceorder_notification_of_another_kind_changes_nothing(function: Function, event_type: str):
    number = awaited(function, api="serviceorder", order_api={"S": "serviceorder"})
    notification = function.simulator.paid_notification(number, "serviceorder", event_type=event_type)

    assert function(notification) == {"statusCode": 204}
    assert queries(function, number) == 0
    assert f"token-{number}" in function.aws.waiting


def test_headers_come_in_any_case_and_bodies_in_base64(function: Function, paid: str):
    notification = function.simulator.paid_notification(paid)
    headers = {name.swapcase(): value for name, value in notification.headers.items()}

    assert function(notification, headers=headers, **as_base64(notification))["statusCode"] == 204
    assert function.aws.woken[-1] == f"token-{paid}"


@pytest.mark.parametrize("flaw", FLAWS)
def test_an_unproven_notification_is_refused_before_anything_is_decrypted(
    function: Function, paid: str, flaw: Flaw
):
    calls = len(function.aws.calls)

    assert function(function.simulator.paid_notification(paid, flaw=flaw))["statusCode"] == 401

    assert len(function.aws.calls) == calls
    assert queries(function, paid) == 0
    assert "out_order_no" not in function.logs[-1]


@pytest.mark.parametrize("name", ["Timestamp", "Nonce", "Serial", "Signature"])
def test_a_header_that_is_missing_or_sent_twice_proves_nothing(function: Function, paid: str, name: str):
    notification = function.simulator.paid_notification(paid)
    header = f"Wechatpay-{name}"
    without = replace(notification, headers={n: v for n, v in notification.headers.items() if n != header})
    value = notification.headers[header]

    assert function(without)["statusCode"] == 401
    listed = {**without.headers, header: f"{value},{value}"}
    assert function(replace(without, headers=listed))["statusCode"] == 401
    twice = {**notification.headers, header.lower(): value}
    assert function(notification, headers=twice)["statusCode"] == 401
    assert f"token-{paid}" in function.aws.waiting


def test_a_body_changed_by_one_byte_is_refused(function: Function, paid: str):
    notification = function.simulator.paid_notification(paid)
    assert function(replace(notification, body=notification.body + b" "))["statusCode"] == 401


def test_a_notification_sealed_with_another_key_is_refused(function: Function, paid: str):
    assert function(function.simulator.paid_notification(paid, flaw="other-key"))["statusCode"] == 400
    assert f"token-{paid}" in function.aws.waiting


def test_the_same_notification_again_wakes_nothing_again(function: Function, paid: str):
    notification = function.simulator.paid_notification(paid)
    function(notification)
    woken = len(function.aws.woken)

    between_two_waits = function(notification)["statusCode"]
    function.aws.running.clear()
    after_the_end = function(function.simulator.notifier.signed_again(notification))["statusCode"]

    assert (between_two_waits, after_the_end) == (503, 204)
    assert len(function.aws.woken) == woken


@pytest.mark.parametrize(
    "changes",
    [{"total_amount": 1199}, {"appid": "wx0000000000000001"}, {"service_id": "500002"}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_notification_of_something_else_than_was_accepted_is_refused(
    function: Function, paid: str, changes: dict[str, Any]
):
    answer = function(function.simulator.paid_notification(paid, **changes))

    assert answer["statusCode"] == 409
    assert next(iter(changes)) in answer["body"]
    assert queries(function, paid) == 0


def test_a_notification_at_another_merchants_address_is_refused(function: Function, paid: str):
    assert function(function.simulator.paid_notification(paid, mchid="1900000009"))["statusCode"] == 409


def test_a_genuine_notification_alone_is_not_believed(function: Function):
    number = awaited(function, state="FINISHED")
    notification = function.simulator.paid_notification(number, total_amount=1200)

    answer = function(notification)

    assert answer["statusCode"] == 503
    assert "FINISHED" in answer["body"]
    assert f"token-{number}" in function.aws.waiting


@pytest.mark.parametrize("fault", ["system_error", "reset_after", "unsigned"])
def test_without_a_verified_answer_to_the_query_nothing_is_woken(function: Function, paid: str, fault: str):
    function.simulator.script(paid, "query", fault=fault, times=None)

    assert function(function.simulator.paid_notification(paid))["statusCode"] == 503
    assert f"token-{paid}" in function.aws.waiting


def test_wechat_pay_is_answered_within_5_s_when_its_hosts_are_silent(function: Function, paid: str):
    function.simulator.script(paid, "query", fault="silence", times=None)
    before = time.monotonic()

    assert function(function.simulator.paid_notification(paid))["statusCode"] == 503
    assert time.monotonic() - before < 5


def test_an_order_nobody_waits_for_needs_no_second_notification(function: Function):
    function.simulator.open_order("nobody", state="USER_PAID", finish_type=2, total_amount=5)

    assert function(function.simulator.paid_notification("nobody"))["statusCode"] == 204
    assert queries(function, "nobody") == 0


def test_a_notification_not_about_payment_needs_no_second_one(function: Function, paid: str):
    resource = {"out_order_no": paid, "state": "DOING"}

    assert function(signed(function, resource, event_type="PAYSCORE.USER_CONFIRM"))["statusCode"] == 204
    assert f"token-{paid}" in function.aws.waiting


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ("GetItem", "ProvisionedThroughputExceededException"),
        ("SendTaskSuccess", "AccessDeniedException"),
        ("SendTaskSuccess", "ThrottlingException"),
    ],
)
def test_without_an_answer_of_aws_the_notification_has_to_come_again(
    function: Function, paid: str, operation: str, error: str
):
    function.aws.failing[operation] = error
    assert function(function.simulator.paid_notification(paid))["statusCode"] == 503


@pytest.mark.parametrize(("error", "status"), [("ExecutionDoesNotExist", 204), ("ThrottlingException", 503)])
def test_an_execution_that_cannot_be_seen_is_over_only_when_it_is_gone(
    function: Function, paid: str, error: str, status: int
):
    function.aws.waiting.clear()
    function.aws.failing["DescribeExecution"] = error
    assert function(function.simulator.paid_notification(paid))["statusCode"] == status


def test_what_is_too_large_is_refused_unread(function: Function):
    notification = function.simulator.notifier.signed(b"x" * (64 * 1024 + 1))
    assert function(notification)["statusCode"] == 413
    assert function(notification, **as_base64(notification))["statusCode"] == 413


@pytest.mark.parametrize("mchid", ["", "abc", "1" * 33, "19/00", "１９", None])
def test_what_is_no_merchants_address_is_not_found(function: Function, mchid: Any):
    notification = function.simulator.notifier.signed(b"{}")
    assert function(notification, mchid=mchid)["statusCode"] == 404


def test_a_handled_notification_is_logged_with_its_order_and_outcome(function: Function, paid: str):
    notification = function.simulator.paid_notification(paid)
    function(notification)
    line = function.logs[-1]
    assert (line["out_order_no"], line["outcome"]) == (paid, "WOKEN")
    assert line["notification"] == json.loads(notification.body)["id"]


# What a stranger can cause


def test_a_flood_for_made_up_merchants_reads_one_secret(cold: Function):
    notifier = cold.simulator.notifier
    answers = {cold(notifier.signed(b"{}"), mchid=str(n))["statusCode"] for n in range(100, 200)}
    assert answers == {503}
    assert cold.secrets_manager.reads == [f"{PREFIX}100"]


def test_a_flood_for_one_merchant_without_a_secret_reads_it_once(cold: Function):
    notifier = cold.simulator.notifier
    answers = {cold(notifier.signed(b"{}"), mchid="100")["statusCode"] for _ in range(20)}
    assert answers == {503}
    assert cold.secrets_manager.reads == [f"{PREFIX}100"]


def test_a_flood_of_unknown_serials_reads_the_secret_once_more_only(cold: Function):
    number = awaited(cold)
    for _ in range(50):
        assert cold(cold.simulator.paid_notification(number, flaw="unknown-serial"))["statusCode"] == 401
    assert cold.secrets_manager.reads == [f"{PREFIX}{MCHID}"] * 2
    assert not [r for r in cold.simulator.requests() if r["operation"] == "certificates"]
    assert cold(cold.simulator.paid_notification(number))["statusCode"] == 204


def test_what_is_old_or_unsigned_reads_no_secret_at_all(cold: Function):
    number = awaited(cold)
    for flaw in ("stale", "early", "unsigned"):
        assert cold(cold.simulator.paid_notification(number, flaw=flaw))["statusCode"] == 401
    assert cold.secrets_manager.reads == []


HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("mchid", "appid", "service_id", "out_order_no", "state", "total_amount", "collection")
ENVELOPE = ("id", "event_type", "resource", "algorithm", "nonce", "ciphertext", "associated_data")
PARTS = st.dictionaries(st.sampled_from(ENVELOPE), HOSTILE)


@fast
@given(st.binary(max_size=200))
def test_any_signed_bytes_are_answered(function: Function, body: bytes):
    notification = function.simulator.notifier.signed(body)
    answer = function(notification, **as_base64(notification))
    assert answer["statusCode"] == 400


@fast
@given(PARTS, PARTS)
def test_any_signed_envelope_is_answered(function: Function, outer: dict[str, Any], inner: dict[str, Any]):
    envelope = {"id": "EV-1", "event_type": "PAYSCORE.USER_PAID", "resource": inner, **outer}
    body = json.dumps(envelope).encode()
    notification = function.simulator.notifier.signed(body)
    answer = function(notification, **as_base64(notification))
    assert answer["statusCode"] in (204, 400)


@fast
@given(st.dictionaries(st.sampled_from(FIELDS), HOSTILE))
def test_any_resource_is_answered_and_wakes_nothing_that_it_does_not_name(
    function: Function, resource: dict[str, Any]
):
    woken = len(function.aws.woken)
    notification = signed(function, {"state": "USER_PAID", "mchid": MCHID, **resource})
    assert function(notification, **as_base64(notification))["statusCode"] in (204, 400, 409, 503)
    assert len(function.aws.woken) == woken


@fast
@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_any_event_is_answered(function: Function, headers: Any, path: Any, body: Any, encoded: Any):
    event = {"headers": headers, "pathParameters": path, "body": body, "isBase64Encoded": encoded}
    assert function.invoke(event)["statusCode"] in (400, 401, 404, 413)
    named = {**event, "pathParameters": {"mchid": MCHID}}
    assert function.invoke(named)["statusCode"] in (400, 401, 413)


def test_the_certificate_that_a_notification_names_is_downloaded_once(cold_of: Any):
    function = cold_of("certificate")
    number = awaited(function)
    for _ in range(20):
        assert (
            function(function.simulator.paid_notification(number, flaw="unknown-serial"))["statusCode"] == 401
        )
    downloads = [r for r in function.simulator.requests() if r["operation"] == "certificates"]
    assert len(downloads) == 1
    assert function(function.simulator.paid_notification(number))["statusCode"] == 204
