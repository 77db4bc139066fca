"""Hostile input to the console: names that are markup, long fields, odd paths, streams that nobody reads."""

import json
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import requests
from wechatpay_sandbox import Simulator

from console.sandbox import Sandbox
from life import Execution
from local.stack import Stack
from operations.executions import follow
from tests.console.visitor import Visitor

MARKUP = "<script>alert(1)</script>"
BIDI = "\u202ecod.exe\u2066\u200f"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/",
        "/orders/../../etc/passwd",
        "/orders/a/b",
        "/cabinet/close/..",
        "/sandbox/secret",
        "/%00",
    ],
)
def test_no_path_leads_out_of_the_pages(operator: Visitor, path: str) -> None:
    page = operator.get(path)
    assert page.status in (403, 404, 405)
    assert "import" not in page.text
    assert "root:" not in page.text


@pytest.mark.parametrize("path", ["/nothing", "/needs/confirm?order=%ff&arn=%00", "/orders/%f0%9f%92%a9%00"])
def test_an_odd_address_gets_a_page_and_no_traceback(visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    assert page.status in (404, 409)
    assert "Traceback" not in page.text
    assert "<html" in page.text


def test_a_form_of_ten_megabytes_is_refused(operator: Visitor) -> None:
    refused = operator.post("/sandbox/open", f"order={'x' * 10_000_000}")
    assert refused.status == 413


@pytest.fixture
def hostile(stack: Stack) -> str:
    """An execution whose number, names and texts are markup and marks that turn text around."""
    number = f"{MARKUP}{uuid.uuid4().hex[:8]}{BIDI}"
    fees = [{"fee_name": f"{MARKUP}{BIDI}", "fee_amount": 300, "fee_desc": "x" * 50_000}]
    event = {"out_order_no": number, "finish_type": 2, "fees": fees, "total_amount": 300, "appid": MARKUP}
    follow(stack.client("stepfunctions"), stack.start(json.dumps(event)))
    return number


def test_hostile_names_are_inert_in_the_list_and_on_the_orders_page(operator: Visitor, hostile: str) -> None:
    listed = next(part for part in operator.parts("/live/") if hostile[25:33] in part)
    page = operator.order(hostile)
    assert page.status == 200
    for text in (listed, page.text, operator.get("/needs").text):
        assert "<script>alert" not in text
        assert not set(BIDI[:1] + BIDI[-2:]) & set(text)
    assert "\\u202e" in page.text


def test_a_hostile_search_is_inert(visitor: Visitor) -> None:
    page = visitor.get("/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&group=%3Cb%3E&page=9999999999999999999")
    assert page.status == 200
    assert "<script>alert" not in page.text


def test_a_hostile_request_is_inert_and_a_long_one_is_not_shown(
    operator: Visitor, simulator: Simulator, number: str
) -> None:
    path = f"{simulator.hosts[0]}/payscore/smartretail-orders/{number}/complete"
    bodies = (
        json.dumps({"fees": [{"fee_name": f"{MARKUP}{BIDI}"}], "finish_ticket": "a-ticket-nobody-may-see"}),
        json.dumps({"fee_name": "y" * 200_000}),
        f'{{"finish_ticket": "a-ticket-nobody-may-see", {MARKUP}',
    )
    for body in bodies:
        requests.post(path, data=body.encode(), headers={"X-Odd": MARKUP}, timeout=10)
    text = operator.get("/sandbox").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "\\u202e" in text
    assert "characters, too long to show)" in text
    assert len(text) < 500_000
    for harmful in ("<script>alert", BIDI[:1], "a-ticket-nobody"):
        assert harmful not in text


def test_a_ticket_that_an_answer_repeats_is_masked(simulator: Simulator, number: str) -> None:
    simulator.script(number, "complete", fault="reply", message="bad a-ticket-nobody-may-see", status=400)
    path = f"{simulator.hosts[0]}/payscore/smartretail-orders/{number}/complete"
    body = json.dumps({"finish_ticket": "a-ticket-nobody-may-see"})
    requests.post(path, data=body, timeout=10)
    assert "a-ticket-nobody" not in str(Sandbox(simulator.control_url).wire(number))


@pytest.fixture
def unread_streams(visitor: Visitor) -> Iterator[int]:
    """Fifty visitors who open a live page and never read from it."""
    host, port = visitor.host.split(":")
    with ExitStack() as opened:
        for _ in range(50):
            stream = opened.enter_context(socket.create_connection((host, int(port)), timeout=10))
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stream.sendall(f"GET /live/ HTTP/1.1\r\nHost: {visitor.host}\r\n\r\n".encode())
        yield 50


@pytest.mark.usefixtures("unread_streams")
def test_streams_that_nobody_reads_hold_up_neither_orders_nor_readers(
    visitor: Visitor, settle: Callable[..., Execution], number: str
) -> None:
    parts = visitor.parts("/live/")
    next(parts)
    assert settle().status == "SUCCEEDED"
    assert any(number in part and "paid" in part for part in parts)
    assert visitor.get("/").status == 200
