"""A function in this process: the real handler, its own environment, boto3, sockets, nothing patched."""

import base64
import contextlib
import gc
import io
import json
import logging
import os
import re
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType, ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import quote

from wechatpay.hosts import FailedHosts
from wechatpay_sandbox import Simulator

from tests.json_tree import walk
from tests.secrets_manager import SecretsManager
from tools import lambda_environment
from tools.sam import ROOT

FUNCTIONS = ROOT / "functions"
PREFIX = "wechatpay/merchants/"
EXECUTION = "arn:aws:states:us-east-1:000000000000:execution:ServiceEnded:one"
SHORTEST = 8
"""Characters of the shortest text to look for: a shorter one would match by chance."""
PIECE = 12
"""Characters of a secret that may nowhere stand together, in whatever encoding."""

Event = dict[str, Any]


def attempt(execution: str = EXECUTION, **changes: Any) -> SimpleNamespace:
    """What the workflow hands over with an attempt: the first one, with these changes."""
    first = {"retry_count": 0, "redrive_count": 0, "entered_time": datetime.now(UTC).isoformat()}
    return SimpleNamespace(custom={"execution": execution, **first, **changes})


def later(minutes: float = 0.0) -> SimpleNamespace:
    """A retry of a state that was entered so many minutes ago."""
    entered = datetime.now(UTC) - timedelta(minutes=minutes)
    return attempt(retry_count=1, entered_time=entered.isoformat())


def context(function_name: str, seconds: float, client_context: object) -> SimpleNamespace:
    """What Lambda hands to a handler, with a real clock running down."""
    ends = time.monotonic() + seconds
    return lambda_environment.context(
        function_name, lambda: int((ends - time.monotonic()) * 1000), client_context
    )


class Function:
    """One execution environment of the function, against one simulator and one Secrets Manager.

    `output` holds what went to standard output and error; `emitted` everything that left the function in
    any other way: results, exceptions with their chains, representations.
    """

    def __init__(
        self,
        simulator: Simulator,
        secrets_manager: SecretsManager,
        name: str = "complete_order",
        *,
        hosts: Sequence[str] = (),
        default_mchid: str = "1900000001",
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.simulator = simulator
        self.secrets_manager = secrets_manager
        self.output = io.StringIO()
        self.emitted: list[str] = []
        self.tickets: set[str] = set()
        self.client_context: object = attempt()
        self._name = name
        self.context = context(name, 0, None)
        # What is read and cut up once stays so: thousands of tests share one environment.
        self._secrets: set[tuple[str, str]] = set()
        self._stored_read = self._last_request = 0
        self._not_secret: set[str] = set()
        self._cut: set[tuple[str, str]] = set()
        self._pieces: dict[str, str] = {}
        self._short: dict[str, str] = {}
        self.store_secret()
        environment = {
            "MERCHANT_SECRET_PREFIX": PREFIX,
            "DEFAULT_MCHID": default_mchid,
            "WECHATPAY_HOSTS": ",".join(hosts or simulator.hosts),
            "POWERTOOLS_SERVICE_NAME": self._service,
            "POWERTOOLS_METRICS_NAMESPACE": "SmartRetail",
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets_manager.url,
            **variables,
        }
        with in_environment(environment), self._captured():
            self.app = fresh_module(name, "app")

    @property
    def _service(self) -> str:
        return self._name.replace("_", "-")

    def __call__(self, event: object, *, seconds: float = 30.0) -> dict[str, Any]:
        """Invoke the handler with an order event; its ticket may nowhere come out."""
        if isinstance(event, dict) and isinstance(event.get("finish_ticket"), str):
            self.tickets.add(event["finish_ticket"])
            event_without_ticket = {**event, "finish_ticket": ""}
        else:
            event_without_ticket = event
        # An event made at random may use as its number what another used as its ticket: numbers may come out.
        self._not_secret |= {
            text
            for each in walk(event_without_ticket)
            if not isinstance(each, dict | list) and len(text := str(each)) >= SHORTEST
        }
        return self.invoke(event, seconds=seconds)

    def invoke(self, event: object, *, seconds: float = 30.0) -> dict[str, Any]:
        """Invoke the handler with so many seconds until Lambda would kill it; returns its JSON."""
        self.context = context(self._name, seconds, self.client_context)
        try:
            with self._captured():
                answer = self.app.lambda_handler(event, self.context)
        except Exception as exc:
            self.emitted += [repr(exc), *traceback.format_exception(exc), *_chain(exc)]
            raise
        text = json.dumps(answer, ensure_ascii=False, allow_nan=False)
        self.emitted.append(text)
        return json.loads(text)

    def store_secret(self, **changes: Any) -> None:
        """Store the simulator's present secret of its merchant; a change of None leaves a field out."""
        secret = {**self.simulator.secret(), **changes}
        present = {name: value for name, value in secret.items() if value is not None}
        self.secrets_manager.put(f"{PREFIX}{self.simulator.secret()['mchid']}", present)

    def forget(self) -> None:
        """Forget what a warm environment knows of its merchants."""
        self.app.merchants.clear()

    def forget_failed_hosts(self) -> None:
        """Forget which hosts failed of late, so that the next order starts at the main host."""
        self.app.transport.failed_hosts = FailedHosts(time.time)

    def turn_page(self) -> None:
        """Start `lines` anew; what was written so far is still searched for secrets."""
        self.emitted.append(self.output.getvalue())
        self.output.seek(0)
        self.output.truncate()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every line written so far; all of it is JSON."""
        return [json.loads(line) for line in self.output.getvalue().splitlines()]

    @property
    def logs(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if "_aws" not in line]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if "_aws" in line]

    def leaks(self) -> list[str]:
        """Every place where a secret of the merchant, a signature or a ticket came out."""
        self.emitted += [
            repr(self.app.merchants),
            *(repr(vars(merchant)) for merchant in self.merchants()),
        ]
        places = [*self.emitted, *self.output.getvalue().splitlines()]
        for kind, secret in self.secrets() - self._cut:
            self._pieces |= dict.fromkeys(_pieces(kind, secret), kind)
            if len(secret) < PIECE:
                self._short[secret.lower()] = kind
            self._cut.add((kind, secret))
        leaks = []
        for place in places:
            text = place.lower()
            kinds = {self._pieces.get(text[at : at + PIECE]) for at in range(len(text) - PIECE + 1)}
            short = {kind for secret, kind in self._short.items() if secret in text}
            leaks += [f"{kind} in: {place}" for kind in sorted((kinds - {None}) | short)]
        return leaks

    def merchants(self) -> Iterable[Any]:
        """The merchants in the cache of the warm environment."""
        return self.app.merchants.values()

    def secrets(self) -> set[tuple[str, str]]:
        """Everything that must never come out, each with what it is."""
        new = set()
        stored = self.secrets_manager.ever_stored
        for text in stored[self._stored_read :]:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                secret = json.loads(text)
                new.add(("api_v3_key", secret["api_v3_key"]))
                pem = secret["merchant_private_key"].splitlines()
                new |= {("private key", line) for line in pem if line and not line.startswith("--")}
        self._stored_read = len(stored)
        for request in self.simulator.requests(after=self._last_request):
            self._last_request = request["number"]
            authorization = request["headers"].get("Authorization", "")
            new.add(("Authorization", authorization))
            new |= {("signature", value) for value in re.findall(r'signature="([^"]+)"', authorization)}
            with contextlib.suppress(ValueError, KeyError, TypeError):
                self.tickets.add(json.loads(request["body"])["finish_ticket"])
        self._secrets |= {(kind, secret) for kind, secret in new if len(secret) >= SHORTEST}
        public = "\n".join(self._not_secret)
        tickets = {("finish_ticket", each) for each in self.tickets.union(self.simulator.tickets())}
        self._secrets |= {
            each for each in tickets - self._secrets if len(each[1]) >= SHORTEST and each[1] not in public
        }
        return self._secrets

    @contextlib.contextmanager
    def _captured(self) -> Iterator[None]:
        for handler in logging.getLogger(self._service).handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(self.output)
        with contextlib.redirect_stdout(self.output), contextlib.redirect_stderr(self.output):
            yield


def _pieces(kind: str, secret: str) -> Iterator[str]:
    """Every 12 characters in a row of a secret; of a ticket in every encoding: WeChat Pay quotes those."""
    if kind == "Authorization":
        return  # but for its signature it is what anybody may know
    forms = set(encodings(secret)) if kind == "finish_ticket" else {secret}
    for form in (each.lower() for each in forms):
        yield from (form[at : at + PIECE] for at in range(len(form) - PIECE + 1))


def encodings(secret: str) -> Iterator[str]:
    """A text as itself, percent-encoded, escaped for JSON, in base64 and in hexadecimal."""
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    if len(secret) < PIECE:
        return
    yield json.dumps(secret)[1:-1]
    yield quote(raw, safe="")
    yield "".join(f"%{byte:02x}" for byte in raw)
    yield "".join(f"\\u{ord(char):04x}" for char in secret)
    yield raw.hex()
    for shift, lead in enumerate((0, 2, 3)):
        text = base64.b64encode(b"-" * shift + raw).decode().rstrip("=")
        yield text[lead:-1]
        yield text[lead:-1].replace("+", "-").replace("/", "_")


def fresh_module(package: str, name: str) -> ModuleType:
    """Load a module of a function once more, with settings and clients of its own."""
    module = lambda_environment.load(package, name)
    gc.unfreeze()  # a function keeps all it has at its start for good, tests do not
    return module


@contextlib.contextmanager
def in_environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables for a while; afterwards all are as they were."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _chain(exc: BaseException | None) -> Iterator[str]:
    """The text of every exception behind this one, shown or suppressed."""
    while exc is not None:
        yield f"{exc!r} {exc} {exc.args}"
        exc = exc.__cause__ or exc.__context__
