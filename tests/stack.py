"""Fixtures that tests on a deployed stack share; a folder's conftest imports those it wants."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wechatpay_sandbox import Simulator

from life import Execution
from local.stack import Stack
from operations.executions import follow

FEES = {"fees": [{"fee_name": "矿泉水", "fee_amount": 300}], "total_amount": 300}


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    """Orders are paid as soon as they are accepted, unless a test opens one that is not."""
    with Simulator(debit_after=0) as running:
        yield running


@pytest.fixture
def number(simulator: Simulator) -> str:
    """An order that the shopper has confirmed, and nobody else's."""
    unique = f"T|{uuid.uuid4().hex[:20]}*"
    simulator.open_order(unique)
    return unique


@pytest.fixture
def settle(stack: Stack, number: str) -> Callable[..., Execution]:
    """Run that order through the workflow to its end."""

    def run(**fields: Any) -> Execution:
        event = {"out_order_no": number, "finish_type": 2, **FEES, **fields}
        return follow(stack.client("stepfunctions"), stack.start(json.dumps(event)))

    return run


@pytest.fixture
def misconfigured(simulator: Simulator, settle: Callable[..., Execution], number: str) -> Execution:
    """An order whose Task failed: for one moment the merchant had no permission."""
    simulator.script(number, "complete", fault="no_auth")
    execution = settle()
    assert (execution.status, execution.error) == ("FAILED", "MerchantMisconfigured")
    return execution
