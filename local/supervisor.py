"""The background process of `make up`: starts the local stack, keeps it, and takes it down when told to end.

Its standard output goes to `make up` until the stack is ready; what it says there is for the user.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

from wechatpay_sandbox import Simulator

from local import pages, running
from local.aws import EmbeddedAws
from local.settings import Settings, read
from local.stack import STACK_NAME, deploy, deploy_for
from operations.errors import CommandError


def main() -> int:
    """Keep a stack until SIGTERM. Returns the exit status."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _interrupt(ended))
    if not running.hold():
        print("a local stack is running already: `make down` stops it")
        return 1
    try:
        with _stack(read(os.environ)) as aws:
            _let_go_of_the_terminal()
            ready.set()
            while not ended.wait(1):
                if not aws.alive:
                    return 1
    except KeyboardInterrupt:
        return 1
    except CommandError as exc:
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
def _stack(settings: Settings) -> Iterator[EmbeddedAws]:
    with contextlib.ExitStack() as resources:
        simulator = None if settings.hosts else resources.enter_context(Simulator())
        aws = EmbeddedAws(port=settings.port, wait_scale=settings.wait_scale, log=running.STATE / "aws.log")
        resources.enter_context(aws)
        print(f"AWS answers at {aws.endpoint}", flush=True)
        variables = {**aws.environment(), "STACK_NAME": STACK_NAME}
        print(f"Deploying template.yaml as {STACK_NAME} (sam deploy)", flush=True)
        if simulator is None:
            stack = deploy(aws.environment(), {"WeChatPayHosts": settings.hosts, **settings.parameters})
        else:
            stack = deploy_for(simulator, aws.environment(), **settings.parameters)
            variables["SIMULATOR_CONTROL"] = simulator.control_url
        if stack.notification_url:
            variables["PAYMENT_NOTIFICATION_URL"] = stack.notification_url
        variables["CONSOLE_URL"] = resources.enter_context(pages.console(variables))
        running.write_environment(variables)
        yield aws


def _let_go_of_the_terminal() -> None:
    sys.stdout.flush()
    log = os.open(running.STATE / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, sys.stdout.fileno())
    os.close(log)


if __name__ == "__main__":
    sys.exit(main())
