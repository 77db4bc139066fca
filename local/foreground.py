"""A command in the foreground: what interrupts or stops it is said in a line, and is its exit status."""

import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from rich.console import Console

from operations.errors import CommandError


def end_on_signals() -> None:
    """Let SIGTERM end this process as Ctrl-C does: what was started is stopped on the way out."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)


def status_of(work: Callable[[], int], console: Console) -> int:
    """Do the work and return its exit status, or that of what kept it from ending."""
    try:
        return work()
    except KeyboardInterrupt:
        console.print("Interrupted: everything that was started is stopped.")
        return 130
    except CommandError as exc:
        console.print(str(exc), markup=False)
        return 1


def run(work: Callable[[], int]) -> NoReturn:
    """Do the work and exit with its status; what stops it is one sentence on standard error, and status 1."""
    try:
        sys.exit(work())
    except CommandError as exc:
        sys.exit(str(exc))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
