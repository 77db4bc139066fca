"""Lambda under virtual time: environments that hold the real functions, one invocation at a time."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Protocol
from unittest.mock import patch
from weakref import WeakKeyDictionary

from greenlet import getcurrent, greenlet
from invocation import startup  # noqa: F401 - patched below, as are those of the two that come next
from wechatpay import aws, transport  # noqa: F401
from wechatpay.world import World

from simulation.kernel import Kernel, Killed
from simulation.network import Network, Sender
from simulation.stepper import TaskError

FUNCTIONS = Path(__file__).parents[1] / "functions"
SECONDS = 30.0
"""`Timeout` of the functions in the template."""
PREFIX = "wechatpay/merchants/"
TABLE = "waiting-orders"


class Surroundings(Protocol):
    """What environments stand in."""

    @property
    def kernel(self) -> Kernel: ...

    @property
    def network(self) -> Network: ...

    @property
    def mchid(self) -> str: ...

    @property
    def hosts(self) -> tuple[str, ...]: ...

    def function_clock(self) -> float:
        """UNIX seconds by the clock of the functions."""

    def aws_client(self, environment: Environment, service: str) -> Any:
        """Return a client of an AWS service."""


class Invocation(Sender):
    """What happens during one invocation.

    Args:
        passes: told of every point: who, and its name.

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


class Context:
    """What Lambda hands to a handler."""

    memory_limit_in_mb = 512
    aws_request_id = "0d8ac54b-5d41-4d65-b6ec-0a2d1f4e1c33"

    def __init__(self, name: str, kernel: Kernel, client_context: object) -> None:
        self.function_name = name
        self.invoked_function_arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}:live"
        self.client_context = client_context
        self._kernel = kernel
        self._ends = kernel.now + SECONDS

    def get_remaining_time_in_millis(self) -> int:
        return int((self._ends - self._kernel.now) * 1000)


class Environment:
    """One execution environment: a fresh module of a function, and what it keeps between invocations."""

    def __init__(self, around: Surroundings, name: str, number: int) -> None:
        self._kernel = around.kernel
        self.name = name
        self.invocation = Invocation("init")
        world = World(
            clock=around.function_clock,
            monotonic=lambda: around.kernel.now,
            sleep=around.kernel.sleep,
            nonce=lambda: f"{around.kernel.random.getrandbits(128):032X}",
            resolve=around.network.resolve,
            connect=around.network.connector(self),
        )
        variables = {
            "MERCHANT_SECRET_PREFIX": PREFIX,
            "DEFAULT_MCHID": around.mchid,
            "WECHATPAY_HOSTS": ",".join(around.hosts),
            "WAITING_ORDERS": TABLE,
            "POWERTOOLS_SERVICE_NAME": f"{name.replace('_', '-')}-{number}",
            "POWERTOOLS_METRICS_NAMESPACE": "SmartRetail",
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }
        self.app = _fresh(name, world, variables, lambda service: around.aws_client(self, service))

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
        context = Context(self.name, self._kernel, _decoded(client_context))
        answer = self.app.lambda_handler(json.loads(json.dumps(event)), context)
        invocation.reach("about to answer")
        return json.loads(json.dumps(answer, ensure_ascii=False, allow_nan=False))


_running: WeakKeyDictionary[greenlet, Environment] = WeakKeyDictionary()


def running() -> Environment | None:
    """Return the environment whose function is running just now."""
    return _running.get(getcurrent())


class Pool:
    """The environments of one function: the one used last is used first."""

    def __init__(self, around: Surroundings, name: str) -> None:
        self._around = around
        self.name = name
        self.idle: list[Environment] = []
        self.made = 0

    def invoke(self, invocation: Invocation, event: Any, client_context: str = "") -> Any:
        """Invoke the function as Lambda does.

        Raises:
            TaskError: by the name under which Step Functions hears of it.
        """
        kernel = self._around.kernel
        if self.idle:
            environment = self.idle.pop()
        else:
            environment = Environment(self._around, self.name, self.made)
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


def _decoded(client_context: str) -> object:
    if not client_context:
        return None
    return SimpleNamespace(custom=json.loads(base64.b64decode(client_context))["custom"])


def _fresh(name: str, world: World, variables: dict[str, str], client: Callable[..., Any]) -> ModuleType:
    """Load the function's module once more, in the world it is handed."""
    path = FUNCTIONS / name / "app.py"
    spec = importlib.util.spec_from_file_location(f"simulated_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with (
        _environment(variables),
        patch("wechatpay.world.World", lambda: world),
        patch("wechatpay.aws.client", lambda service, _config: client(service)),
        patch("invocation.startup.done", lambda: None),
        patch("ssl.create_default_context", lambda **_: None),
    ):
        spec.loader.exec_module(module)
    return module


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
