"""Shared by several folders: a simulated WeChat Pay with keys of this run, and the function on it.

Hypothesis makes up few and always the same examples by default; HYPOTHESIS_EXAMPLES new ones of each test
with HYPOTHESIS_PROFILE=long (`make fuzz`); as few as show a mutant with HYPOTHESIS_PROFILE=mutants.
"""

import itertools
import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings
from wechatpay_sandbox import Simulator

from tests.function import Function, attempt
from tests.hosts import set_hosts
from tests.secrets_manager import SecretsManager

_numbers = itertools.count(1)

settings.register_profile("quick", max_examples=60, deadline=None, derandomize=True, database=None)
settings.register_profile("mutants", settings.get_profile("quick"), max_examples=20)
settings.register_profile(
    "long",
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "5000")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(scope="module")
def shared_function() -> Iterator[Function]:
    """One warm environment for a module; tests take it as `function`, which checks and tidies after each."""
    with Simulator(debit_after=None) as simulator, SecretsManager() as secrets_manager:
        yield Function(simulator, secrets_manager)


@pytest.fixture
def function(shared_function: Function) -> Iterator[Function]:
    """The function, warm. After every test it must have let out no secret."""
    yield shared_function
    leaks = shared_function.leaks()
    simulator = shared_function.simulator
    simulator.clear_faults()
    set_hosts(simulator, up=True)
    shared_function.forget_failed_hosts()
    shared_function.secrets_manager.fail(None)
    shared_function.client_context = attempt()
    shared_function.store_secret()
    shared_function.turn_page()
    shared_function.emitted.clear()
    assert leaks == []


@pytest.fixture
def cold_function() -> Iterator[Callable[..., Function]]:
    """Make a function with a simulator of its own, for tests that change keys or hosts for good."""
    made: list[Function] = []
    with SecretsManager() as secrets_manager:

        def make(*, keys: str = "public_key", **options: object) -> Function:
            simulator = Simulator(keys=keys, debit_after=None).__enter__()
            function = Function(simulator, secrets_manager, **options)
            made.append(function)
            return function

        yield make
        leaks = [leak for function in made for leak in function.leaks()]
        for function in made:
            function.simulator.__exit__(None, None, None)
    assert leaks == []


@pytest.fixture
def order_no() -> str:
    """A number no other order of this run has."""
    return f"SR|2026*{next(_numbers)}"
