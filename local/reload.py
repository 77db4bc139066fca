"""`make reload`: what has changed in the sources, on the running stack, with the parameters it was given."""

import sys
import time

from local import running
from local.stack import StackError, deploy


def main() -> int:
    """Deploy the build onto the running stack. Returns the exit status."""
    started = time.monotonic()
    try:
        environment = running.read_environment()
        deploy(environment, {}, environment["STACK_NAME"])
    except (running.NotRunningError, StackError) as exc:
        print(exc, file=sys.stderr)
        return 1
    print(f"Deployed in {time.monotonic() - started:.0f} s; the next invocation runs it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
