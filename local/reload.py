"""`make reload`: what has changed in the sources, on the running stack, with the parameters it was given."""

import time

from local import foreground, running
from local.stack import deploy


def main() -> int:
    """Deploy the build onto the running stack. Returns the exit status."""
    started = time.monotonic()
    environment = running.read_environment()
    deploy(environment, {}, environment["STACK_NAME"])
    print(f"Deployed in {time.monotonic() - started:.0f} s; the next invocation runs it.")
    return 0


if __name__ == "__main__":
    foreground.run(main)
