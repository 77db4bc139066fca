"""What `make check` runs. A check takes a source tree and returns its problems; none is a pass."""

from collections.abc import Callable, Sequence
from pathlib import Path

Check = Callable[[Path], Sequence[str]]
