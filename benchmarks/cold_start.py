"""Part 2: from the start of a process to the first settled order, and what importing costs."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import import_times
from benchmarks.measured import Goal, Part, say, table
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
        return statistics.median(self.done[name])

    def first_order(self, name: str) -> float:
        """Median from imported to settled."""
        pairs = zip(self.imported[name], self.done[name], strict=True)
        return statistics.median(done - imported for imported, done in pairs)


def measure(runs: int = RUNS) -> ColdStart:
    """Start every kind of process so many times, in turns."""
    starts = ColdStart()
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
                times = _start(command, variables)
                if run:  # the first run fills the machine's file cache
                    # CLOCK_MONOTONIC is the same clock in both processes.
                    starts.imported.setdefault(name, []).append((times["imported"] - started) * 1000)
                    starts.done.setdefault(name, []).append((times["done"] - started) * 1000)
                    for part, milliseconds in times.get("at_init", {}).items():
                        starts.at_init.setdefault(part, []).append(milliseconds)
        starts.modules = import_times.measure(environment)
    say(f"cold start {starts.total(HANDLER):.0f} ms, unavoidable {starts.total(TOGETHER):.0f} ms")
    return starts


def report(starts: ColdStart) -> Part:
    """Put the figures into tables, and hold the cold start against its goal."""
    goal = Goal(
        "cold start to first result / unavoidable imports",
        1.1,
        starts.total(HANDLER) / starts.total(TOGETHER),
    )
    introduction = _INTRODUCTION.format(runs=len(starts.done[HANDLER]))
    parts = (_costs(starts), _split(starts), _choices(starts), import_times.report(starts.modules))
    texts = (introduction, *parts, _WHY)
    return Part("Cold start", "\n\n".join(texts), (goal,))


def _costs(starts: ColdStart) -> str:
    bare = starts.total(BARE)
    alone = {name: starts.total(name) - bare for name in UNAVOIDABLE}
    rows = [
        *((name, f"{milliseconds:.0f}", "") for name, milliseconds in alone.items()),
        ("unavoidable imports, each alone, summed up", f"{sum(alone.values()):.0f}", ""),
        *(
            (name, f"{starts.total(name) - bare:.0f}", f"{starts.total(name):.0f}")
            for name in (TOGETHER, HANDLER)
        ),
    ]
    return table(("median of a new process", "ms beyond the interpreter", "ms from process start"), rows)


def _split(starts: ColdStart) -> str:
    whole, first = starts.total(HANDLER), starts.first_order(HANDLER)
    besides = {name: statistics.median(times) for name, times in starts.at_init.items()}
    rows = [
        ("init: importing", whole - first - sum(besides.values())),
        *((f"init: {name}", milliseconds) for name, milliseconds in besides.items()),
        ("first order: read the secret, connect, sign, send, verify", first),
    ]
    return table(("the function's", "ms"), [(name, f"{milliseconds:.0f}") for name, milliseconds in rows])


def _choices(starts: ColdStart) -> str:
    names = UNDONE | {NO_BYTECODE: NO_BYTECODE}
    rows = [
        (shown, f"{starts.total(name):.0f}", f"{starts.total(name) - starts.total(HANDLER):+.0f}")
        for name, shown in names.items()
    ]
    return f"{_UNDONE}\n\n{table(('the function, but', 'ms from process start', 'difference'), rows)}"


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


_INTRODUCTION = """\
From starting a process to its first result, {runs} runs of each kind in turns, medians. *Unavoidable* is
the sum of the imports such a function cannot do without (`requests`, `cryptography`, `boto3` with one
client, Powertools Logger and Metrics). The goal is held against them in one process of the same interpreter
and paths, where what two of them share counts once. The function reads its secret from a Secrets Manager on
loopback through its own client, and settles an order over TLS."""
_UNDONE = "What each choice is worth, measured by undoing it:"
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
