import json
import re
import socket

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st
from wechatpay.client import QUERY_RESERVE_SECONDS, SHORTEST_COMPLETION_SECONDS
from wechatpay.errors import (
    NoAnswer,
    NothingSent,
    ServiceError,
    UnexpectedReply,
    Unverifiable,
    WeChatPayError,
)
from wechatpay.transport import Transport
from wechatpay.world import Address, World
from wechatpay_sandbox import Simulator

from tests.hosts import set_hosts
from tests.paths import escaped
from tests.replies import UNVERIFIABLE, refusal
from tests.unit.wechatpay.material import is_signed_by
from tests.unit.wechatpay.merchant import WarmMerchant
from tests.unit.wechatpay.raw_server import Connection, RawServer, answering, http

TARGET = "/v3/payscore/smartretail-orders/{}/complete"
QUERY = "/v3/payscore/smartretail-orders?service_id=500001&out_order_no={}&appid=wxd678efh567hg6787"
DOWN = "http://127.0.0.1:9"


def target(order_no: str) -> str:
    return TARGET.format(escaped(order_no))


def query(order_no: str) -> str:
    return QUERY.format(escaped(order_no))


def cancellation(simulator: Simulator, order_no: str) -> dict[str, object]:
    ticket = simulator.open_order(order_no)["finish_ticket"]
    own = {name: simulator.secret()[name] for name in ("appid", "service_id")}
    return {
        **own,
        "finish_type": 1,
        "total_amount": 0,
        "profit_sharing": False,
        "cancel_reason": "未取货",
        "finish_ticket": ticket,
    }


def ready(merchant: WarmMerchant) -> WarmMerchant:
    """The merchant with its secret read, which on a busy machine takes its time."""
    assert merchant.merchant.keyring.preferred
    return merchant


def test_the_bytes_signed_are_the_bytes_on_the_wire(simulator: Simulator) -> None:
    merchant = WarmMerchant(simulator)
    with RawServer(answering(http())) as server:
        client = merchant.client(hosts=[server.url])
        with pytest.raises(Unverifiable):
            client.post(target("A|b*1"), {"fee_name": "可乐", "amount": 1}, reserve=0)
        with pytest.raises(Unverifiable):
            client.get(query("A|b*1"))
    key = load_pem_private_key(merchant.stored["merchant_private_key"].encode(), None).public_key()
    for request, path in zip(server.requests, ("A%7Cb%2A1/complete", "?service_id="), strict=True):
        head, _, body = request.partition(b"\r\n\r\n")
        method, on_the_wire, _ = head.split(b"\r\n")[0].split(b" ")
        claims = dict(re.findall(rb'(\w+)="([^"]*)"', head))
        lines = [method, on_the_wire, claims[b"timestamp"], claims[b"nonce_str"], body]
        is_signed_by(key, claims[b"signature"].decode(), b"".join(line + b"\n" for line in lines))  # type: ignore[arg-type]
        assert path.encode() in on_the_wire
    assert server.requests[0].endswith('\r\n\r\n{"fee_name":"可乐","amount":1}'.encode())


def test_numbers_that_are_no_json_are_not_sent(simulator: Simulator) -> None:
    merchant = WarmMerchant(simulator)
    with pytest.raises(ValueError, match="Out of range float"):
        merchant.client().post("/v3/x", {"amount": float("nan")}, reserve=0)
    assert merchant.exchanges == []


def test_a_verified_200_is_its_body_and_request_id(simulator: Simulator, order_no: str) -> None:
    merchant = WarmMerchant(simulator)
    answer = merchant.client().post(target(order_no), cancellation(simulator, order_no), reserve=0)
    assert answer.text("out_order_no") == order_no
    assert answer.request_id.endswith("-0")


@pytest.mark.parametrize("fault", UNVERIFIABLE)
def test_an_unverifiable_200_is_never_a_success(simulator: Simulator, order_no: str, fault: str) -> None:
    parameters = cancellation(simulator, order_no)
    simulator.script(order_no, fault=fault)
    with pytest.raises(Unverifiable) as caught:
        WarmMerchant(simulator).client().post(target(order_no), parameters, reserve=0)
    assert (caught.value.problem.status, caught.value.problem.verified) == (200, False)
    assert simulator.order(order_no)["accepted"] == 1


@pytest.mark.parametrize(
    "fault", ["accepted_202", "no_content_204", "not_json", "wrong_shape", "duplicate_keys"]
)
def test_a_verified_2xx_that_says_something_else_is_unexpected(
    simulator: Simulator, order_no: str, fault: str
) -> None:
    parameters = cancellation(simulator, order_no)
    simulator.script(order_no, fault=fault)
    with pytest.raises(UnexpectedReply) as caught:
        WarmMerchant(simulator).client().post(target(order_no), parameters, reserve=0)
    assert caught.value.problem.verified


@pytest.mark.parametrize("status", [201, 202, 204])
def test_another_2xx_without_a_signature_is_unverifiable(
    simulator: Simulator, order_no: str, status: int
) -> None:
    parameters = cancellation(simulator, order_no)
    simulator.script(order_no, fault="reply", status=status, signed=False, content="{}")
    with pytest.raises((Unverifiable, NoAnswer)):
        WarmMerchant(simulator).client().post(target(order_no), parameters, reserve=0)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 429, 500, 502, 503])
def test_any_other_status_is_a_service_error_proven_or_not(
    simulator: Simulator, order_no: str, status: int, signed: bool
) -> None:
    parameters = cancellation(simulator, order_no)
    simulator.script(order_no, **refusal(status, "CODE", "原因", "271316598", signed=signed, applied=True))
    with pytest.raises(ServiceError) as caught:
        WarmMerchant(simulator).client().post(target(order_no), parameters, reserve=0)
    problem = caught.value.problem
    assert (problem.status, problem.code, problem.internal_code) == (status, "CODE", "271316598")
    assert problem.message.startswith("原因")
    assert problem.verified is signed


@pytest.mark.parametrize("fault", ["oversized_body", "oversized_chunked"])
def test_an_oversized_reply_is_no_answer(simulator: Simulator, order_no: str, fault: str) -> None:
    parameters = cancellation(simulator, order_no)
    simulator.script(order_no, fault=fault, size=4 << 20)
    with pytest.raises(NoAnswer):
        WarmMerchant(simulator).client().post(target(order_no), parameters, reserve=0)


def test_a_compressed_bomb_is_never_unpacked(simulator: Simulator, order_no: str) -> None:
    parameters = cancellation(simulator, order_no)
    simulator.script(order_no, fault="oversized_gzip", size=4 << 20)
    with pytest.raises(Unverifiable):
        WarmMerchant(simulator).client().post(target(order_no), parameters, reserve=0)


# Two hosts


def test_when_nothing_was_sent_the_backup_host_gets_the_order_at_once(
    simulator: Simulator, order_no: str
) -> None:
    parameters = cancellation(simulator, order_no)
    simulator.set_host(0, up=False)
    merchant = WarmMerchant(simulator)
    client = merchant.client()
    client.post(target(order_no), parameters, reserve=0)
    client.get(query(order_no))
    assert [each.host for each in merchant.exchanges] == [
        simulator.hosts[0],
        simulator.hosts[1],
        simulator.hosts[1],
    ]


@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "truncated_body"])
def test_once_bytes_have_left_the_backup_is_queried_and_nothing_sent(
    simulator: Simulator, order_no: str, fault: str
) -> None:
    parameters = cancellation(simulator, order_no)
    simulator.script(order_no, fault=fault)
    merchant = WarmMerchant(simulator)
    client = merchant.client()
    with pytest.raises(NoAnswer):
        client.post(target(order_no), parameters, reserve=0)
    assert simulator.order(order_no)["calls"] == {"complete": 1}
    client.get(query(order_no))
    assert [each.host for each in merchant.exchanges] == simulator.hosts


def test_with_both_hosts_down_nothing_was_sent(simulator: Simulator) -> None:
    set_hosts(simulator, up=False)
    merchant = WarmMerchant(simulator)
    with pytest.raises(NothingSent):
        merchant.client().post(target("any"), {}, reserve=0)
    with pytest.raises(NothingSent):
        merchant.client().get(query("any"))
    assert len(merchant.exchanges) == 4


@pytest.mark.parametrize("call", ["post", "get"])
def test_without_a_host_nothing_was_sent(simulator: Simulator, call: str) -> None:
    client = WarmMerchant(simulator).client(hosts=[])
    client._hosts.clear()
    with pytest.raises(NothingSent, match="no host is configured"):
        client.post("/v3/x", {}, reserve=0) if call == "post" else client.get("/v3/x")


@pytest.mark.parametrize(
    "fault",
    [*UNVERIFIABLE, "accepted_202", "not_json", "system_error", "bad_gateway", "reset_after", "unsigned_4xx"],
)
def test_a_query_one_host_does_not_settle_is_put_to_the_other(
    simulator: Simulator, order_no: str, fault: str
) -> None:
    simulator.open_order(order_no)
    simulator.script(order_no, "query", fault=fault)
    merchant = WarmMerchant(simulator)
    answer = merchant.client().get(query(order_no))
    assert answer.text("state") == "USER_ACCEPTED"
    assert [each.host for each in merchant.exchanges] == simulator.hosts


@pytest.mark.parametrize("fault", ["bad_gateway", "system_error", "reset_after", "unsigned"])
def test_next_host_gets_the_same_order_while_the_first_is_in_doubt(
    simulator: Simulator, order_no: str, fault: str
) -> None:
    parameters = cancellation(simulator, order_no)
    simulator.script(order_no, fault=fault)
    merchant = WarmMerchant(simulator)
    client = merchant.client()
    with pytest.raises(WeChatPayError):
        client.post(target(order_no), parameters, reserve=0)
    assert client.next_host()
    client.post(target(order_no), parameters, reserve=0)
    assert [each.host for each in merchant.exchanges] == simulator.hosts
    assert not client.next_host()  # each host once


@pytest.mark.parametrize("failure", [TimeoutError("silent"), socket.gaierror(socket.EAI_AGAIN, "broken")])
def test_with_the_main_hosts_name_dead_the_backup_takes_the_order_at_once(
    simulator: Simulator, order_no: str, failure: OSError
) -> None:
    backup = int(simulator.hosts[1].rpartition(":")[2])

    def resolve(host: str, port: int, seconds: float) -> list[Address]:
        if host == "main.example":
            raise failure
        return [("127.0.0.1", backup)]

    parameters = cancellation(simulator, order_no)
    merchant = WarmMerchant(simulator, Transport(world=World(resolve=resolve)))
    hosts = ["http://main.example", "http://backup.example"]
    assert merchant.client(hosts=hosts).post(target(order_no), parameters, reserve=0).text("order_id")
    merchant.client(hosts=hosts).get(query(order_no))
    assert [each.host for each in merchant.exchanges] == [*hosts, hosts[1]]


def test_after_next_host_a_host_left_behind_gets_no_completion(simulator: Simulator, order_no: str) -> None:
    parameters = cancellation(simulator, order_no)
    simulator.script(order_no, fault="bad_gateway")
    simulator.set_host(1, up=False)
    merchant = WarmMerchant(simulator)
    client = merchant.client()
    with pytest.raises(ServiceError):
        client.post(target(order_no), parameters, reserve=0)
    assert client.next_host()
    with pytest.raises(NothingSent):
        client.post(target(order_no), parameters, reserve=0)
    assert simulator.order(order_no)["calls"] == {"complete": 1}


def test_hosts_that_nothing_was_sent_to_are_tried_once(simulator: Simulator) -> None:
    set_hosts(simulator, up=False)
    client = WarmMerchant(simulator).client()
    with pytest.raises(NothingSent):
        client.post(target("any"), {}, reserve=0)
    assert not client.next_host()


def test_without_time_for_completion_and_queries_there_is_no_next_host(simulator: Simulator) -> None:
    merchant = WarmMerchant(simulator)
    needed = SHORTEST_COMPLETION_SECONDS + QUERY_RESERVE_SECONDS
    assert merchant.client(seconds=needed + 5).next_host()
    assert not merchant.client(seconds=needed).next_host()


def test_a_host_that_failed_comes_last_for_a_minute_in_the_same_process(
    simulator: Simulator, order_no: str
) -> None:
    simulator.open_order(order_no)
    main, backup = simulator.hosts
    merchant = WarmMerchant(simulator)
    simulator.set_host(0, up=False)
    merchant.client().get(query(order_no))
    simulator.set_host(0, up=True)
    merchant.client().get(query(order_no))
    merchant.later = 61
    merchant.client().get(query(order_no))
    assert [each.host for each in merchant.exchanges] == [main, backup, backup, main]


@pytest.mark.parametrize("fault", ["unsigned", "bad_gateway", "reset_after"])
def test_a_query_neither_host_settles_raises_the_last_reason(
    simulator: Simulator, order_no: str, fault: str
) -> None:
    simulator.open_order(order_no)
    simulator.script(order_no, "query", fault=fault, times=2)
    expected = {"unsigned": Unverifiable, "bad_gateway": ServiceError, "reset_after": NoAnswer}[fault]
    with pytest.raises(expected):
        WarmMerchant(simulator).client().get(query(order_no))
    assert simulator.order(order_no)["calls"] == {"query": 2}


@pytest.mark.parametrize("status", [401, 403, 429])
@pytest.mark.parametrize("signed", [True, False])
def test_a_refusal_about_the_merchant_is_not_queried_twice(
    simulator: Simulator, order_no: str, status: int, signed: bool
) -> None:
    simulator.open_order(order_no)
    simulator.script(order_no, "query", **refusal(status, "C", "m", signed=signed))
    with pytest.raises(ServiceError):
        WarmMerchant(simulator).client().get(query(order_no))
    assert simulator.order(order_no)["calls"] == {"query": 1}


@pytest.mark.parametrize("status", [401, 403])
def test_a_page_that_is_not_wechat_pays_says_nothing_of_the_merchant(
    simulator: Simulator, order_no: str, status: int
) -> None:
    simulator.open_order(order_no)
    simulator.script(order_no, "query", fault="reply", status=status, content="<html>no</html>", signed=False)
    merchant = WarmMerchant(simulator)
    answer = merchant.client().get(query(order_no))
    assert answer.text("out_order_no") == order_no
    assert [each.host for each in merchant.exchanges] == simulator.hosts


def test_an_unsigned_404_is_not_taken_for_an_answer(simulator: Simulator, order_no: str) -> None:
    simulator.open_order(order_no)
    simulator.script(order_no, "query", **refusal(404, "ORDER_NOT_EXIST", "m", signed=False))
    answer = WarmMerchant(simulator).client().get(query(order_no))
    assert answer.text("out_order_no") == order_no


# Time


def test_a_completion_leaves_the_reserve_for_asking(simulator: Simulator, order_no: str) -> None:
    parameters = cancellation(simulator, order_no)
    merchant = WarmMerchant(simulator)
    with pytest.raises(NothingSent, match="not enough time left"):
        merchant.client(seconds=10.4).post(target(order_no), parameters, reserve=10)
    assert simulator.order(order_no)["calls"] == {}


def test_silence_ends_with_the_reserve_untouched(simulator: Simulator, order_no: str) -> None:
    parameters = cancellation(simulator, order_no)
    simulator.script(order_no, fault="silence")
    client = ready(WarmMerchant(simulator)).client(seconds=6.0)
    with pytest.raises(NoAnswer):
        client.post(target(order_no), parameters, reserve=5)
    client.get(query(order_no))


def test_all_calls_share_one_deadline(simulator: Simulator) -> None:
    merchant = ready(WarmMerchant(simulator))
    with RawServer(Connection.be_silent) as server:
        client = merchant.client(hosts=[server.url, server.url + "/"], seconds=1.0)
        with pytest.raises(NothingSent, match="not enough time left"):
            client.get("/v3/x")
    assert len(merchant.exchanges) == 1


# Anything at all


# Each makes a server and several connections.
@settings(max_examples=min(500, settings().max_examples // 3))
@given(
    body=st.binary(max_size=80),
    status=st.sampled_from([200, 200, 202, 204, 302, 400, 404, 500]),
    data=st.data(),
)
def test_a_reply_that_was_not_verified_is_never_evidence(
    public_key_world: Simulator, body: bytes, status: int, data: st.DataObject
) -> None:
    names = [
        "Wechatpay-Timestamp",
        "Wechatpay-Nonce",
        "Wechatpay-Serial",
        "Wechatpay-Signature",
        "Content-Type",
    ]
    value = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40)
    key_id = public_key_world.secret()["wechatpay_public_key_id"]
    headers = data.draw(st.dictionaries(st.sampled_from(names), value | st.just(key_id)))
    lines = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
    if status == 204:
        body = b""
    merchant = WarmMerchant(public_key_world)
    with RawServer(answering(http(body, status=f"{status} X", headers=lines))) as server:
        for call in (lambda c: c.get("/v3/x"), lambda c: c.post("/v3/x", {}, reserve=0)):
            with pytest.raises(WeChatPayError) as caught:
                call(merchant.client(hosts=[server.url]))
            assert type(caught.value) in (Unverifiable, ServiceError)
            assert caught.value.problem.verified is False  # type: ignore[attr-defined]
            json.dumps(str(caught.value))
