"""Lambda under virtual time: environments that hold the real functions, one invocation at a time."""

from __future__ import annotations

import base64
import json
import logging
import os
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import patch
from weakref import WeakKeyDictionary

from greenlet import getcurrent, greenlet
from invocation import startup  # noqa: F401 - patched below, as are those of the two that come next
from wechatpay import aws, transport  # noqa: F401
from wechatpay.world import World
from wechatpay_sandbox import MCHID

from simulation.kernel import Killed
from simulation.network import HOSTS, Sender
from simulation.stepper import TaskError
from tools import lambda_environment

if TYPE_CHECKING:
    from simulation.shop import Shop

SECONDS = 30.0
"""`Timeout` of the functions in the template."""
PREFIX = "wechatpay/merchants/"
TABLE = "waiting-orders"


class Invocation(Sender):
    """What happens during one invocation.

    Args:
        passes: is called at every point: who, and its name.

    Attributes:
        dies_at: the number of the point at which it is killed; None: it is not.
        points: the points it has reached so far.
        calls: requests that left it.
        killed: whether it was.
    """

    def __init__(
        self, who: str, dies_at: int | None = None, passes: Callable[[str, str], None] = lambda *_: None
    ) -> None:
        super().__init__(who)
        self._passes = passes
        self.dies_at = dies_at
        self.points: list[str] = []
        self.calls = 0
        self.killed = False

    def reach(self, point: str) -> None:
        """Note a point; raises `Killed` where the invocation is to end."""
        self.points.append(point)
        self._passes(self.who, point)
        self.calls += point == "after sending"
        if self.dies_at is not None and len(self.points) > self.dies_at:
            self.killed = True
            raise Killed


class Environment:
    """One execution environment: a fresh module of a function, and what it keeps between invocations."""

    def __init__(self, shop: Shop, name: str, number: int) -> None:
        self._kernel = shop.kernel
        self.name = name
        self.invocation = Invocation("init")
        world = shop.network.world(self, lambda: shop.kernel.now + shop.function_skew)
        variables = {
            "MERCHANT_SECRET_PREFIX": PREFIX,
            "DEFAULT_MCHID": MCHID,
            "WECHATPAY_HOSTS": ",".join(HOSTS),
            "WAITING_ORDERS": TABLE,
            "POWERTOOLS_SERVICE_NAME": f"{name.replace('_', '-')}-{number}",
            "POWERTOOLS_METRICS_NAMESPACE": "SmartRetail",
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }
        self.app = _fresh(name, world, variables, lambda service: shop.aws_client(self, service))
        for handler in logging.getLogger(variables["POWERTOOLS_SERVICE_NAME"]).handlers:
            # It may be of an environment of the same name in a shop before this one.
            cast(logging.StreamHandler[Any], handler).setStream(shop.sink)

    @property
    def sender(self) -> Sender:
        """As `network.Caller`."""
        return self.invocation

    def reach(self, point: str) -> None:
        """As `Invocation.reach`, for the one that runs."""
        self.invocation.reach(point)

    def run(self, invocation: Invocation, event: Any, client_context: str) -> Any:
        """Invoke the handler. Raises what it raises, and `Killed`."""
        self.invocation = invocation
        _running[getcurrent()] = self
        invocation.reach("invoked")
        answer = self.app.lambda_handler(json.loads(json.dumps(event)), self._context(client_context))
        invocation.reach("about to answer")
        return json.loads(json.dumps(answer, ensure_ascii=False, allow_nan=False))

    def _context(self, client_context: str) -> SimpleNamespace:
        """Return what Lambda hands to a handler beside the event."""
        ends = self._kernel.now + SECONDS
        custom = json.loads(base64.b64decode(client_context))["custom"] if client_context else None
        return lambda_environment.context(
            self.name,
            lambda: int((ends - self._kernel.now) * 1000),
            SimpleNamespace(custom=custom) if client_context else None,
        )


_running: WeakKeyDictionary[greenlet, Environment] = WeakKeyDictionary()


def running() -> Environment | None:
    """Return the environment whose function is running just now."""
    return _running.get(getcurrent())


class Pool:
    """The environments of one function: the one used last is used first."""

    def __init__(self, shop: Shop, name: str) -> None:
        self._shop = shop
        self.name = name
        self.idle: list[Environment] = []
        self.made = 0

    def invoke(self, invocation: Invocation, event: Any, client_context: str = "") -> Any:
        """Invoke the function as Lambda does.

        Raises:
            TaskError: by the name under which Step Functions hears of it.
        """
        kernel = self._shop.kernel
        if self.idle:
            environment = self.idle.pop()
        else:
            environment = Environment(self._shop, self.name, self.made)
            self.made += 1
        process = kernel.spawn(lambda: environment.run(invocation, event, client_context))
        if not kernel.wait(process.ended, SECONDS):
            process.forgotten = True
            process.kill()
            raise TaskError("Sandbox.Timedout", f"Task timed out after {SECONDS:.0f} seconds")
        outcome = process.ended.value
        if isinstance(outcome, Killed):
            raise TaskError(kernel.random.choice(("Runtime.ExitError", "Lambda.Unknown", "Sandbox.Timedout")))
        self.idle.append(environment)
        if isinstance(outcome, Exception):
            name = type(outcome).__name__
            raise TaskError(name, json.dumps({"errorMessage": str(outcome), "errorType": name})) from outcome
        return outcome


def _fresh(name: str, world: World, variables: dict[str, str], client: Callable[..., Any]) -> ModuleType:
    """Load the function's module once more, in the world it is handed."""
    with (
        patch.dict(os.environ, variables),
        patch("wechatpay.world.World", lambda: world),
        patch("wechatpay.aws.client", lambda service, _config: client(service)),
        patch("invocation.startup.done", lambda: None),
        patch("ssl.create_default_context", lambda **_: None),
    ):
        return lambda_environment.load(name)
