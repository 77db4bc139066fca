"""Runs the SAM CLI of the locked environment, which neither reads nor leaves anything elsewhere."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Without them the SAM CLI's own make does not take itself for a part of ours.
_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")


def sam(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `sam` in the project's directory. `environment` replaces all there is of the user's own AWS.

    What it prints, on both streams, is in `stdout`.
    """
    # It leaves directories behind in the one for temporary files.
    with tempfile.TemporaryDirectory(prefix="sam-") as private:
        return subprocess.run(
            [ROOT / ".venv/bin/sam", *arguments],
            cwd=ROOT,
            env={**_machine(), "TMPDIR": private, **environment},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )


def _machine() -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if name not in _MAKE and not name.startswith("AWS_")
    }
    return {
        **inherited,
        "PATH": f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",
    }
