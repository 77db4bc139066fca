"""A simulation replaces clocks, randomness and network under the whole client."""

import json
import threading

import pytest
from wechatpay.client import CALL_SECONDS, QUERY_SECONDS, Client
from wechatpay.credentials import parse
from wechatpay.deadline import ANSWER_SECONDS, Deadline
from wechatpay.errors import NoAnswer
from wechatpay.merchant import Merchants
from wechatpay.signed_transport import SignedTransport
from wechatpay.transport import Transport

from tests.unit.wechatpay.material import MCHID, NOW, secret
from tests.unit.wechatpay.memory_wire import MemoryWire, Silence
from tests.unit.wechatpay.raw_server import signed_http

MAIN, BACKUP = "http://main.example", "http://backup.example"
INVOCATION = 30.0 - ANSWER_SECONDS


def client_over(wire: MemoryWire, seconds: float = INVOCATION) -> Client:
    world = wire.world()
    merchants = Merchants(lambda mchid: parse(json.dumps(secret()), mchid), world.clock)
    signed_transport = SignedTransport(merchants[MCHID], Transport(world=world))
    return Client(signed_transport, [MAIN, BACKUP], Deadline(seconds, world.monotonic))


def test_a_whole_call_runs_in_memory_in_one_thread_and_twice_alike() -> None:
    runs = []
    for _ in range(2):
        wire = MemoryWire(lambda request: signed_http(b'{"state":"FINISHED"}', NOW), NOW)
        threads = threading.active_count()
        client = client_over(wire)
        assert [client.get("/v3/x").text("state") for _ in range(2)] == ["FINISHED", "FINISHED"]
        assert threading.active_count() == threads
        runs.append(wire.requests)
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 2


def test_a_silent_main_host_leaves_time_to_settle_over_the_backup() -> None:
    wire = MemoryWire(lambda request: b"", NOW)

    def answer(request: bytes) -> bytes:
        if b"Host: main.example" in request:
            raise Silence(60)
        body = b'{"state":"USER_ACCEPTED"}' if request.startswith(b"GET") else b'{"order_id":"1"}'
        return signed_http(body, wire.now)

    wire.answer = answer
    client = client_over(wire)
    with pytest.raises(NoAnswer):
        client.post("/v3/x", {}, reserve=2 * QUERY_SECONDS)
    assert wire.now == NOW + CALL_SECONDS
    assert client.get("/v3/x").text("state") == "USER_ACCEPTED"
    assert client.next_host()
    assert client.post("/v3/x", {}, reserve=2 * QUERY_SECONDS).text("order_id") == "1"


def test_with_both_hosts_silent_there_is_time_to_query_each() -> None:
    wire = MemoryWire(lambda request: b"", NOW)
    queries = 0

    def answer(request: bytes) -> bytes:
        nonlocal queries
        queries += request.startswith(b"GET")
        if queries == 1:  # as late as its time allows
            wire.now += QUERY_SECONDS
            queries += 1
            return signed_http(b'{"state":"USER_ACCEPTED"}', wire.now)
        raise Silence(60)

    wire.answer = answer
    client = client_over(wire)
    with pytest.raises(NoAnswer):
        client.post("/v3/x", {}, reserve=2 * QUERY_SECONDS)
    client.get("/v3/x")
    assert client.next_host()
    with pytest.raises(NoAnswer):
        client.post("/v3/x", {}, reserve=2 * QUERY_SECONDS)
    with pytest.raises(NoAnswer):
        client.get("/v3/x")
    assert wire.now <= NOW + INVOCATION
    assert [request[:4] for request in wire.requests] == [b"POST", b"GET ", b"POST", b"GET ", b"GET "]
