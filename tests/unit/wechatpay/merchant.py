"""A merchant of the simulated WeChat Pay: its stored secret, its clock, and a record of every attempt."""

import json
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

from wechatpay.client import Client
from wechatpay.credentials import Credentials, parse
from wechatpay.deadline import Deadline
from wechatpay.hosts import FailedHosts
from wechatpay.merchant import Merchant
from wechatpay.orders import OrderKey
from wechatpay.signed_transport import Attempt, SignedTransport
from wechatpay.transport import Transport
from wechatpay_sandbox import Simulator


@cache
def shared_transport() -> Transport:
    """One for all tests: making one reads every certificate authority there is."""
    return Transport()


class WarmMerchant:
    """What one warm function knows of one merchant.

    Attributes:
        stored: the secret as it is stored now; a change is seen when it is read again.
        broken: raised in place of reading it.
        reads: how often it was read.
        later: seconds the merchant's clock is ahead; signatures always use the real time.
        exchanges: every attempt on the wire.
    """

    def __init__(self, simulator: Simulator, transport: Transport | None = None, **changes: Any) -> None:
        self.simulator = simulator
        self.stored: dict[str, Any] = {}
        self.broken: Exception | None = None
        self.reads = 0
        self.later = 0.0
        self.exchanges: list[Attempt] = []
        self.store(**changes)
        self.merchant = Merchant(self.read, lambda: time.time() + self.later)
        transport = transport or shared_transport()
        transport.failed_hosts = FailedHosts(lambda: time.time() + self.later)  # as in a new process
        self.signed_transport = SignedTransport(self.merchant, transport, observe=self.exchanges.append)

    def store(self, **changes: Any) -> None:
        """Store the simulator's present secret; a change of `...` leaves a field out."""
        secret = self.simulator.secret() | changes
        self.stored = {name: value for name, value in secret.items() if value is not ...}

    def read(self) -> Credentials:
        self.reads += 1
        if self.broken:
            raise self.broken
        return parse(json.dumps(self.stored), self.simulator.secret()["mchid"])

    def client(self, *, hosts: Sequence[str] = (), seconds: float = 20.0) -> Client:
        return Client(self.signed_transport, hosts or self.simulator.hosts, Deadline(seconds))

    def key(self, out_order_no: str) -> OrderKey:
        secret = self.simulator.secret()
        return OrderKey(secret["mchid"], secret["appid"], secret["service_id"], out_order_no)

    def sent(self) -> list[str]:
        """Method and path of every attempt."""
        return [f"{each.method} {each.path}" for each in self.exchanges]
