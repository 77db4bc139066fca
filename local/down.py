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
    """End the keeper, which ends everything it started. Returns the exit status."""
    keeper = running.keeper()
    if keeper is not None:
        _end(keeper)
    running.ENVIRONMENT.unlink(missing_ok=True)
    shutil.rmtree(running.STATE, ignore_errors=True)
    print("Nothing was running." if keeper is None else "Stopped.")
    return 0


def _end(keeper: int) -> None:
    os.kill(keeper, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while running.keeper() == keeper:
        if time.monotonic() > deadline:
            # What it started ends by itself when it is gone.
            with contextlib.suppress(ProcessLookupError):
                os.kill(keeper, signal.SIGKILL)
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
