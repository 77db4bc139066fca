"""The simulated WeChat Pay the layer is tried on."""

import itertools
from collections.abc import Iterator

import pytest
from wechatpay_sandbox import Simulator

from tests.hosts import set_hosts

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def public_key_world() -> Iterator[Simulator]:
    with Simulator(keys="public_key", debit_after=None) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def certificate_world() -> Iterator[Simulator]:
    with Simulator(keys="certificate", debit_after=None) as simulator:
        yield simulator


def tidied(world: Simulator) -> Iterator[Simulator]:
    """Yield a simulator; afterwards no fault is scripted and both hosts are up."""
    yield world
    world.clear_faults()
    set_hosts(world, up=True)


@pytest.fixture
def simulator(public_key_world: Simulator) -> Iterator[Simulator]:
    """WeChat Pay for a merchant of the public key; tidied after each test."""
    yield from tidied(public_key_world)


@pytest.fixture
def certifying(certificate_world: Simulator) -> Iterator[Simulator]:
    """WeChat Pay for a merchant of platform certificates; tidied after each test."""
    yield from tidied(certificate_world)


@pytest.fixture
def order_no() -> str:
    """A number no other order of this run has, with every kind of character it may have."""
    return f"SR_1-a|b*{next(_numbers)}"
