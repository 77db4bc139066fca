"""PaymentNotification between a simulator and an AWS, called as API Gateway calls it."""

import base64
import contextlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from wechatpay_sandbox import MCHID, Mode, Simulator
from wechatpay_sandbox.notifications import Notification
from wechatpay_sandbox.order import OPENID

from tests import function as rig
from tests.function import PREFIX
from tests.secrets_manager import SecretsManager
from tests.unit.payment_notification.aws import Aws

__all__ = ["PREFIX"]
_numbers = itertools.count(1)


class Function(rig.Function):
    """One execution environment of the function, between one simulator and one AWS."""

    def __init__(self, simulator: Simulator, secrets_manager: SecretsManager, aws: Aws) -> None:
        self.aws = aws
        variables = {
            "WAITING_ORDERS": "waiting",
            "AWS_ENDPOINT_URL_DYNAMODB": aws.url,
            "AWS_ENDPOINT_URL_SFN": aws.url,
        }
        super().__init__(simulator, secrets_manager, "payment_notification", variables=variables)

    def __call__(self, notification: Notification, mchid: str = MCHID, **changes: Any) -> dict[str, Any]:
        """Invoke with a notification as API Gateway hands it over; `changes` replace parts of the event."""
        event = {
            "version": "2.0",
            "headers": {name.lower(): value for name, value in notification.headers.items()},
            "pathParameters": {"mchid": mchid},
            "body": notification.body.decode(errors="replace"),
            "isBase64Encoded": False,
        }
        return self.invoke({**event, **changes})

    def invoke(self, event: object, *, seconds: float = 5.0) -> dict[str, Any]:
        answer = super().invoke(event, seconds=seconds)
        if answer["statusCode"] != 204:
            assert json.loads(answer["body"])["code"] == "FAIL"
        return answer

    def merchants(self) -> Iterable[Any]:
        return self.app.merchants._merchants.values()

    def leaks(self) -> list[str]:
        """Beside a merchant's secrets nothing of what was sealed may come out, nor a task's token."""
        sealed = (OPENID, "token-", "finish_transaction", "智能柜")
        return [*super().leaks(), *(text for text in sealed if text in self.output.getvalue())]


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Simulator, SecretsManager, Aws]]:
    with Simulator(debit_after=None) as simulator, SecretsManager() as secrets_manager, Aws() as aws:
        yield simulator, secrets_manager, aws


@pytest.fixture(scope="module")
def shared_function(world: tuple[Simulator, SecretsManager, Aws]) -> Function:
    return Function(*world)


@pytest.fixture
def function(function: Function) -> Iterator[Function]:
    yield function
    function.aws.failing.clear()


@pytest.fixture
def cold(world: tuple[Simulator, SecretsManager, Aws]) -> Function:
    """A new environment that knows no merchant yet."""
    world[1].reads.clear()
    return Function(*world)


@pytest.fixture
def cold_of() -> Iterator[Callable[[Mode], Function]]:
    """Make an environment for a merchant at a stage of the key migration, its secret without certificates."""
    with contextlib.ExitStack() as stack:

        def make(mode: Mode) -> Function:
            simulator = stack.enter_context(Simulator(keys=mode, debit_after=None))
            function = Function(simulator, stack.enter_context(SecretsManager()), stack.enter_context(Aws()))
            function.store_secret(wechatpay_certificates=None)
            return function

        yield make


@pytest.fixture
def paid(function: Function) -> str:
    """An order that is paid, and waited for with the token `token-<number>`."""
    return awaited(function)


def awaited(
    function: Function, state: str = "USER_PAID", api: str = "smartretail-orders", **changes: Any
) -> str:
    number = f"SR|{next(_numbers)}*"
    settled = {"state": state, "finish_type": 2, "total_amount": 1200}
    snapshot = function.simulator.open_order(number, api=api, **settled)
    function.aws.wait_for(snapshot, f"token-{number}", **changes)
    return number


def as_base64(notification: Notification) -> dict[str, Any]:
    return {"body": base64.b64encode(notification.body).decode(), "isBase64Encoded": True}
