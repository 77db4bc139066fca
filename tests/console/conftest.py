"""The console as it is run: a process of its own over an embedded AWS and a simulated WeChat Pay."""

from collections.abc import Iterator

import pytest
from wechatpay_sandbox import Simulator

from local.aws import EmbeddedAws
from local.pages import console
from local.stack import Stack, deploy_for
from tests.console.visitor import Visitor
from tests.stack import misconfigured, number, settle, simulator

__all__ = ["misconfigured", "number", "settle", "simulator"]


@pytest.fixture(scope="session")
def stack(simulator: Simulator) -> Iterator[Stack]:
    with EmbeddedAws(wait_scale=0) as aws:
        yield deploy_for(simulator, aws.environment(), PaymentWaitDays="1")


@pytest.fixture(scope="session")
def url(stack: Stack, simulator: Simulator) -> Iterator[str]:
    """The address that is printed, with its token."""
    control = {"SIMULATOR_CONTROL": simulator.control_url}
    with console({**stack.environment, "STACK_NAME": stack.name, **control}) as printed:
        yield printed


@pytest.fixture
def visitor(url: str) -> Visitor:
    """Somebody without the token."""
    return Visitor(url)


@pytest.fixture
def operator(url: str) -> Visitor:
    """Somebody who opened the printed address."""
    visitor = Visitor(url)
    visitor.sign_in()
    return visitor
