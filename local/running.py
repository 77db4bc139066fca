"""What `make up`, `make down` and `make settle` know of the stack that is kept running.

The supervisor (`local.supervisor`) holds a lock for as long as it lives and has written its process id into
it, so that nobody mistakes another process for it.
"""

import fcntl
import os
import shlex
from pathlib import Path

from operations.errors import CommandError
from tools.sam import ROOT

LOCAL = Path(os.environ.get("LOCAL_STATE", ROOT / ".local"))  # elsewhere in tests
STATE = LOCAL / "up"
ENVIRONMENT = LOCAL / "env"
_LOCK = STATE / "supervisor.pid"


def hold() -> bool:
    """Take the lock for the rest of this process's life. False when another supervisor has it."""
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


def supervisor() -> int | None:
    """Process id of the supervisor that is alive now, if one is."""
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


# What would win over the variables below, or send calls to loopback through a proxy. For dash, bash and zsh.
_HEAD = """\
unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_CREDENTIAL_EXPIRATION
unset AWS_IGNORE_CONFIGURED_ENDPOINT_URLS AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT
for name in $(env | sed -n 's/^\\(AWS_ENDPOINT_URL_[A-Z0-9_]*\\)=.*/\\1/p'); do unset "$name"; done
NO_PROXY=127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}
no_proxy=$NO_PROXY
export NO_PROXY no_proxy
"""


def write_environment(variables: dict[str, str]) -> None:
    """Write `.local/env`, which a shell can source."""
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    partial = ENVIRONMENT.with_suffix(".partial")
    partial.write_text(_HEAD + "".join(lines), encoding="utf-8")
    partial.replace(ENVIRONMENT)


def read_environment() -> dict[str, str]:
    """Return the variables of `.local/env`; raises `CommandError` when nothing is running."""
    if supervisor() is None or not ENVIRONMENT.exists():
        raise CommandError("no local stack is running: start it with `make up`")
    lines = ENVIRONMENT.read_text(encoding="utf-8").splitlines()
    exported = [shlex.split(line)[1] for line in lines if line.startswith("export ") and "=" in line]
    return dict(each.split("=", 1) for each in exported)
