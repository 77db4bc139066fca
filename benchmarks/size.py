"""Part 3: what ships, unzipped, for each of Lambda's processors."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measured import Goal, Part, table
from benchmarks.rig import FUNCTION, LAYERS
from local.aws.embedded import FUNCTION_PYTHON
from tools.sam import ROOT

MEGABYTE = 1_000_000
PLATFORMS = ("x86_64", "arm64")
LARGEST = 6
RUNTIME_BRINGS = ("boto3", "botocore", "s3transfer")


@dataclass(frozen=True)
class Size:
    """Bytes that ship for one platform, by package, and how many of all are bytecode."""

    packages: dict[str, int]
    bytecode: int

    @property
    def total(self) -> int:
        """All bytes."""
        return sum(self.packages.values())


def of(directories: Iterable[Path]) -> Size:
    """Add up what is in these directories: the bytes of the files, as Lambda counts its limit."""
    packages: Counter[str] = Counter()
    bytecode = 0
    for directory in directories:
        for path in directory.rglob("*"):
            if path.is_file():
                size = path.stat().st_size
                packages[_package(path.relative_to(directory))] += size
                bytecode += size if path.suffix == ".pyc" else 0
    return Size(dict(packages), bytecode)


def measure(platforms: Sequence[str] = PLATFORMS) -> dict[str, Size]:
    """Build the dependencies for each platform, and add the layer and function that `sam build` built."""
    ours = (FUNCTION, LAYERS[1])
    sizes = {}
    for platform in platforms:
        with tempfile.TemporaryDirectory(prefix="bench-size-") as directory:
            target = Path(directory, "python")
            build = ROOT / "layers" / "dependencies" / "build.py"
            subprocess.run([sys.executable, build, f"--platform={platform}", target], check=True)
            sizes[platform] = of((target, *ours))
    return sizes


def of_the_runtime() -> int:
    """Bytes of boto3 and what it needs, which the Lambda runtime has already."""
    (site,) = FUNCTION_PYTHON.parents[1].glob("lib/python3.*/site-packages")
    return sum(of([site / name]).total for name in RUNTIME_BRINGS)


def report(sizes: dict[str, Size]) -> Part:
    """Put the sizes into a table, and hold them against the goal."""
    largest = Counter[str]()
    for size in sizes.values():
        largest |= Counter(size.packages)
    names = [name for name, _ in largest.most_common(LARGEST)]
    rows = [(name, *(_mb(size.packages.get(name, 0)) for size in sizes.values())) for name in names]
    others = (size.total - sum(size.packages.get(name, 0) for name in names) for size in sizes.values())
    rows.append(("all others, ours included", *map(_mb, others)))
    rows.append(("**all that ships**", *(_mb(size.total) for size in sizes.values())))
    rows.append(("of that, bytecode", *(_mb(size.bytecode) for size in sizes.values())))
    text = "\n\n".join(
        (
            "Function and layers, unzipped, in MB of 1,000,000 bytes:",
            table(("package", *sizes), rows),
            f"boto3 comes from the runtime: with botocore it would add {_mb(of_the_runtime())} MB, and the "
            "runtime's own copy is there in any case. Bytecode ships for what it saves at a cold start.",
        )
    )
    totals = {name: size.total / MEGABYTE for name, size in sizes.items()}
    goals = tuple(Goal(f"ships for {name}", 30.0, total, "MB") for name, total in totals.items())
    return Part("Size", text, goals)


def _package(path: Path) -> str:
    first = path.parts[0]
    if first == "__pycache__" or len(path.parts) == 1:
        return path.name.split(".")[0]
    return first.split("-")[0]


def _mb(size: int) -> str:
    return f"{size / MEGABYTE:.1f}"
