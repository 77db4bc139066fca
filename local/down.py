"""`make down`: stop the stack of `make up` and remove what it left."""

import contextlib
import os
import shutil
import signal
import sys
import time

from local import running

PATIENCE_SECONDS = 15


def main() -> int:
    """End the supervisor, which ends everything it started. Returns the exit status."""
    supervisor = running.supervisor()
    if supervisor is not None:
        _end(supervisor)
    running.ENVIRONMENT.unlink(missing_ok=True)
    shutil.rmtree(running.STATE, ignore_errors=True)
    print("Nothing was running." if supervisor is None else "Stopped.")
    return 0


def _end(supervisor: int) -> None:
    os.kill(supervisor, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while running.supervisor() == supervisor:
        if time.monotonic() > deadline:
            # What it started ends by itself when it is gone.
            with contextlib.suppress(ProcessLookupError):
                os.kill(supervisor, signal.SIGKILL)
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
