"""A program in a process of its own that answers lines of JSON with lines of JSON."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.sam import ROOT


class Process:
    """A started program; `ready` is the first line that it wrote."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self._popen = popen
        self.ready: Any = self._line()

    def ask(self, **asked: Any) -> Any:
        """Send one line and return the answer to it."""
        assert self._popen.stdin is not None
        self._popen.stdin.write(json.dumps(asked) + "\n")
        self._popen.stdin.flush()
        return self._line()

    def _line(self) -> Any:
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        if not line:
            raise RuntimeError(f"ended without an answer: {self._popen.args!r}")
        return json.loads(line)


@contextlib.contextmanager
def running(command: list[str | Path], environment: dict[str, str] | None = None) -> Iterator[Process]:
    """Start a program that writes one line of JSON when it is ready, and wait for that; end it on leaving."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches us alone, and we end it
    ) as popen:
        try:
            yield Process(popen)
        finally:
            popen.terminate()
