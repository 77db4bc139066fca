"""Runs MiniStack in this process: `python -m local.aws.server LISTENING_FD FUNCTION_PYTHON`.

Started by `EmbeddedAws` only, which hands over a listening socket, an environment and, as standard input,
a pipe that closes when it dies.
"""

import asyncio
import os
import shutil
import signal
import sys
import threading

from local.aws import patches


def main() -> None:
    """Serve until the starting process closes our standard input or kills us."""
    fd, function_python = sys.argv[1:]
    threading.Thread(target=_end_with_the_starter, daemon=True).start()
    # For the functions, whose unpacked code is read once; this process keeps its own.
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    try:
        app = patches.install(function_python)
    except patches.PatchError as exc:
        sys.exit(str(exc))

    # Both belong to MiniStack, which must be wrapped before anything of it is used.
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{fd}"]
    config.keep_alive_timeout = 75
    config.loglevel = os.environ["LOG_LEVEL"]
    asyncio.run(serve(app, config))


def _end_with_the_starter() -> None:
    os.read(sys.stdin.fileno(), 1)  # past sys.stdin, whose lock would be in the way of an exit
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
