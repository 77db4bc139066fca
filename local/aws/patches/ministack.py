"""What every patch of MiniStack needs: the names it replaces, or an error that stops the start."""

from types import ModuleType
from typing import Any


class PatchError(RuntimeError):
    """This MiniStack is not the one the patches were written for."""


def named(module: ModuleType, name: str) -> Any:
    """Return what a module of MiniStack calls by this name. Raises `PatchError` when it has no such name."""
    if not hasattr(module, name):
        raise PatchError(f"MiniStack no longer has {module.__name__}.{name}, which the embedded AWS replaces")
    return getattr(module, name)


def replace_in_worker(lambda_runtime: ModuleType, old: str, new: str) -> None:
    """Replace lines of the script that runs a function in its process. Raises `PatchError` without them."""
    script: str = named(lambda_runtime, "_PYTHON_WORKER_SCRIPT")
    if script.count(old) != 1:
        raise PatchError(f"MiniStack's Python worker no longer has: {old.strip().splitlines()[0]}")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(old, new)  # type: ignore[attr-defined]
