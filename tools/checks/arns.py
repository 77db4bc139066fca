"""No partition is written down in what ships: `arn:aws:` deploys to China and fails there at run time."""

import re
from pathlib import Path

SHIPPED = ("template.yaml", "statemachine", "functions", "layers")
_LITERAL = re.compile(r"arn:aws[a-z-]*:")


def check(root: Path) -> list[str]:
    """Each line that names a partition instead of `${AWS::Partition}`."""
    return [
        f"{path.relative_to(root)}:{number}: names a partition; take it from the stack"
        for path in _files(root)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if _LITERAL.search(line)
    ]


def _files(root: Path) -> list[Path]:
    tops = [root / name for name in SHIPPED if (root / name).exists()]
    found = [path for top in tops for path in ([top] if top.is_file() else top.rglob("*"))]
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)
