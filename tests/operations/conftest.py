"""The operator's commands as they are run: real files, an embedded AWS and a simulated WeChat Pay."""

import io
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from wechatpay_sandbox import Simulator
from wechatpay_sandbox.client import Client

from local.aws import EmbeddedAws
from local.merchant import write
from local.stack import Stack, deploy_for
from operations import __main__ as command_line
from operations.staging import StagedSecret
from tests.stack import misconfigured, number, settle, simulator

STACK_NAME = "operations"
__all__ = ["misconfigured", "number", "settle", "simulator"]


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(wait_scale=0) as running:
        yield running


@pytest.fixture(scope="session")
def stack(aws: EmbeddedAws, simulator: Simulator) -> Stack:
    """The project's stack; its merchant's secret is stored."""
    return deploy_for(simulator, aws.environment(), name=STACK_NAME)


@dataclass(frozen=True)
class Ran:
    """What a command came to: its exit status, and all it printed."""

    status: int
    text: str


type Command = Callable[..., Ran]


@pytest.fixture
def command(aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `python -m operations ...` in this process; `typed` is its redirected standard input."""
    for name, value in {**aws.environment(), "STACK_NAME": STACK_NAME}.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str, typed: str = "") -> Ran:
        monkeypatch.setattr(sys, "argv", ["operations", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed.encode()), encoding="utf-8"))
        with pytest.raises(SystemExit) as exited:
            command_line.main()
        captured = capsys.readouterr()
        return Ran(int(exited.value.code or 0), captured.out + captured.err)

    return run


class Merchant:
    """A merchant's files in a directory, and the command that stores them, under a prefix of this test."""

    def __init__(self, simulator: Simulator, command: Command, client: Any, directory: Path) -> None:
        self.simulator = simulator
        self.prefix = f"test/{uuid.uuid4().hex}/"
        self.directory = directory / self.prefix
        self.directory.mkdir(parents=True)
        self.stored = StagedSecret(client, f"{self.prefix}{simulator.secret()['mchid']}")
        self._command = command
        self.take_files()

    def take_files(self) -> None:
        """Take the files as they are now from WeChat Pay."""
        secret = write(Client(self.simulator.control_url), self.directory)
        self.api_v3_key: str = secret["api_v3_key"]
        self.public_key_id: str | None = secret.get("wechatpay_public_key_id")

    def expected(self) -> dict[str, Any]:
        """Return the whole secret as it must be stored now, with the last day of the certificate."""
        certificate = x509.load_pem_x509_certificate(self.simulator.merchant_certificate().encode())
        last_day = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
        return self.simulator.secret() | {"merchant_certificate_expires": last_day}

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.directory / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def store(self, *arguments: str, typed: str | None = None) -> Ran:
        """Run `make secret` with all of the merchant's files."""
        secret = self.simulator.secret()
        known = ["--appid", secret["appid"], "--service-id", secret["service_id"]]
        if self.public_key_id:
            known += ["--public-key-id", self.public_key_id]
        return self.change("--files", str(self.directory), *known, *arguments, typed=typed)

    def change(self, *arguments: str, typed: str | None = None) -> Ran:
        """Run `make secret` with these arguments alone."""
        where = ["--prefix", self.prefix, "--hosts", ",".join(self.simulator.hosts)]
        typed = f"{self.api_v3_key}\n" if typed is None else typed
        return self._command("secret", *where, *arguments, typed=typed)

    def stages(self) -> dict[str, Any]:
        """Which value each staging label is on: the service id tells versions apart."""
        labels = [
            label
            for version in (self.stored.describe() or {}).get("VersionIdsToStages", {}).values()
            for label in version
        ]
        return {label: (self.stored.value(VersionStage=label) or {}).get("service_id") for label in labels}


@pytest.fixture
def merchant(simulator: Simulator, command: Command, aws: EmbeddedAws, tmp_path: Path) -> Merchant:
    return Merchant(simulator, command, aws.client("secretsmanager"), tmp_path)


@pytest.fixture
def merchant_of(command: Command, aws: EmbeddedAws, tmp_path: Path) -> Iterator[Callable[..., Merchant]]:
    """Make a merchant with a WeChat Pay of its own, for tests that change its keys."""
    made: list[Simulator] = []

    def make(keys: Any = "public_key") -> Merchant:
        made.append(Simulator(keys=keys, debit_after=None).__enter__())
        return Merchant(made[-1], command, aws.client("secretsmanager"), tmp_path)

    yield make
    for each in made:
        each.__exit__(None, None, None)


def secrets_in(text: str, secret: dict[str, Any]) -> list[str]:
    """Names of the secret's fields of which a part stands in a text."""
    lines = [line for line in secret["merchant_private_key"].splitlines() if not line.startswith("---")]
    parts = {"merchant_private_key": lines, "api_v3_key": [secret["api_v3_key"]]}
    return [name for name, pieces in parts.items() if any(part in text for part in pieces)]
