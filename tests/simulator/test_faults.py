"""Every kind of misbehaviour, observed from the other end of the wire."""

import json
import socket
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
import requests
from cryptography.exceptions import InvalidSignature
from wechatpay_sandbox import Simulator
from wechatpay_sandbox.fault_effects import PHONE
from wechatpay_sandbox.fault_kinds import KINDS
from wechatpay_sandbox.order import OPENID

TIMEOUT = 1.0
GENERAL = pytest.mark.parametrize(
    "kind", [kind.name for kind in KINDS.values() if kind.chaos and "query" in kind.operations]
)


@pytest.fixture
def misbehave(sim, merchant, opened, ticket):
    """Completes a fresh order under one fault; returns the reply and whether the completion was applied."""

    def run(kind, *, timeout=TIMEOUT, **options):
        sim.script(opened, fault=kind, **options)
        try:
            return merchant.complete(opened, merchant.body(ticket), timeout=timeout), applied(sim, opened)
        except requests.RequestException as error:
            return error, applied(sim, opened)

    return run


def applied(sim: Simulator, out_order_no: str) -> bool:
    return sim.order(out_order_no)["accepted"] == 1


def wire_bytes(sim: Simulator, merchant, opened: str, ticket: str) -> list[bytes]:
    """What arrives, piece by piece, from sending a completion until the server closes."""
    body = json.dumps(merchant.body(ticket)).encode()
    target = merchant.target(opened)
    headers = merchant.headers("POST", target, body) | {"Content-Length": str(len(body)), "Host": "x"}
    head = "\r\n".join([f"POST {target} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())])
    where = urlsplit(sim.hosts[0])
    pieces = []
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(head.encode() + b"\r\n\r\n" + body)
        while piece := connection.recv(65536):
            pieces.append(piece)
    return pieces


@pytest.mark.parametrize(
    ("kind", "status", "code", "was_applied"),
    [
        ("system_error", 500, "SYSTEM_ERROR", False),
        ("system_error_applied", 500, "SYSTEM_ERROR", True),
        ("rate_limited", 429, "FREQUENCY_LIMIT_EXCEED", False),
        ("sign_error", 401, "SIGN_ERROR", False),
        ("no_auth", 403, "NO_AUTH", False),
        ("debit_in_progress", 400, "PARAM_ERROR", True),
    ],
)
def test_signed_errors(merchant, misbehave, kind, status, code, was_applied):
    reply, done = misbehave(kind)
    assert (reply.status_code, reply.json()["code"], done) == (status, code, was_applied)
    merchant.verify(reply)


@pytest.mark.parametrize(
    ("kind", "status", "was_applied"),
    [
        ("bad_gateway", 502, False),
        ("bad_gateway_applied", 502, True),
        ("unavailable", 503, False),
        ("unavailable_applied", 503, True),
    ],
)
def test_a_proxy_answers_html_that_nobody_signed(misbehave, kind, status, was_applied):
    reply, done = misbehave(kind)
    assert (reply.status_code, reply.headers["Content-Type"], done) == (status, "text/html", was_applied)
    assert "Wechatpay-Signature" not in reply.headers


@pytest.mark.parametrize(("kind", "was_applied"), [("unsigned_4xx", False), ("unsigned_4xx_applied", True)])
def test_an_unsigned_refusal_proves_nothing(misbehave, kind, was_applied):
    reply, done = misbehave(kind)
    assert (reply.status_code, reply.json()["code"], done) == (400, "PARAM_ERROR", was_applied)
    assert not [name for name in reply.headers if name.startswith("Wechatpay")]


@pytest.mark.parametrize(
    ("kind", "status", "was_applied"), [("accepted_202", 202, False), ("no_content_204", 204, True)]
)
def test_a_2xx_without_a_body_is_signed_over_nothing(merchant, misbehave, kind, status, was_applied):
    reply, done = misbehave(kind)
    assert (reply.status_code, reply.content, done) == (status, b"", was_applied)
    merchant.verify(reply)


def test_debit_in_progress_carries_its_internal_code(misbehave, internal_code):
    reply, _ = misbehave("debit_in_progress")
    assert internal_code(reply) == "271316754"


@pytest.mark.parametrize("kind", ["redirect"])
def test_a_redirect_leads_elsewhere(misbehave, kind):
    reply, done = misbehave(kind, location="http://127.0.0.2:9/v3")
    assert (reply.status_code, reply.headers["Location"], done) == (302, "http://127.0.0.2:9/v3", False)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("unsigned", KeyError),
        ("missing_header", KeyError),
        ("wrong_signature", InvalidSignature),
        ("signtest", InvalidSignature),
        ("unknown_serial", KeyError),
        ("stale_timestamp", TimeoutError),
        ("future_timestamp", TimeoutError),
    ],
)
def test_a_200_that_was_applied_and_cannot_be_verified(merchant, misbehave, kind, error):
    reply, done = misbehave(kind)
    assert (reply.status_code, done) == (200, True)
    with pytest.raises(error):
        merchant.verify(reply)


def test_a_probe_is_recognisable_by_its_prefix_alone(misbehave):
    reply, _ = misbehave("signtest")
    assert reply.headers["Wechatpay-Signature"].startswith("WECHATPAY/SIGNTEST/")
    assert len(reply.headers["Wechatpay-Signature"]) == 344


@pytest.mark.parametrize("kind", ["stale_timestamp", "future_timestamp"])
def test_a_timestamp_moved_by_a_fault_is_signed_all_the_same(merchant, misbehave, kind):
    reply, _ = misbehave(kind, offset=-7)
    merchant.verify(reply)


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("wrong_content_type", lambda reply: reply.headers["Content-Type"] == "text/html"),
        ("not_json", lambda reply: reply.text == "<xml>OK</xml>"),
        ("wrong_shape", lambda reply: reply.json() == []),
        ("duplicate_keys", lambda reply: reply.text.count('"out_order_no"') == 2),
        ("other_order", lambda reply: reply.json()["out_order_no"].endswith("X")),
    ],
)
def test_a_correctly_signed_200_may_say_anything(merchant, misbehave, kind, seen):
    reply, done = misbehave(kind)
    assert (reply.status_code, done) == (200, True)
    merchant.verify(reply)
    assert seen(reply)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("forged_accepted_unsigned", KeyError),
        ("forged_accepted_stale", TimeoutError),
        ("forged_accepted_foreign", InvalidSignature),
    ],
)
def test_a_forged_acceptance_says_what_did_not_happen(sim, merchant, opened, misbehave, kind, error):
    reply, done = misbehave(kind)
    assert (reply.status_code, reply.json()["order_id"], done) == (200, sim.order(opened)["order_id"], False)
    with pytest.raises(error):
        merchant.verify(reply)


@pytest.mark.parametrize("kind", ["forged_accepted_other_order"])
def test_an_acceptance_of_another_order_is_signed_and_nothing_is_applied(merchant, opened, misbehave, kind):
    reply, done = misbehave(kind)
    merchant.verify(reply)
    assert (reply.status_code, done) == (200, False)
    assert reply.json()["out_order_no"] not in ("", opened)


@pytest.mark.parametrize(
    ("kind", "state", "error"),
    [
        ("forged_finished_unsigned", "FINISHED", KeyError),
        ("forged_paid_unsigned", "USER_PAID", KeyError),
        ("forged_paid_stale", "USER_PAID", TimeoutError),
        ("forged_paid_foreign", "USER_PAID", InvalidSignature),
    ],
)
def test_a_forged_query_claims_what_was_asked_for(sim, merchant, opened, ticket, kind, state, error):
    sim.script(opened, "complete", fault="system_error")
    merchant.complete(opened, merchant.body(ticket))
    sim.script(opened, "query", fault=kind)
    reply = merchant.query(opened)
    assert (reply.json()["state"], reply.json()["total_amount"]) == (state, 1200)
    with pytest.raises(error):
        merchant.verify(reply)
    assert sim.order(opened)["state"] == "USER_ACCEPTED"


@pytest.mark.parametrize("kind", ["forged_paid_other_order"])
def test_a_query_can_say_that_another_order_is_paid(sim, merchant, opened, kind):
    sim.script(opened, "query", fault=kind)
    reply = merchant.query(opened)
    merchant.verify(reply)
    assert reply.json()["out_order_no"] != opened
    assert reply.json()["state"] in ("FINISHED", "USER_PAID")


@pytest.mark.parametrize("kind", ["forged_404_unsigned", "forged_404_foreign", "not_found"])
def test_a_404_can_be_the_answer_about_an_order_that_exists(merchant, misbehave, kind):
    reply, done = misbehave(kind)
    assert (reply.status_code, reply.json()["code"], done) == (404, "ORDER_NOT_EXIST", False)
    if kind == "not_found":
        merchant.verify(reply)
    else:
        with pytest.raises((KeyError, InvalidSignature)):
            merchant.verify(reply)


@pytest.mark.parametrize("kind", ["lost_then_404"])
def test_after_a_lost_reply_the_order_is_not_found_for_a_while(sim, merchant, opened, ticket, kind):
    sim.script(opened, fault=kind)
    with pytest.raises(requests.ConnectionError):
        merchant.complete(opened, merchant.body(ticket))
    statuses = [merchant.query(opened).status_code]
    statuses += [merchant.complete(opened, merchant.body(ticket)).status_code]
    statuses += [merchant.query(opened).status_code, merchant.query(opened).status_code]
    assert statuses == [404, 404, 404, 200]
    assert applied(sim, opened)


@pytest.mark.parametrize(("kind", "state"), [("behind_open", "USER_ACCEPTED"), ("behind_created", "CREATED")])
def test_a_reader_can_be_behind_the_writer(sim, merchant, opened, ticket, kind, state):
    sim.script(opened, "query", fault=kind, times=2)
    assert merchant.query(opened).json()["state"] == "USER_ACCEPTED"
    merchant.complete(opened, merchant.body(ticket))
    behind = merchant.query(opened)
    merchant.verify(behind)
    assert (behind.json()["state"], "total_amount" in behind.json()) == (state, False)
    assert merchant.query(opened).json()["state"] == "FINISHED"


@pytest.mark.parametrize(
    ("kind", "status", "was_applied"),
    [
        ("timeout_408", 408, False),
        ("conflict_409", 409, False),
        ("conflict_409_applied", 409, True),
        ("locked_423", 423, False),
        ("too_early_425", 425, False),
        ("unlisted_code", 400, False),
    ],
)
def test_a_refusal_can_be_on_nobodys_list(merchant, misbehave, kind, status, was_applied):
    reply, done = misbehave(kind)
    assert (reply.status_code, done) == (status, was_applied)
    merchant.verify(reply)


@pytest.mark.parametrize(
    ("kind", "status", "code"), [("gateway_code", 400, 400), ("lower_case_code", 404, "not_found")]
)
def test_a_gateway_has_codes_of_its_own(misbehave, kind, status, code):
    reply, done = misbehave(kind)
    assert (reply.status_code, reply.json()["code"], done) == (status, code, False)
    assert "Wechatpay-Signature" not in reply.headers


@pytest.mark.parametrize("kind", ["quoting_refusal"])
def test_a_message_can_quote_what_must_never_come_out(ticket, misbehave, kind):
    reply, _ = misbehave(kind)
    message = reply.json()["message"]
    assert ticket in message
    assert {OPENID, PHONE} <= set(message.split())


@pytest.mark.parametrize("kind", ["oversized_body", "oversized_chunked"])
def test_an_oversized_body_is_sent_only_as_far_as_it_is_read(sim, merchant, opened, ticket, kind):
    sim.script(opened, fault=kind)
    body = json.dumps(merchant.body(ticket)).encode()
    target = merchant.target(opened)
    url, headers = sim.hosts[0] + target, merchant.headers("POST", target, body)
    with requests.post(url, body, headers=headers, stream=True, timeout=10) as reply:
        length = int(reply.headers.get("Content-Length", "0"))
        assert (length > KINDS[kind].size) == (kind == "oversized_body")
        assert len(reply.raw.read(1024)) == 1024
    assert sim.requests(opened)[-1]["sent"] < KINDS[kind].size


def test_an_oversized_body_is_whole_and_signed_when_it_is_read(merchant, misbehave):
    reply, done = misbehave("oversized_chunked", size=200_000, timeout=10)
    merchant.verify(reply)
    assert (len(reply.json()["attach"]), done) == (200_000, True)


@pytest.mark.parametrize("kind", ["oversized_gzip"])
def test_a_small_compressed_body_can_be_an_oversized_one(merchant, misbehave, kind):
    reply, _ = misbehave(kind, size=2_000_000, timeout=10)
    merchant.verify(reply)
    assert int(reply.headers["Content-Length"]) < 20_000 < len(reply.content)


@pytest.mark.parametrize(("kind", "was_applied"), [("reset_before", False), ("reset_after", True)])
def test_a_connection_is_reset(sim, merchant, opened, ticket, kind, was_applied):
    sim.script(opened, fault=kind)
    with pytest.raises(ConnectionResetError):
        wire_bytes(sim, merchant, opened, ticket)
    assert applied(sim, opened) is was_applied


@pytest.mark.parametrize(("kind", "was_applied"), [("silence", False), ("silence_applied", True)])
def test_an_answer_does_not_come(misbehave, kind, was_applied):
    error, done = misbehave(kind)
    assert isinstance(error, requests.ReadTimeout)
    assert done is was_applied


def test_silence_can_end_in_a_reset(misbehave):
    error, _ = misbehave("silence", seconds=0)
    assert isinstance(error, requests.ConnectionError)


@pytest.mark.parametrize("kind", ["late_reply"])
def test_a_late_reply_is_in_order_otherwise(merchant, misbehave, kind):
    error, done = misbehave(kind, seconds=10, timeout=0.3)
    assert isinstance(error, requests.ReadTimeout)
    reply, done = misbehave(kind, seconds=0.01)
    assert done
    merchant.verify(reply)


@pytest.mark.parametrize("kind", ["truncated_body"])
def test_a_body_is_cut_in_the_middle(misbehave, kind):
    error, done = misbehave(kind)
    assert isinstance(error, requests.exceptions.ChunkedEncodingError | requests.ConnectionError)
    assert done


@pytest.mark.parametrize("kind", ["slow_body", "slow_headers"])
def test_a_reply_drips(sim, merchant, opened, ticket, kind):
    sim.script(opened, fault=kind, interval=0.0002)
    pieces = wire_bytes(sim, merchant, opened, ticket)
    head, _, body = b"".join(pieces).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert json.loads(body)["out_order_no"] == opened
    assert len(pieces) > 10


def test_a_drip_ends_when_its_time_is_over(sim, merchant, opened, ticket):
    sim.script(opened, fault="slow_headers", interval=0.01, seconds=0.05)
    assert len(b"".join(wire_bytes(sim, merchant, opened, ticket))) < 50


@pytest.mark.parametrize(
    ("kind", "state", "message"),
    [
        ("settled_same", "FINISHED", "订单重入参数校验失败"),
        ("settled_amount", "FINISHED", "订单重入参数校验失败"),
        ("settled_cancelled", "REVOKED", "订单重入参数校验失败"),
        ("stale_ticket", "USER_ACCEPTED", "校验完结凭证错误"),
    ],
)
def test_the_order_changed_a_moment_before(sim, merchant, opened, misbehave, kind, state, message):
    reply, done = misbehave(kind)
    assert (reply.status_code, reply.json()["message"], done) == (400, message, False)
    merchant.verify(reply)
    assert merchant.query(opened).json()["state"] == state
    same = sim.order(opened)["total_amount"] == 1200
    assert same is (kind == "settled_same")


def test_someone_else_settles_with_the_amount_one_asks_for(sim, opened, misbehave):
    misbehave("settled_amount", amount=5)
    assert sim.order(opened)["total_amount"] == 5


@pytest.mark.parametrize("state", ["REVOKED", "EXPIRED", "CREATED"])
def test_nobody_settles_an_order_that_is_not_open(sim, merchant, ticket, state):
    number = f"NOT-OPEN-{state}"
    sim.open_order(number, state=state)
    sim.script(number, "complete", fault="settled_same", times=1)

    assert merchant.complete(number, merchant.body(ticket)).status_code == 400
    assert merchant.query(number).json()["state"] == state


def test_after_a_stale_ticket_a_fresh_one_is_accepted(merchant, opened, misbehave):
    misbehave("stale_ticket")
    fresh = merchant.query(opened).json()["finish_ticket"]
    assert merchant.complete(opened, merchant.body(fresh)).status_code == 200


@pytest.mark.parametrize("kind", ["reply"])
def test_any_reply_can_be_scripted(merchant, opened, misbehave, internal_code, kind):
    reply, done = misbehave(
        kind, status=400, code="ORDER_DONE", message="订单已完成", tail="271302262", applied=False
    )
    assert (reply.status_code, reply.json()["code"], internal_code(reply)) == (400, "ORDER_DONE", "271302262")
    assert not done
    merchant.verify(reply)
    reply, done = misbehave(kind, status=418, content="{}", signed=False)
    assert (reply.status_code, reply.text, done) == (418, "{}", True)
    assert "Wechatpay-Signature" not in reply.headers


def test_one_host_refuses_connections_while_the_other_works(as_merchant):
    with Simulator() as simulator:
        merchant = as_merchant(simulator)
        simulator.set_host(0, up=False)
        with pytest.raises(requests.ConnectionError, match="refused"):
            merchant.send("GET", "/v3/certificates")
        assert merchant.send("GET", "/v3/certificates", base_url=simulator.hosts[1]).status_code == 404
        simulator.set_host(0, up=True)
        assert merchant.send("GET", "/v3/certificates").status_code == 404


def test_a_host_that_goes_down_breaks_the_connections_it_has(as_merchant):
    with Simulator() as simulator:
        merchant = as_merchant(simulator)
        merchant.send("GET", "/v3/certificates")
        simulator.set_host(0, up=False)
        simulator.set_host(0, up=True)
        assert merchant.send("GET", "/v3/certificates").status_code == 404
        assert simulator.requests()[-1]["host"] == 0


@pytest.mark.parametrize("kind", ["host_down"])
def test_a_call_can_take_its_host_down(as_merchant, kind):
    with Simulator() as simulator:
        merchant = as_merchant(simulator)
        simulator.script(None, "query", fault=kind, seconds=3600)
        for reason in ("aborted", "refused"):
            with pytest.raises(requests.ConnectionError, match=f"(?i){reason}"):
                merchant.query("A1")


def test_a_fault_happens_as_often_as_set_and_to_no_other_order(sim, merchant, opened, ticket):
    sim.script(opened, fault="system_error", times=2)
    other = f"{opened}x"
    ticket_of_other = sim.open_order(other)["finish_ticket"]
    assert merchant.complete(other, merchant.body(ticket_of_other)).status_code == 200
    assert merchant.query(opened).status_code == 200
    statuses = [merchant.complete(opened, merchant.body(ticket)).status_code for _ in range(3)]
    assert statuses == [500, 500, 200]
    assert sim.pending_faults() == []


def test_faults_for_any_order_come_after_those_for_this_order(sim, merchant, opened, ticket):
    sim.script(None, "*", fault="rate_limited", times=None)
    sim.script(opened, "query", fault="system_error")
    statuses = [merchant.query(opened).status_code for _ in range(3)]
    assert statuses == [500, 429, 429]
    sim.clear_faults()
    assert merchant.query(opened).status_code == 200


def test_a_refused_request_is_refused_before_any_fault_of_the_reply(sim, merchant, opened, ticket):
    sim.script(opened, fault="system_error_applied")
    headers = merchant.headers("POST", merchant.target(opened), b"{}")
    assert merchant.complete(opened, merchant.body(ticket), headers=headers).status_code == 401
    assert not applied(sim, opened)


@pytest.mark.parametrize(
    "mistake",
    [
        {"fault": "sytem_error"},
        {"fault": "system_error", "operation": "pay"},
        {"fault": "stale_ticket", "operation": "query"},
        {"fault": "system_error", "times": 0},
        {"fault": "system_error", "delay": 1},
        {"fault": "late_reply", "seconds": "1"},
        {"fault": "reply", "status": True},
    ],
    ids=str,
)
def test_a_misspelt_fault_is_refused(sim, mistake):
    with pytest.raises(ValueError, match=r"known|must be|only on|positive"):
        sim.script("A1", **mistake)


def test_chaos_throws_the_same_faults_whatever_the_order_of_arrival():
    def run(numbers):
        with Simulator() as simulator:
            simulator.chaos(0.5, seed=7, kinds=["system_error", "rate_limited", "bad_gateway"])
            merchant = requests.Session()
            merchant.trust_env = False
            for number in numbers:
                target = f"/v3/payscore/smartretail-orders?out_order_no={number}"
                merchant.get(simulator.hosts[0] + target)
            return sorted((r["out_order_no"], r["fault"] or "") for r in simulator.requests())

    numbers = [f"N{i}" for i in range(40)] * 2
    first = run(numbers)
    assert first == run(numbers[::-1])
    kinds = {fault for _, fault in first}
    assert kinds == {"", "system_error", "rate_limited", "bad_gateway"}
    assert 20 < sum(1 for _, fault in first if fault) < 60


def test_chaos_leaves_out_fatal_faults_and_stops_on_request(sim, merchant, opened):
    unsurvivable = {"settled_amount", "settled_cancelled", "sign_error", "no_auth", "host_down"}
    assert not unsurvivable & {kind.name for kind in KINDS.values() if kind.chaos}
    sim.chaos(1.0, kinds=["rate_limited"])
    assert merchant.query(opened).status_code == 429
    sim.chaos(1.0, kinds=[{"fault": "reply", "status": 418}])
    assert merchant.query(opened).status_code == 418
    sim.chaos(0)
    assert merchant.query(opened).status_code == 200


@pytest.mark.parametrize("operation", ["query", "certificates"])
@GENERAL
def test_no_fault_breaks_the_simulator_itself(sim, merchant, opened, kind, operation):
    if operation not in KINDS[kind].operations:
        operation = "query"
    sim.script(opened if operation == "query" else None, operation, fault=kind, **_quick(kind))
    with suppress(requests.RequestException):
        _call(merchant, operation, opened)
    assert _call(merchant, operation, opened).status_code in (200, 404)


def _quick(kind: str) -> dict[str, float]:
    return {"seconds": 0.01} if kind in ("silence", "silence_applied", "late_reply") else {}


def _call(merchant, operation: str, number: str) -> requests.Response:
    return merchant.query(number) if operation == "query" else merchant.send("GET", "/v3/certificates")


def test_every_kind_is_observed_by_a_test_of_its_own():
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    observed = set()
    for mark in (mark for test in tests for mark in getattr(test, "pytestmark", [])):
        names = [mark.args[0]] if isinstance(mark.args[0], str) else list(mark.args[0])
        if names[0] == "kind" and mark != GENERAL.mark:
            observed |= {case if names == ["kind"] else case[0] for case in mark.args[1]}
    assert observed == set(KINDS)
