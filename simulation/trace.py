"""What happened, line by line in virtual time, and its hash: the same for the same seed, on any machine."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable

# A ticket, a signature, a line of a key: no other text that is written is so long without a break.
_SECRET = re.compile(r"[A-Za-z0-9+/]{44,}")


class Trace:
    """Takes lines; keeps their hash, and the lines of one order when asked to.

    Attributes:
        order: whose lines are kept.
    """

    def __init__(self) -> None:
        self.order = ""
        self.lines: list[str] = []
        self._hash = hashlib.sha256()

    def add(self, now: float, order: str, step: str, *particulars: object) -> None:
        """Add a line: virtual time, order, step, verdict and amounts, nothing that is new in each run."""
        line = f"{now:.3f} {order} {step} {' '.join(str(each) for each in particulars)}".rstrip()
        self._hash.update(line.encode() + b"\n")
        if order and order == self.order:
            self.lines.append(line)

    @property
    def sha256(self) -> str:
        """The hash of every line so far."""
        return self._hash.hexdigest()


class Sink(io.TextIOBase):
    """Takes what functions write; looks for secrets in it and keeps nothing.

    Args:
        known: texts that must not come out, shorter than what shows by its length.

    Attributes:
        reader: gets every line, when there is somebody to read.
    """

    def __init__(self, known: tuple[str, ...]) -> None:
        self.known = known
        self.leaks: list[str] = []
        self.lines = 0
        self.reader: Callable[[str], None] | None = None

    def write(self, text: str) -> int:
        """Take text."""
        self.examine(text)
        if text.strip():
            self.lines += 1
            if self.reader is not None:
                self.reader(text)
        return len(text)

    def examine(self, text: str) -> None:
        """Look for secrets in a text from anywhere."""
        if _SECRET.search(text) or any(secret in text for secret in self.known):
            self.leaks.append(text)
