"""Whatever is wrong with the main host, the order settles over the backup in the same invocation."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from complete_order import order
from complete_order.completion import Completion
from wechatpay import client as wire
from wechatpay.client import Client
from wechatpay.credentials import parse
from wechatpay.deadline import ANSWER_SECONDS, Deadline
from wechatpay.merchant import Merchant
from wechatpay.signed_transport import Attempt, SignedTransport
from wechatpay.transport import Transport
from wechatpay.world import Address, World
from wechatpay_sandbox import MCHID

from tests.function import Function
from tests.unit.complete_order.orders import arrived, finish, opened
from tests.unit.wechatpay.material import PUBLIC_KEY_ID, rsa_key
from tests.unit.wechatpay.raw_server import Connection, RawServer, answering, http, signed_http

MAIN, BACKUP = "http://main.example", "http://backup.example"
SYSTEM_ERROR = b'{"code":"SYSTEM_ERROR","message":"x"}'


def bad_gateway(connection: Connection) -> None:
    answering(http(b"<html>", status="502 Bad Gateway"))(connection)


def signed_500(connection: Connection) -> None:
    answering(signed_http(SYSTEM_ERROR, time.time(), status="500 X"))(connection)


def silent(connection: Connection) -> None:
    connection.read_request()
    connection.be_silent()


class Warm:
    """A warm function whose secret knows a second key, the one that our main host signs with.

    Attributes:
        attempts: on the wire.
    """

    def __init__(self, function: Function, resolve: Callable[[str, int, float], list[Address]]) -> None:
        secret = function.simulator.secret()
        credentials = parse(json.dumps(secret), MCHID)
        self.merchant = Merchant(lambda: credentials)
        ring = self.merchant.keyring
        self.merchant._keyring = ring.with_public_key(PUBLIC_KEY_ID, rsa_key("platform").public_key())
        self.attempts: list[Attempt] = []
        self.transport = Transport(world=World(resolve=resolve))

    def settle(self, order_no: str, **more: str) -> object:
        wanted = order.parse(finish(order_no, **more), default_mchid=MCHID, now=datetime.now(UTC))
        signed = SignedTransport(self.merchant, self.transport, observe=self.attempts.append)
        client = Client(signed, [MAIN, BACKUP], Deadline(30 - ANSWER_SECONDS))
        return Completion(wanted, wanted.key(self.merchant.credentials), client).run().to_json()["outcome"]

    @property
    def hosts(self) -> list[str]:
        return [attempt.host for attempt in self.attempts]


@pytest.mark.parametrize("fault", [bad_gateway, signed_500, silent])
@pytest.mark.parametrize("has_ticket", [True, False])
def test_with_a_main_host_that_fails_the_order_settles_over_the_backup(
    function: Function,
    order_no: str,
    fault: Callable[[Connection], None],
    has_ticket: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "CALL_SECONDS", 0.6)  # silence lasts no longer than it must
    monkeypatch.setattr(wire, "QUERY_SECONDS", 0.6)
    ticket = opened(function, order_no)
    backup = int(function.simulator.hosts[0].rpartition(":")[2])
    with RawServer(fault) as main:
        ports = {"main.example": main.port, "backup.example": backup}
        warm = Warm(function, lambda host, port, seconds: [("127.0.0.1", ports[host])])
        assert warm.settle(order_no, **({"finish_ticket": ticket} if has_ticket else {})) == "COMPLETED"
        assert warm.hosts == [MAIN, BACKUP, BACKUP]
        assert set(arrived(function, order_no)) == {"query", "complete"}
        other = f"{order_no[:28]}-2"
        assert warm.settle(other, finish_ticket=opened(function, other)) == "COMPLETED"
        assert warm.hosts[3:] == [BACKUP]  # what the process knows, the next order need not find out


def test_with_the_main_hosts_name_dead_the_order_settles_over_the_backup(
    function: Function, order_no: str
) -> None:
    backup = int(function.simulator.hosts[0].rpartition(":")[2])

    def resolve(host: str, port: int, seconds: float) -> list[Address]:
        if host == "main.example":
            raise TimeoutError("the name server is silent")
        return [("127.0.0.1", backup)]

    warm = Warm(function, resolve)
    assert warm.settle(order_no, finish_ticket=opened(function, order_no)) == "COMPLETED"
    assert warm.hosts == [MAIN, BACKUP]
