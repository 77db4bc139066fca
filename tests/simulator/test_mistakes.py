"""The control API in wrong hands: whatever is asked, the answer is 200, or 400 or 404 with a reason."""

import inspect
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from wechatpay_sandbox import Simulator
from wechatpay_sandbox.control import Control
from wechatpay_sandbox.http_control import PREFIX, HttpControl
from wechatpay_sandbox.order_settings import SETTINGS

from tests.simulator.conftest import Merchant

WRONG = [
    *(None, True, 0, -1, 1.5, 1e308, 2**70, -(2**70)),
    *(
        "",
        "x",
        "😀",
        "\ud800",
        "a\r\nb",
        "A" * 100_000,
        "http://[",
        "http://127.0.0.1:x/",
        "http://127.0.0.1:1/",
    ),
    *([], [1], [[]], ["x"], [{"fault": 1}], [{"fault": []}], [{"fault": "silence", "seconds": "x"}]),
    *({}, {"a": 1}),
]
BODIES = [b"\xff\xfe", b"{", b"[]", b"null", b"1", b"[" * 100_000, b'{"seconds":NaN}', b'{"seconds":1e999}']
OPTIONS = ("status", "size", "seconds", "interval", "offset", "host", "tail", "content_type", "location")
INNER = (
    "Traceback",
    "unhashable",
    "has no attribute",
    "unsupported operand",
    "not supported between",
    "NoneType",
)


@pytest.fixture(scope="module")
def wrong_hands() -> Iterator[Simulator]:
    with Simulator(debit_after=None) as simulator:
        yield simulator


def routes() -> list[tuple[str, str, list[str]]]:
    """Method and path of each operation, with the names that it reads."""

    listed = []
    for method, pattern, operation in HttpControl(Control, print)._routes:
        path = pattern.pattern.replace("(?P<out_order_no>[^/]+)", "A1").replace("(?P<openid>[^/]+)", "o1")
        names = [name for name in inspect.signature(operation).parameters if name != "self"]
        names += [*SETTINGS] if "settings" in names else [*OPTIONS] if "options" in names else []
        listed.append((method, path.replace("(?P<index>[0-9])", "0").removeprefix(PREFIX), names))
    return listed


def judge(reply: requests.Response) -> None:
    assert reply.status_code in (200, 400, 404), reply.text
    if reply.status_code != 200:
        reason = reply.json()["error"]
        assert reason
        assert not [each for each in INNER if each in reason], reason


@pytest.mark.parametrize(("method", "path", "names"), routes(), ids=lambda value: str(value)[:30])
def test_a_wrong_argument_is_answered_with_a_reason(wrong_hands, method, path, names):
    wrong_hands.open_order("A1")
    with requests.Session() as session:
        for body in BODIES:
            judge(session.request(method, wrong_hands.control_url + path, data=body, timeout=20))
        for name in (*names, "nonsense"):
            for value in WRONG:
                document = {"fault": "reply", name: value} if path == "/faults" else {name: value}
                body = json.dumps(document)
                judge(session.request(method, wrong_hands.control_url + path, data=body, timeout=20))


@pytest.mark.parametrize("path", ["%ff", "%E4%B8%AD", "a%2Fb", "A" * 33, "A" * 7000, "%20"])
def test_an_order_number_that_cannot_be_is_not_opened(wrong_hands, path):
    reply = requests.put(f"{wrong_hands.control_url}/orders/{path}", timeout=10)
    assert (reply.status_code, "1 to 32 characters" in reply.text) == (400, True)


@pytest.mark.parametrize(
    "query", ["after=x", f"after={'9' * 5000}", "x=1", "out_order_no=%ff", "after=1&after=2"]
)
def test_a_query_that_cannot_be_is_answered_with_a_reason(wrong_hands, query):
    judge(requests.get(f"{wrong_hands.control_url}/requests?{query}", timeout=10))


def test_what_arrived_is_shown_though_it_is_no_text(wrong_hands):
    address = urlsplit(wrong_hands.hosts[0])
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        head = b"POST /v3/payscore/serviceorder HTTP/1.1\r\nHost: x\r\nX: \xff\r\nContent-Length: 2\r\n\r\n"
        connection.sendall(head + b"\xff\xfe")
        assert connection.recv(4096).startswith(b"HTTP/1.1 400")
    shown = requests.get(f"{wrong_hands.control_url}/requests", timeout=10)
    assert (shown.status_code, shown.json()[-1]["refused"]["rule"]) == (200, "request.headers")


@pytest.mark.parametrize(
    "options", [{"status": 599}, {"status": 204, "content": "x"}, {"tail": "é"}], ids=str
)
@pytest.mark.parametrize("fault", ["reply", "truncated_body"])
def test_a_fault_with_odd_options_is_still_an_answer(wrong_hands, fault, options):
    wrong_hands.open_order("A2")
    wrong_hands.script("A2", "query", fault=fault, **options)
    merchant = Merchant(wrong_hands.secret(), wrong_hands.hosts[0])
    try:
        assert merchant.query("A2").status_code in (options.get("status", 200), 200)
    except requests.RequestException:
        assert fault == "truncated_body"
    assert wrong_hands.requests("A2")[-1]["fault"] == fault


@pytest.mark.parametrize(
    "option",
    ["--port=99999", "--port=x", "--debit-after=soon", "--debit-after=nan", "--clock=inf", "--tolerate=nope"],
)
def test_a_wrong_option_of_the_command_is_reported_in_a_line(option):
    command = [sys.executable, "-m", "wechatpay_sandbox", option]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("wechatpay-sandbox: ")


def test_a_clock_that_runs_far_ahead_stays_a_clock(wrong_hands):
    wrong_hands.purse("poor", 0)
    wrong_hands.open_order(
        "A3", openid="poor", state="FINISHED", finish_type=2, total_amount=7, debit_after=0
    )
    for _ in range(2):
        with pytest.raises(ValueError, match="seconds must be"):
            wrong_hands.advance(10**9)
    wrong_hands.advance(300_000_000)
    assert wrong_hands.order("A3")["failed_debits"] == 300_000_000 // 3600 + 1


def test_times_and_amounts_of_an_order_have_to_be_real(wrong_hands):
    for settings in (
        {"service_end_time": "soon"},
        {"total_amount": -1},
        {"debit_every": 0},
        {"finish_type": 3},
    ):
        with pytest.raises(ValueError, match=next(iter(settings))):
            wrong_hands.open_order("A4", **settings)
