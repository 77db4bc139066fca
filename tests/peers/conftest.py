import itertools
from collections.abc import Iterator

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


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peers, other than the layer, take a proxy from the environment."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
