"""A real browser from a lock file, for the console's tests and pictures: nothing on the machine is used.

Chromium, what drives it (playwright-core) and a Chinese font are npm packages locked in this folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

from tools import node

HERE = Path(__file__).parent


class BrowserError(RuntimeError):
    """The browser could not do what it was told; the message is its own."""


class Browser:
    """One page of one browser, as a context manager. Every call waits until it is done.

    Selectors are Playwright's: CSS, and `text=...`.
    """

    def __enter__(self) -> Self:
        node.install(HERE)
        self._home = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [node.NODE, HERE / "driver.mjs"],
            env={**node.environment(), "BROWSER_HOME": self._home.name},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # one signal ends the browser's processes too
        )
        self._answer()
        return self

    def __exit__(self, *_exc: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        self._home.cleanup()

    def open(self, **options: Any) -> None:
        """Begin anew, as another visitor: `locale`, `colorScheme`, `viewport`, as Playwright names them."""
        self._do("open", options)

    def goto(self, url: str) -> int:
        """Go to an address; returns the status."""
        return int(self._do("goto", url))

    def click(self, selector: str) -> None:
        self._do("click", selector)

    def fill(self, selector: str, text: str) -> None:
        self._do("fill", selector, text)

    def select(self, selector: str, value: str) -> None:
        self._do("select", selector, value)

    def press(self, key: str) -> None:
        self._do("press", key)

    def wait(self, selector: str) -> None:
        """Wait until something that fits is seen."""
        self._do("wait", selector)

    def text(self, selector: str) -> str:
        return str(self._do("text", selector))

    def texts(self, selector: str) -> list[str]:
        return list(self._do("texts", selector))

    def attribute(self, selector: str, name: str) -> str | None:
        value: str | None = self._do("attribute", selector, name)
        return value

    def evaluate(self, script: str) -> Any:
        return self._do("evaluate", script)

    def url(self) -> str:
        return str(self._do("url"))

    def problems(self) -> list[str]:
        """Return the errors and dialogs of the page since this was last asked."""
        return list(self._do("problems"))

    def screenshot(self, path: Path) -> None:
        self._do("screenshot", str(path))

    def _do(self, *command: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._answer().get("answer")

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BrowserError("the browser has ended; what it wrote is above")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise BrowserError(answer["error"])
        return answer
