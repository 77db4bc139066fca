"""The simulated WeChat Pay the layer is tried on, and how many examples Hypothesis makes up.

Few and always the same examples by default, many new ones with HYPOTHESIS_PROFILE=long.
"""

import itertools
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from local.simulator import Simulator

_numbers = itertools.count(1)

settings.register_profile("quick", max_examples=60, deadline=None, derandomize=True, database=None)
settings.register_profile(
    "long", max_examples=5_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(scope="session")
def public_key_world() -> Iterator[Simulator]:
    with Simulator(keys="public_key", debit_after=None) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def certificate_world() -> Iterator[Simulator]:
    with Simulator(keys="certificate", debit_after=None) as simulator:
        yield simulator


@pytest.fixture
def simulator(public_key_world: Simulator) -> Iterator[Simulator]:
    """WeChat Pay for a merchant of the public key; tidied after each test."""
    yield public_key_world
    public_key_world.clear_faults()
    for host in range(2):
        public_key_world.set_host(host, up=True)


@pytest.fixture
def certifying(certificate_world: Simulator) -> Iterator[Simulator]:
    """WeChat Pay for a merchant of platform certificates; tidied after each test."""
    yield certificate_world
    certificate_world.clear_faults()
    for host in range(2):
        certificate_world.set_host(host, up=True)


@pytest.fixture
def order_no() -> str:
    """A number no other order of this run has, with every kind of character it may have."""
    return f"SR_1-a|b*{next(_numbers)}"
