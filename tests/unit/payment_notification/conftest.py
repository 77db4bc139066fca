"""PaymentNotification in this process: the real handler, its environment, real sockets, nothing patched."""

import base64
import contextlib
import io
import itertools
import json
import logging
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from wechatpay_sandbox import MCHID, Simulator
from wechatpay_sandbox.keys import Mode
from wechatpay_sandbox.notifications import Notice
from wechatpay_sandbox.order import OPENID

from tests.function import fresh_module, in_environment
from tests.secrets_manager import SecretsManager
from tests.unit.payment_notification.aws import Aws

PREFIX = "wechatpay/merchants/"
CONTEXT = SimpleNamespace(
    function_name="PaymentNotification",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:PaymentNotification:live",
    aws_request_id="0d8ac54b-5d41-4d65-b6ec-0a2d1f4e1c33",
    get_remaining_time_in_millis=lambda: 5000,
)
_numbers = itertools.count(1)


class Function:
    """One execution environment of the function, between one simulator and one AWS."""

    def __init__(self, simulator: Simulator, secrets_manager: SecretsManager, aws: Aws) -> None:
        self.simulator = simulator
        self.secrets_manager = secrets_manager
        self.aws = aws
        self.output = io.StringIO()
        secrets_manager.put(f"{PREFIX}{MCHID}", simulator.secret())
        environment = {
            "MERCHANT_SECRET_PREFIX": PREFIX,
            "WECHATPAY_HOSTS": ",".join(simulator.hosts),
            "WAITING_ORDERS": "waiting",
            "POWERTOOLS_SERVICE_NAME": "payment-notification",
            "POWERTOOLS_METRICS_NAMESPACE": "SmartRetail",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets_manager.url,
            "AWS_ENDPOINT_URL_DYNAMODB": aws.url,
            "AWS_ENDPOINT_URL_SFN": aws.url,
        }
        with in_environment(environment), contextlib.redirect_stdout(self.output):
            self.app = fresh_module("payment_notification", "app")

    def __call__(self, notice: Notice, mchid: str = MCHID, **changes: Any) -> dict[str, Any]:
        """Invoke with a notice as API Gateway hands it over; `changes` replace parts of the event."""
        event = {
            "version": "2.0",
            "headers": {name.lower(): value for name, value in notice.headers.items()},
            "pathParameters": {"mchid": mchid},
            "body": notice.body.decode(errors="replace"),
            "isBase64Encoded": False,
        }
        return self.invoke({**event, **changes})

    def invoke(self, event: Any) -> dict[str, Any]:
        for handler in logging.getLogger("payment-notification").handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(self.output)
        with contextlib.redirect_stdout(self.output):
            answer: dict[str, Any] = self.app.lambda_handler(event, CONTEXT)
        if answer["statusCode"] != 204:
            assert json.loads(answer["body"])["code"] == "FAIL"
        return answer

    @property
    def logs(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.getvalue().splitlines() if '"_aws"' not in line]

    def leaks(self) -> list[str]:
        secret = self.simulator.secret()
        pem = [line for line in secret["merchant_private_key"].splitlines() if line[:2] != "--"]
        never = [OPENID, secret["api_v3_key"], "token-", "finish_transaction", "智能柜", *filter(None, pem)]
        return [text for text in never if text in self.output.getvalue()]


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Simulator, SecretsManager, Aws]]:
    with Simulator(debit_after=None) as simulator, SecretsManager() as secrets_manager, Aws() as aws:
        yield simulator, secrets_manager, aws


@pytest.fixture(scope="module")
def shared_function(world: tuple[Simulator, SecretsManager, Aws]) -> Function:
    return Function(*world)


@pytest.fixture
def function(shared_function: Function) -> Iterator[Function]:
    """The function, warm. After every test it must have said nothing that no log may hold."""
    yield shared_function
    leaks = shared_function.leaks()
    shared_function.aws.failing.clear()
    shared_function.simulator.clear_faults()
    shared_function.output.seek(0)
    shared_function.output.truncate()
    assert leaks == []


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
            secret = {n: v for n, v in simulator.secret().items() if n != "wechatpay_certificates"}
            function.secrets_manager.put(f"{PREFIX}{MCHID}", secret)
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


def as_base64(notice: Notice) -> dict[str, Any]:
    return {"body": base64.b64encode(notice.body).decode(), "isBase64Encoded": True}
