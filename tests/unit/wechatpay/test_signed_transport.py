import re
import time

import pytest
from wechatpay.credentials import Credentials
from wechatpay.errors import NoAnswer, NothingSent
from wechatpay.merchant import Merchant
from wechatpay.signed_transport import Attempt, Request, SignedTransport
from wechatpay.transport import Transport
from wechatpay.verification import NotVerified
from wechatpay.world import World
from wechatpay_sandbox import Simulator

from tests.unit.wechatpay.merchant import WarmMerchant
from tests.unit.wechatpay.raw_server import Connection, RawServer, answering, http

QUERY = "/v3/payscore/smartretail-orders?out_order_no=A%7C1"
UNPROVEN = "Wechatpay-Timestamp is missing"


ASKED = Request("GET", QUERY)
SENT = Request("POST", QUERY, b"{}")


@pytest.fixture
def merchant(simulator: Simulator) -> WarmMerchant:
    """The merchant of the public key, whose secret is not read yet."""
    return WarmMerchant(simulator)


def test_every_attempt_is_recorded_with_its_path_without_its_query(merchant: WarmMerchant) -> None:
    with RawServer(answering(http(status="404 Not Found", headers="Request-ID: 08-1\r\n"))) as server:
        reply, attempt = merchant.signed_transport.send(server.url, ASKED, 5)
        assert merchant.exchanges == []  # whether it is verified is still open
        merchant.signed_transport.record(attempt)
    assert reply.status == 404
    (recorded,) = merchant.exchanges
    assert recorded == Attempt(
        "GET",
        server.url,
        "/v3/payscore/smartretail-orders",
        status=404,
        milliseconds=recorded.milliseconds,
        request_id="08-1",
    )
    assert recorded.milliseconds > 0


def test_why_a_reply_is_not_verified_is_recorded(merchant: WarmMerchant) -> None:
    with RawServer(answering(http())) as server:
        _, attempt = merchant.signed_transport.send(server.url, ASKED, 5)
    merchant.signed_transport.record(attempt, NotVerified(UNPROVEN))
    assert merchant.exchanges[0].problem == UNPROVEN
    assert merchant.exchanges[0].status == 200


def test_an_attempt_without_an_answer_is_recorded_too(merchant: WarmMerchant) -> None:
    with RawServer(Connection.read_request) as server, pytest.raises(NoAnswer):
        merchant.signed_transport.send(server.url, ASKED, 5)
    (recorded,) = merchant.exchanges
    assert (recorded.status, recorded.request_id) == (0, "")
    assert "after the request was sent" in recorded.problem


def test_a_request_id_as_long_as_a_header_may_be_is_cut_for_the_logs(merchant: WarmMerchant) -> None:
    with RawServer(answering(http(headers=f"Request-ID: {'1' * 60_000}\r\n"))) as server:
        _, attempt = merchant.signed_transport.send(server.url, ASKED, 5)
    assert attempt.request_id == "1" * 128


@pytest.mark.parametrize("timeout", [0.49, 0.0, -3.0])
def test_with_too_little_time_left_nothing_is_sent(merchant: WarmMerchant, timeout: float) -> None:
    with RawServer(answering(http())) as server, pytest.raises(NothingSent, match="not enough time left"):
        merchant.signed_transport.send(server.url, ASKED, timeout)
    assert (server.accepted, merchant.reads) == (0, 0)
    assert merchant.exchanges == []


class Stopwatch:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_reading_the_secret_takes_of_the_time_of_the_attempt(simulator: Simulator) -> None:
    merchant, stopwatch = WarmMerchant(simulator), Stopwatch()

    def read_slowly() -> Credentials:
        stopwatch.now += 9.6
        return merchant.read()

    signed_transport = SignedTransport(Merchant(read_slowly), Transport(world=World(monotonic=stopwatch)))
    with RawServer(answering(http())) as server:
        with pytest.raises(NothingSent, match="not enough time left"):
            signed_transport.send(server.url, SENT, 10)
        assert server.accepted == 0
        assert signed_transport.send(server.url, SENT, 10)[0].status == 200


def test_finding_a_key_to_verify_with_is_no_latency_of_wechat_pay(simulator: Simulator) -> None:
    merchant, stopwatch = WarmMerchant(simulator), Stopwatch()
    signed_transport = SignedTransport(
        merchant.merchant,
        Transport(world=World(monotonic=stopwatch)),
        observe=merchant.exchanges.append,
    )
    with RawServer(answering(http())) as server:
        _, attempt = signed_transport.send(server.url, ASKED, 10)
    stopwatch.now += 9.0
    signed_transport.record(attempt)
    assert merchant.exchanges[0].milliseconds == 0.0


def test_the_headers_apiv3_requires_are_sent(simulator: Simulator, merchant: WarmMerchant) -> None:
    with RawServer(answering(http())) as server:
        merchant.signed_transport.send(server.url, Request("POST", "/v3/x", b"{}"), 5)
        merchant.signed_transport.send(server.url, Request("GET", "/v3/x"), 5)
    post, get = (request.decode() for request in server.requests)
    for request in (post, get):
        assert "\r\nAccept: application/json\r\n" in request
        assert "\r\nUser-Agent: smart-retail-settlement/" in request
        assert "\r\nAccept-Encoding: identity\r\n" in request
        assert f"\r\nWechatpay-Serial: {simulator.secret()['wechatpay_public_key_id']}\r\n" in request
        assert "\r\nAuthorization: WECHATPAY2-SHA256-RSA2048 mchid=" in request
    assert "\r\nContent-Type: application/json\r\n" in post
    assert "Content-Type" not in get


def test_without_any_key_no_serial_is_requested(certifying: Simulator) -> None:
    merchant = WarmMerchant(certifying, wechatpay_certificates=...)
    with RawServer(answering(http())) as server:
        merchant.signed_transport.send(server.url, Request("GET", "/v3/x"), 5)
    assert b"Wechatpay-Serial" not in server.requests[0]


def test_every_attempt_has_a_new_nonce_and_the_time_of_its_clock(merchant: WarmMerchant) -> None:
    now = [1_700_000_000.9]
    signed_transport = SignedTransport(merchant.merchant, Transport(world=World(clock=lambda: now[0])))
    with RawServer(answering(http())) as server:
        for _ in range(3):
            signed_transport.send(server.url, ASKED, 5)
            now[0] += 1
    heads = [request.decode() for request in server.requests]
    assert [re.findall(r'timestamp="(\d+)"', head) for head in heads] == [
        ["1700000000"],
        ["1700000001"],
        ["1700000002"],
    ]
    nonces = {re.findall(r'nonce_str="([0-9A-F]{32})"', head)[0] for head in heads}
    assert len(nonces) == 3


def test_the_real_time_is_the_default(merchant: WarmMerchant) -> None:
    assert merchant.signed_transport.clock is time.time
