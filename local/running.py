"""What `make up`, `make down` and `make settle` know of the stack that is kept running.

The keeper (`local.supervisor`) holds a lock for as long as it lives and has written its process id into
it, so that nobody mistakes another process for it.
"""

from __future__ import annotations

import fcntl
import os
import shlex
from pathlib import Path

from tools.sam import ROOT

LOCAL = Path(os.environ.get("LOCAL_STATE", ROOT / ".local"))  # elsewhere in tests
STATE = LOCAL / "up"
ENVIRONMENT = LOCAL / "env"
_LOCK = STATE / "keeper.pid"


class NotRunningError(RuntimeError):
    """There is no stack: `make up` starts it."""


def hold() -> bool:
    """Take the lock for the rest of this process's life. False when another keeper has it."""
    STATE.mkdir(parents=True, exist_ok=True)
    lock = os.open(_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    os.truncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    return True


def keeper() -> int | None:
    """Process id of the keeper that is alive now, if one is."""
    try:
        lock = os.open(_LOCK, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.read(lock, 20) or b"0") or None
    else:
        return None
    finally:
        os.close(lock)


def write_environment(variables: dict[str, str]) -> None:
    """Write `.local/env`, which a shell can source."""
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    partial = ENVIRONMENT.with_suffix(".partial")
    partial.write_text("".join(lines))
    partial.replace(ENVIRONMENT)


def read_environment() -> dict[str, str]:
    """Return the variables of `.local/env`; raises `NotRunningError` when nothing is running."""
    if keeper() is None or not ENVIRONMENT.exists():
        raise NotRunningError("no local stack is running: start it with `make up`")
    words = shlex.split(ENVIRONMENT.read_text())
    return dict(word.split("=", 1) for word in words if word != "export")
