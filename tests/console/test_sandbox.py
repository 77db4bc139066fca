"""The sandbox's page: what is changed there happens in the sandbox, and the stack goes on."""

from collections.abc import Callable, Iterator
from urllib.parse import quote, urlencode

import pytest
from wechatpay_sandbox import Simulator

from console.sandbox import Sandbox
from life import Execution
from local.stack import Stack
from tests.console.visitor import Page, Visitor


@pytest.fixture(autouse=True)
def as_before(simulator: Simulator, stack: Stack) -> Iterator[None]:
    """Leave the sandbox as the other tests expect it."""
    simulator.clear_faults()
    yield
    for host in (0, 1):
        simulator.set_host(host, up=True)
    simulator.clear_faults()
    simulator.set_clock(0)
    simulator.set_latency(0)
    simulator.set_keys("public_key")
    stack.store_secret(simulator.secret())


def change(operator: Visitor, what: str, **fields: str) -> Page:
    done = operator.post(f"/sandbox/{what}", urlencode(fields))
    assert (done.status, done.headers["Location"]) == (303, "/sandbox"), done.text
    return operator.get("/sandbox")


def test_a_fault_is_armed_listed_and_cleared(operator: Visitor, simulator: Simulator, number: str) -> None:
    page = change(operator, "fault", fault="no_auth", operation="complete", order=number, times="2")
    assert "<b>no_auth</b> × 2 · complete" in page.text
    change(operator, "fault", fault="rate_limited", operation="*", order="", times="1")
    assert [(each["fault"], each["out_order_no"]) for each in simulator.pending_faults()] == [
        ("no_auth", number),
        ("rate_limited", None),
    ]
    change(operator, "clear", order=number)
    assert [each["fault"] for each in simulator.pending_faults()] == ["rate_limited"]
    assert "No fault is armed." in change(operator, "clear").text


def test_a_host_goes_down_and_orders_settle_over_the_other(
    operator: Visitor, simulator: Simulator, settle: Callable[..., Execution], number: str
) -> None:
    assert '<span class="pill stuck">down</span>' in change(operator, "host", index="0", up="no").text
    assert settle().status == "SUCCEEDED"
    assert simulator.requests(number)[-1]["host"] == 1
    assert "pill stuck" not in change(operator, "host", index="0", up="yes").text


def test_clocks_are_moved(operator: Visitor) -> None:
    assert "The orders&#39; clock is 0:01:00 ahead." in change(operator, "skip", by="minute").text
    assert "WeChat Pay&#39;s clock is -3 s ahead." in change(operator, "skew", seconds="-3").text
    assert "Each reply is 0.001 s late." in change(operator, "latency", seconds="0.001").text


def test_orders_go_on_after_a_new_merchant_key(operator: Visitor, settle: Callable[..., Execution]) -> None:
    before = operator.get("/sandbox").text
    page = change(operator, "merchant-key", store="yes")
    assert page.text != before
    assert "The stack has this secret." in page.text
    assert settle().status == "SUCCEEDED"


def test_a_key_that_is_not_stored_is_shown_and_stored_by_a_button(
    operator: Visitor, settle: Callable[..., Execution]
) -> None:
    assert "The stack still has another secret" in change(operator, "mode", mode="both").text
    assert "The stack has this secret." in change(operator, "store").text
    assert "The stack has this secret." in change(operator, "platform-certificate", store="yes").text
    assert settle().status == "SUCCEEDED"


def test_an_order_is_opened_confirmed_and_paid_by_hand(
    operator: Visitor, simulator: Simulator, number: str
) -> None:
    another = f"{number[:-1]}-2"
    page = change(operator, "open", order=another, api="serviceorder", state="CREATED")
    assert f'action="/sandbox/confirm"><input type="hidden" name="order" value="{another}"' in page.text
    change(operator, "confirm", order=another)
    assert simulator.order(another)["state"] == "USER_ACCEPTED"
    finished = {"state": "FINISHED", "finish_type": 2, "total_amount": 300, "debit_after": None}
    simulator.open_order(another, replace=True, **finished)
    assert 'action="/sandbox/pay"' in operator.get("/sandbox").text
    change(operator, "pay", order=another)
    assert simulator.order(another)["charged"] == 300


def test_a_purse_is_given_an_end_and_none_again(operator: Visitor) -> None:
    assert "<code>o-poor</code> ¥12.50" in change(operator, "purse", openid="o-poor", yuan="12.5").text
    assert "<code>o-poor</code>" not in change(operator, "purse", openid="o-poor", yuan="").text


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("fault", {"fault": "no-such-fault", "times": "1"}),
        ("fault", {"fault": "no_auth", "times": "0"}),
        ("fault", {"fault": "no_auth", "times": "1", "operation": "<b>"}),
        ("host", {"index": "7", "up": "yes"}),
        ("host", {"index": "x"}),
        ("skip", {"by": "century"}),
        ("skew", {"seconds": "nan"}),
        ("latency", {"seconds": "-1"}),
        ("purse", {"openid": "o", "yuan": "1.999"}),
        ("purse", {"openid": "o", "yuan": "-1"}),
        ("open", {"order": " "}),
        ("open", {"order": "A", "state": "PAID"}),
        ("confirm", {"order": "nothing-knows-it"}),
        ("mode", {"mode": "none"}),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(
    operator: Visitor, what: str, fields: dict[str, str]
) -> None:
    refused = operator.post(f"/sandbox/{what}", urlencode(fields))
    assert (refused.status, "Refused: " in refused.text) == (409, True)
    assert "<b>,<" not in refused.text


def test_requests_are_shown_without_secrets(
    operator: Visitor, simulator: Simulator, settle: Callable[..., Execution], number: str
) -> None:
    settle()
    text = operator.get("/sandbox").text
    assert f"<b>POST complete</b> <code>{number}</code> → 200" in text
    secret = simulator.secret()
    assert secret["api_v3_key"] not in text
    assert secret["merchant_serial_no"] not in text
    for hidden in ("PRIVATE KEY", "BEGIN CERTIFICATE", "nonce_str=", *simulator.tickets()):
        assert hidden not in text


def test_the_sandbox_is_followed_while_its_page_is_open(operator: Visitor, number: str) -> None:
    parts = operator.parts("/live/sandbox")
    assert "No fault is armed." in next(parts)
    change(operator, "fault", fault="no_auth", operation="complete", order=number, times="1")
    assert "<b>no_auth</b>" in next(parts)


def test_a_visitor_may_look_and_not_touch(visitor: Visitor, simulator: Simulator) -> None:
    assert "<button disabled>" in visitor.get("/sandbox").text
    serial = simulator.secret()["merchant_serial_no"]
    assert visitor.post("/sandbox/merchant-key", "store=yes").status == 403
    assert simulator.secret()["merchant_serial_no"] == serial


def test_a_queried_order_shows_the_answer_of_wechat_pay(
    operator: Visitor, visitor: Visitor, settle: Callable[..., Execution], number: str
) -> None:
    settle()
    address = f"/orders/{quote(number, safe='')}/ask"
    assert visitor.post(address).status == 403
    done = operator.post(address)
    assert (done.status, done.headers["Location"].startswith("/orders/")) == (303, True)
    text = operator.order(number).text
    assert "<b>USER_PAID</b> · ¥3.00" in text
    assert "USER_PAID · ¥3.00 charged" in text  # the ledger beside it


def test_a_created_order_is_queried_before_anything_ran(
    operator: Visitor, simulator: Simulator, number: str
) -> None:
    simulator.open_order(number, replace=True, state="CREATED")
    page = operator.order(number)
    assert (page.status, "ledger: CREATED" in page.text) == (404, True)
    operator.post(f"/orders/{quote(number, safe='')}/ask")
    assert "<b>CREATED</b>" in operator.order(number).text


def test_an_unverified_answer_is_shown_as_none(
    operator: Visitor, simulator: Simulator, settle: Callable[..., Execution], number: str
) -> None:
    settle()
    simulator.script(number, "query", fault="wrong_signature", times=None)
    operator.post(f"/orders/{quote(number, safe='')}/ask")
    assert '<b class="bad">no verified answer</b>' in operator.order(number).text


def test_a_door_is_opened_for_the_api_that_the_event_names(simulator: Simulator, number: str) -> None:
    another = f"{number[:20]}-3"
    event = {"out_order_no": another, "order_api": "serviceorder", "total_amount": 300}
    Sandbox(simulator.control_url).open_order(event)
    assert simulator.order(another)["api"] == "serviceorder"
