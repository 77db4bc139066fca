"""The checks that other people's tools make, run with the versions in uv.lock."""

import os
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
# One region where everything exists, and both of mainland China, where not everything does.
REGIONS = ("us-east-1", "cn-north-1", "cn-northwest-1")
SEARCH = ("layers/wechatpay", "functions", "simulator")  # where packages stand, beside the root


def lint(root: Path) -> list[str]:
    """Ruff's rules."""
    return _problems(root, "ruff", "check", "--quiet", "--output-format=concise", ".")


def format_(root: Path) -> list[str]:
    """Ruff's formatting."""
    return _problems(root, "ruff", "format", "--check", "--quiet", "--diff", ".")


def types(root: Path) -> list[str]:
    """mypy --strict on what ships and on the rooms around it."""
    return _problems(root, "mypy", "--no-error-summary")


def arrows(root: Path) -> list[str]:
    """import-linter: which package and which module may import what."""
    return _problems(root, "lint-imports", "--no-cache", "--no-logo")


def template(root: Path) -> list[str]:
    """cfn-lint, for every region we must deploy to."""
    templates = ["template.yaml", *(str(p.relative_to(root)) for p in root.glob("examples/*/template.yaml"))]
    return _problems(root, "cfn-lint", "--regions", *REGIONS, "--template", *templates)


def _problems(root: Path, tool: str, *arguments: str) -> list[str]:
    search = os.pathsep.join(str(root / place) for place in SEARCH)
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONPATH": search}
    done = subprocess.run(
        [BIN / tool, *arguments],
        cwd=root,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode == 0:
        return []
    return [done.stdout.strip() or f"{tool} ended with exit status {done.returncode}"]
