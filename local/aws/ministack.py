"""What every wrap of MiniStack needs: the names it replaces, or an error that stops the start."""

from types import ModuleType
from typing import Any


class PatchError(RuntimeError):
    """This MiniStack is not the one the wraps were written for."""


def named(module: ModuleType, name: str) -> Any:
    """Return what a module of MiniStack calls by this name. Raises `PatchError` when it has no such name."""
    if not hasattr(module, name):
        raise PatchError(f"MiniStack no longer has {module.__name__}.{name}, which the embedded AWS wraps")
    return getattr(module, name)
