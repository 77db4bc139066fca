"""`make build`: `sam build` of what ships, when any of its inputs has changed."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INPUTS = ("template.yaml", "functions", "layers", "statemachine", ".python-version")
BUILD = ROOT / ".aws-sam" / "build"
TEMPLATE = BUILD / "template.yaml"
_STAMP = ROOT / ".aws-sam" / "inputs.sha256"


def main() -> int:
    """Build unless the last build is of the same files. Returns the exit status of `sam build`."""
    inputs = digest()
    if TEMPLATE.exists() and _STAMP.exists() and _STAMP.read_text() == inputs:
        return 0
    _STAMP.unlink(missing_ok=True)
    print("Building the function and its layers (sam build)", flush=True)
    started = time.monotonic()
    build = subprocess.run(
        [ROOT / ".venv/bin/sam", "build", "--template-file", "template.yaml"],
        cwd=ROOT,
        env=sam_environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if build.returncode:
        print(build.stdout, file=sys.stderr)
        return build.returncode
    _STAMP.write_text(inputs)
    print(f"Built in {time.monotonic() - started:.0f} s", flush=True)
    return 0


def digest() -> str:
    """SHA-256 over the names, modes and bytes of everything that is built."""
    total = hashlib.sha256()
    for path in _files():
        total.update(f"{path.relative_to(ROOT)} {path.stat().st_mode:o} {path.stat().st_size}\n".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def sam_environment() -> dict[str, str]:
    """The environment for the SAM CLI: quick to poll, no telemetry, no make of ours around its own make."""
    environment = {name: value for name, value in os.environ.items() if name not in _MAKE}
    path = f"{ROOT / '.venv/bin'}{os.pathsep}{environment.get('PATH', '')}"
    return {**environment, "PATH": path, "SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.2"}


_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")


def _files() -> Iterator[Path]:
    for name in INPUTS:
        top = ROOT / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


if __name__ == "__main__":
    sys.exit(main())
