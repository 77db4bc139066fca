"""A command in the foreground that starts a stack: interrupted, or unable to begin, it says so in a line."""

import signal
from collections.abc import Callable

from rich.console import Console

from local.aws import EmbeddedAwsError
from local.stack import StackError


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
    except (EmbeddedAwsError, StackError) as exc:
        console.print(str(exc), markup=False)
        return 1


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
