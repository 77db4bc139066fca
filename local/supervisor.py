"""The background process of `make up`: starts the local stack, keeps it, and takes it down when told to end.

Its standard output goes to `make up` until the stack is ready; what it says there is for the user.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Mapping

from wechatpay_sandbox import Simulator

from local import running
from local.aws import EmbeddedAws, EmbeddedAwsError
from local.stack import STACK_NAME, Stack, StackError, deploy


class SettingError(ValueError):
    """A variable given to `make up` cannot be used."""


def main() -> int:
    """Keep a stack until SIGTERM. Returns the exit status."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _interrupt(ended))
    if not running.hold():
        print("a local stack is running already: `make down` stops it")
        return 1
    try:
        with _stack(os.environ) as (aws, _):
            _let_go_of_the_terminal()
            ready.set()
            while not ended.wait(1):
                if not aws.alive:
                    return 1
    except KeyboardInterrupt:
        return 1
    except (EmbeddedAwsError, StackError, SettingError) as exc:
        print(exc)
        return 1
    finally:
        running.ENVIRONMENT.unlink(missing_ok=True)
    return 0


ready = threading.Event()


def _interrupt(ended: threading.Event) -> None:
    ended.set()
    if not ready.is_set():
        raise KeyboardInterrupt


@contextlib.contextmanager
def _stack(settings: Mapping[str, str]) -> Iterator[tuple[EmbeddedAws, Stack]]:
    parameters = parse_parameters(settings.get("PARAMS", ""))
    hosts = settings.get("WECHATPAY_HOSTS", "")
    port, scale = _number(settings, "AWS_PORT", 4566, int), _number(settings, "WAIT_SCALE", 0.05, float)
    with contextlib.ExitStack() as resources:
        simulator = None if hosts else resources.enter_context(Simulator())
        aws = EmbeddedAws(port=port, wait_scale=scale, log=running.STATE / "aws.log")
        resources.enter_context(aws)
        print(f"AWS answers at {aws.endpoint}", flush=True)
        variables = {**aws.environment(), "STACK_NAME": STACK_NAME}
        print(f"Deploying template.yaml as {STACK_NAME} (sam deploy)", flush=True)
        if simulator is None:
            stack = deploy(aws.environment(), {"WeChatPayHosts": hosts, **parameters})
        else:
            secret = simulator.secret()
            own = {"WeChatPayHosts": ",".join(simulator.hosts), "DefaultMchid": secret["mchid"]}
            stack = deploy(aws.environment(), {**own, **parameters})
            stack.store_secret(secret)
            variables["SIMULATOR_CONTROL"] = simulator.control_url
        running.write_environment(variables)
        yield aws, stack


def parse_parameters(text: str) -> dict[str, str]:
    """Read `Key=Value Key="another value"`; raises `SettingError`."""
    try:
        words = shlex.split(text)
    except ValueError as exc:
        raise SettingError(f"PARAMS cannot be read: {exc}") from exc
    if wrong := [word for word in words if "=" not in word]:
        raise SettingError(f"PARAMS must be Key=Value pairs, not {wrong[0]!r}")
    found = dict(word.split("=", 1) for word in words)
    if not found:
        return {}
    from tools.template import source  # takes a second to import

    if unknown := found.keys() - source()["Parameters"].keys():
        raise SettingError(f"PARAMS: template.yaml has no parameter {min(unknown)}")
    return found


def _number[N: (int, float)](settings: Mapping[str, str], name: str, default: N, kind: type[N]) -> N:
    highest = {"AWS_PORT": 65535, "WAIT_SCALE": 1}[name]
    try:
        number = kind(settings.get(name) or default)
    except ValueError:
        number = kind(-1)
    if not 0 <= number <= highest:
        raise SettingError(f"{name} must be a number from 0 to {highest}, not {settings[name]!r}")
    return number


def _let_go_of_the_terminal() -> None:
    sys.stdout.flush()
    log = os.open(running.STATE / "keeper.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, sys.stdout.fileno())
    os.close(log)


if __name__ == "__main__":
    sys.exit(main())
