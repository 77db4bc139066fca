"""Starts the console over the local stack, in a process of its own: a page never slows an order."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping

from wechatpay_sandbox import Simulator

from local.stack import Stack, StackError, deployed
from tools.sam import ROOT

_PATHS = (ROOT, ROOT / "layers/wechatpay", ROOT / "functions")


@contextlib.contextmanager
def console(variables: Mapping[str, str]) -> Iterator[str]:
    """Serve the pages of the stack that `variables` point at. Yields their address, with its token."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "console", "--with-parent"],
        cwd=ROOT,
        env={**others, **variables, "PYTHONPATH": os.pathsep.join(map(str, _PATHS))},
        text=True,
        # Never written to: the console ends itself when this end closes, however we die.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            raise StackError("the console did not start: what it wrote is above")
        yield url
    finally:
        process.terminate()
        process.communicate()


@contextlib.contextmanager
def console_over_stack(*, debit_after: float | None = 0) -> Iterator[tuple[str, Stack, Simulator]]:
    """Serve the pages of a stack started for it (see `deployed`); yields also their address, with its token.

    The environment of this process, for good, is that of the stack's AWS: `Target` finds it there.
    """
    with deployed(debit_after=debit_after) as (stack, simulator):
        variables = {
            **stack.environment,
            "STACK_NAME": stack.name,
            "SIMULATOR_CONTROL": simulator.control_url,
        }
        os.environ.pop("AWS_PROFILE", None)
        os.environ |= variables
        with console(variables) as url:
            yield url, stack, simulator
