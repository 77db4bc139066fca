"""The console as it is run: a process of its own over an embedded AWS and a simulated WeChat Pay."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wechatpay_sandbox import Simulator

from local.aws import EmbeddedAws
from local.pages import console
from local.stack import Stack, deploy
from operations.executions import Execution, follow
from tests.console.visitor import Visitor

FEES = {"fees": [{"fee_name": "矿泉水", "fee_amount": 300}], "total_amount": 300}


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with Simulator(debit_after=0) as running:
        yield running


@pytest.fixture(scope="session")
def stack(simulator: Simulator) -> Iterator[Stack]:
    with EmbeddedAws(wait_scale=0) as aws:
        hosts, secret = ",".join(simulator.hosts), simulator.secret()
        parameters = {"WeChatPayHosts": hosts, "DefaultMchid": secret["mchid"], "PaymentWaitDays": "1"}
        deployed = deploy(aws.environment(), parameters)
        deployed.store_secret(secret)
        yield deployed


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
    found = Visitor(url)
    found.sign_in()
    return found


@pytest.fixture
def number(simulator: Simulator) -> str:
    """An order that the shopper has confirmed."""
    unique = f"C|{uuid.uuid4().hex[:20]}*"
    simulator.open_order(unique)
    return unique


@pytest.fixture
def settle(stack: Stack, number: str) -> Callable[..., Execution]:
    """Run an order through the workflow to its end."""

    def run(**fields: Any) -> Execution:
        event = {"out_order_no": number, "finish_type": 2, **FEES, **fields}
        return follow(stack.client("stepfunctions"), stack.start(json.dumps(event)))

    return run
