"""Part 2: from the start of a process to the first settled order, and what importing costs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measured import Goal, Part, Times, table
from benchmarks.rig import FUNCTION, LAYERS, Rig, function_command

RUNS = 15
UNAVOIDABLE = ("requests", "cryptography", "boto3", "powertools")
BARE, TOGETHER, HANDLER = "interpreter alone", "unavoidable imports, together", "the function"
TIMED, NO_BYTECODE = "timed", "no bytecode ships"
# What the function does otherwise, each undone: what `sides/cold.py` calls it, and what is then the case.
UNDONE = {
    "looking": "botocore looks for every service there is",
    "collecting": "the garbage collector runs during init",
    "importing_x509": "what reads platform certificates is imported",
}
_IMPORT_TIME = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
_OURS = frozenset(path.stem for path in FUNCTION.glob("*.py")) | {"wechatpay", "invocation"}
_HANDLER_MODULE, _INIT = "app", "what runs at init"
_LARGEST_PACKAGES = 14


@dataclass
class ColdStart:
    """Milliseconds from the start of a process, for each kind of process.

    Attributes:
        imported: until its imports and what runs at init are done.
        done: until the first order is settled.
        at_init: what init spends on what it does besides importing.
        modules: import time of each module the function imports, without what that imports in turn.
    """

    imported: dict[str, list[float]] = field(default_factory=dict)
    done: dict[str, list[float]] = field(default_factory=dict)
    at_init: dict[str, list[float]] = field(default_factory=dict)
    modules: dict[str, float] = field(default_factory=dict)

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
        imports, cold = function_command("imports.py"), function_command("cold.py")
        commands = {
            BARE: (imports, environment),
            **{name: ([*imports, name], environment) for name in UNAVOIDABLE},
            TOGETHER: ([*imports, *UNAVOIDABLE], environment),
            HANDLER: (cold, environment),
            **{name: ([*cold, name], environment) for name in (*UNDONE, TIMED)},
            NO_BYTECODE: (cold, bare),
        }
        for run in range(runs + 1):
            for name, (command, variables) in commands.items():
                started = time.monotonic()
                said = _start(command, variables)
                if run:  # the first run fills the machine's file cache
                    # CLOCK_MONOTONIC is the same clock in both processes.
                    found.imported.setdefault(name, []).append((said["imported"] - started) * 1000)
                    found.done.setdefault(name, []).append((said["done"] - started) * 1000)
                    for part, milliseconds in said.get("at_init", {}).items():
                        found.at_init.setdefault(part, []).append(milliseconds)
        found.modules = _import_times(environment)
    say(f"cold start {found.total(HANDLER):.0f} ms, unavoidable {found.total(TOGETHER):.0f} ms")
    return found


def report(found: ColdStart) -> Part:
    """Put the figures into tables, and hold the cold start against its goal."""
    goal = Goal(
        "cold start to first result / unavoidable imports", 1.1, found.total(HANDLER) / found.total(TOGETHER)
    )
    introduction = _INTRODUCTION.format(runs=len(found.done[HANDLER]))
    parts = (_costs, _split, _choices, _imports)
    texts = (introduction, *(part(found) for part in parts), _WHY)
    return Part("Cold start", "\n\n".join(texts), (goal,))


def _costs(found: ColdStart) -> str:
    bare = found.total(BARE)
    alone = {name: found.total(name) - bare for name in UNAVOIDABLE}
    rows = [
        *((name, f"{milliseconds:.0f}", "") for name, milliseconds in alone.items()),
        ("unavoidable imports, each alone, summed up", f"{sum(alone.values()):.0f}", ""),
        *(
            (name, f"{found.total(name) - bare:.0f}", f"{found.total(name):.0f}")
            for name in (TOGETHER, HANDLER)
        ),
    ]
    return table(("median of a new process", "ms beyond the interpreter", "ms from process start"), rows)


def _split(found: ColdStart) -> str:
    whole, first = found.total(HANDLER), found.first_order(HANDLER)
    besides = {name: Times.of(times).median for name, times in found.at_init.items()}
    rows = [
        ("init: importing", whole - first - sum(besides.values())),
        *((f"init: {name}", milliseconds) for name, milliseconds in besides.items()),
        ("first order: read the secret, connect, sign, send, verify", first),
    ]
    return table(("the function's", "ms"), [(name, f"{milliseconds:.0f}") for name, milliseconds in rows])


def _choices(found: ColdStart) -> str:
    names = UNDONE | {NO_BYTECODE: NO_BYTECODE}
    rows = [
        (shown, f"{found.total(name):.0f}", f"{found.total(name) - found.total(HANDLER):+.0f}")
        for name, shown in names.items()
    ]
    return f"{_UNDONE}\n\n{table(('the function, but', 'ms from process start', 'difference'), rows)}"


def _imports(found: ColdStart) -> str:
    packages: dict[str, float] = {}
    for module, milliseconds in found.modules.items():
        packages[_package(module)] = packages.get(_package(module), 0.0) + milliseconds
    largest = sorted(packages.items(), key=lambda item: -item[1])
    shown = [(name, f"{milliseconds:.1f}") for name, milliseconds in largest[:_LARGEST_PACKAGES]]
    shown.append(("all others", f"{sum(ms for _, ms in largest[_LARGEST_PACKAGES:]):.1f}"))
    return f"{_PACKAGES}\n\n{table(('package, its own modules', 'import ms'), shown)}"


def _start(command: Sequence[str | Path], environment: dict[str, str]) -> Any:
    with subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        return json.loads(process.stdout.readline())


def _without_bytecode(directory: Path) -> list[Path]:
    copies = []
    for number, path in enumerate((FUNCTION, *LAYERS)):
        copies.append(directory / f"source-{number}")
        shutil.copytree(path, copies[-1], ignore=shutil.ignore_patterns("__pycache__"))
    return copies


def _import_times(environment: dict[str, str]) -> dict[str, float]:
    """Import time of each module, from `-X importtime`, in milliseconds."""
    python, program = function_command("cold.py")
    done = subprocess.run(
        [python, "-X", "importtime", program], env=environment, text=True, capture_output=True, check=True
    )
    return {module: int(microseconds) / 1000 for microseconds, module in _IMPORT_TIME.findall(done.stderr)}


def _package(module: str) -> str:
    """Name what a module counts for. The handler's own time is nearly all what it does when imported."""
    package = module.split(".")[0]
    if module == _HANDLER_MODULE:
        return _INIT
    if package in _OURS:
        return "ours"
    return package if package in _THIRD_PARTY else "standard library"


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
client, Powertools Logger and Metrics). The goal is held against them in one process of the same interpreter
and paths, where what two of them share counts once. The function reads its secret from a Secrets Manager on
loopback through its own client, and settles an order over TLS."""
_UNDONE = "What each choice is worth, measured by undoing it:"
_PACKAGES = "Where importing goes (`-X importtime`, which slows all of it down a little):"
_WHY = """\
- **At init**, which Lambda runs with a full processor: all imports that a first order needs, the Secrets
  Manager client, and the certificate authorities, read once into one TLS context instead of again for every
  connection.
- **With the first order**, because it depends on the order: the merchant's secret, its keys, the
  connection.
- **Not at all** unless needed: what reads platform certificates (X.509, AES-GCM), which only merchants who
  have them use.
- **Not looked for**: botocore goes through the directories of all services, twice, to learn that Secrets
  Manager is one; `layers/wechatpay/wechatpay/aws.py` tells it.
- **Without the garbage collector**: importing makes hundreds of thousands of objects that stay, and it would
  look at them again and again; `layers/wechatpay/invocation/startup.py` starts it once init is done.
- **With bytecode**, in the layers and the function, because Lambda's file system is read-only: without it
  every cold start compiles every module again."""
