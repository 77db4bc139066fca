"""QueryOrder on a simulator where a completion was accepted."""

from collections.abc import Iterator
from typing import Any

import pytest
from wechatpay_sandbox import APPID, MCHID, SERVICE_ID, Simulator

from tests.function import Function
from tests.secrets_manager import SecretsManager

Result = dict[str, Any]


@pytest.fixture(scope="module")
def shared_function() -> Iterator[Function]:
    """One warm environment for a module; tests take it as `function`, which checks and tidies after each."""
    with Simulator(debit_after=None) as simulator, SecretsManager() as secrets_manager:
        yield Function(simulator, secrets_manager, "query_order")


@pytest.fixture
def accepted(order_no: str) -> Result:
    """What CompleteOrder returned: 12.00 yuan accepted."""
    return {
        "outcome": "COMPLETED",
        "out_order_no": order_no,
        "mchid": MCHID,
        "appid": APPID,
        "service_id": SERVICE_ID,
        "order_id": "0899389604053169746561757230",
        "finish_type": 2,
        "total_amount": 1200,
        "evidence": "REPLY",
        "request_id": "one",
        "metadata": {"cabinet": "SZ-NS-003"},
    }
