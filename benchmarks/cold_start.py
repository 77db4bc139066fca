"""Part 2: from the start of a process to the first settled order, and what importing costs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measured import Goal, Part, Times, table
from benchmarks.rig import FUNCTION, LAYERS, Rig, function_command

RUNS = 15
UNAVOIDABLE = ("requests", "cryptography", "boto3", "powertools")
BARE, TOGETHER, HANDLER = "interpreter alone", "unavoidable imports, together", "the function"
NO_BYTECODE = "the function, without its bytecode"
_IMPORT_TIME = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
_OURS = frozenset(path.stem for path in FUNCTION.glob("*.py")) | {"wechatpay", "invocation"}
_LARGEST_PACKAGES = 14


@dataclass
class ColdStart:
    """Milliseconds from the start of a process, for each kind of process.

    Attributes:
        imported: until its imports and what runs at init are done.
        done: until the first order is settled.
        packages: import time by package, each one's own modules only.
    """

    imported: dict[str, list[float]] = field(default_factory=dict)
    done: dict[str, list[float]] = field(default_factory=dict)
    packages: dict[str, float] = field(default_factory=dict)

    def total(self, name: str) -> float:
        """Median until the first order is settled, or all is imported."""
        return Times.of(self.done[name]).median

    def first_order(self, name: str) -> float:
        """Median from imported to settled."""
        pairs = zip(self.imported[name], self.done[name], strict=True)
        return Times.of(done - imported for imported, done in pairs).median


def measure(runs: int = RUNS, say: Callable[[str], None] = lambda _said: None) -> ColdStart:
    """Start every kind of process so many times, in turns."""
    found = ColdStart()
    with Rig() as rig:
        wechatpay = rig.simulator()
        environment = rig.function_environment(wechatpay)
        bare = rig.function_environment(wechatpay, paths=_without_bytecode(rig.directory))
        imports = function_command("imports.py")
        commands = {
            BARE: (imports, environment),
            **{name: ([*imports, name], environment) for name in UNAVOIDABLE},
            TOGETHER: ([*imports, *UNAVOIDABLE], environment),
            HANDLER: (function_command("cold.py"), environment),
            NO_BYTECODE: (function_command("cold.py"), bare),
        }
        for run in range(runs + 1):
            for name, (command, variables) in commands.items():
                imported, done = _start(command, variables)
                if run:  # the first run fills the machine's file cache
                    found.imported.setdefault(name, []).append(imported)
                    found.done.setdefault(name, []).append(done)
        found.packages = _packages(environment)
    say(f"cold start {found.total(HANDLER):.0f} ms, unavoidable {found.total(TOGETHER):.0f} ms")
    return found


def report(found: ColdStart) -> Part:
    """Put the figures into tables, and hold the cold start against its goal."""
    bare = found.total(BARE)
    rows = [
        *((name, f"{found.total(name) - bare:.0f}", "") for name in UNAVOIDABLE),
        (TOGETHER, f"{found.total(TOGETHER) - bare:.0f}", f"{found.total(TOGETHER):.0f}"),
        *(
            (f"{name}, to its first order", f"{found.total(name) - bare:.0f}", f"{found.total(name):.0f}")
            for name in (HANDLER, NO_BYTECODE)
        ),
    ]
    costs = table(("median of a new process", "ms beyond the interpreter", "ms from process start"), rows)
    whole, first = found.total(HANDLER), found.first_order(HANDLER)
    split = (
        f"The function's {whole:.0f} ms are {whole - first:.0f} ms of init and {first:.0f} ms of its first "
        "order, in which it reads the secret, connects, signs and verifies."
    )
    largest = sorted(found.packages.items(), key=lambda item: -item[1])
    shown = [(name, f"{milliseconds:.1f}") for name, milliseconds in largest[:_LARGEST_PACKAGES]]
    shown.append(("all others", f"{sum(ms for _, ms in largest[_LARGEST_PACKAGES:]):.1f}"))
    packages = table(("package, its own modules", "import ms"), shown)
    runs = len(found.done[HANDLER])
    goal = Goal(
        "cold start to first result / unavoidable imports", 1.1, found.total(HANDLER) / found.total(TOGETHER)
    )
    text = "\n\n".join((_INTRODUCTION.format(runs=runs), costs, split, _PACKAGES, packages, _WHY))
    return Part("Cold start", text, (goal,))


def _start(command: Sequence[str | Path], environment: dict[str, str]) -> tuple[float, float]:
    started = time.monotonic()
    with subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
    # CLOCK_MONOTONIC is the same clock in both processes.
    return (said["imported"] - started) * 1000, (said["done"] - started) * 1000


def _without_bytecode(directory: Path) -> list[Path]:
    copies = []
    for number, path in enumerate((FUNCTION, *LAYERS)):
        copies.append(directory / f"source-{number}")
        shutil.copytree(path, copies[-1], ignore=shutil.ignore_patterns("__pycache__"))
    return copies


def _packages(environment: dict[str, str]) -> dict[str, float]:
    """Import time of each package, from `-X importtime`, in milliseconds."""
    python, program = function_command("cold.py")
    done = subprocess.run(
        [python, "-X", "importtime", program], env=environment, text=True, capture_output=True, check=True
    )
    found: Counter[str] = Counter()
    for microseconds, module in _IMPORT_TIME.findall(done.stderr):
        package = module.split(".")[0]
        known = package in _OURS or package in _THIRD_PARTY
        found["ours" if package in _OURS else package if known else "standard library"] += int(microseconds)
    return {name: microseconds / 1000 for name, microseconds in found.items()}


_THIRD_PARTY = frozenset(
    {
        *("requests", "urllib3", "certifi", "charset_normalizer", "idna", "cryptography", "cffi"),
        *("boto3", "botocore", "s3transfer", "dateutil", "jmespath", "six"),
        *("aws_lambda_powertools", "typing_extensions"),
    }
)
_INTRODUCTION = """\
From starting a process to its first result, {runs} runs of each kind in turns, medians. *Unavoidable* is
the sum of the imports such a function cannot do without (`requests`, `cryptography`, `boto3` with one
client, Powertools Logger and Metrics) in one process of the same interpreter and paths, where what two of
them share counts once. The function reads its secret from a Secrets Manager on loopback through its own
client, and settles an order over TLS."""
_PACKAGES = "Where importing goes (`-X importtime`, which slows all of it down a little):"
_WHY = """\
- **At init**, which Lambda runs with a full processor: all imports that a first order needs, the Secrets
  Manager client, and the certificate authorities, read once into one TLS context instead of again for every
  connection.
- **With the first order**, because it depends on the order: the merchant's secret, its keys, the
  connection.
- **Not at all** unless needed: `boto3` itself (`botocore` makes the same client without S3 transfers and
  resources), and X.509, which only merchants of platform certificates use.
- **Bytecode ships** with the layers and the function, because Lambda's file system is read-only: without it
  every cold start compiles every module again (the last row)."""
