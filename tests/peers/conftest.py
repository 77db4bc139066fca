import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from wechatpay_sandbox import Simulator

_numbers = itertools.count(1)


@pytest.fixture(scope="session", params=["public_key", "certificate"])
def world(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """WeChat Pay for a merchant of either kind of key."""
    with Simulator(keys=request.param, debit_after=None) as simulator:
        yield simulator


@pytest.fixture
def simulator(world: Simulator) -> Iterator[Simulator]:
    yield world
    world.clear_faults()


@pytest.fixture
def order_no() -> str:
    return f"PEER|1*{next(_numbers)}"


def completion_body(simulator: Simulator, order_no: str, **changes: Any) -> dict[str, Any]:
    """The body that finishes an order with 300 fen."""
    secret = simulator.secret()
    return {
        "appid": secret["appid"],
        "service_id": secret["service_id"],
        "finish_type": 2,
        "total_amount": 300,
        "fees": [{"fee_name": "可乐", "fee_amount": 300}],
        "finish_ticket": simulator.order(order_no).get("finish_ticket", "none"),
        "profit_sharing": False,
    } | changes


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peers, other than the layer, take a proxy from the environment."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
