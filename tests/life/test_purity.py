"""The model does no I/O and imports nothing of the project: whoever has the facts can use it."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "life"
DOES_IO = {"os", "io", "pathlib", "socket", "subprocess", "time", "urllib", "http", "random"}


def test_the_model_imports_only_itself_and_what_does_no_io() -> None:
    for source in ROOT.glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for top in (name.split(".")[0] for name in names):
                assert top == "life" or top in sys.stdlib_module_names - DOES_IO, f"{source.name}: {top}"
