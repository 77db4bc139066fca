"""Runs the benchmarks and writes docs/benchmarks.md: `python -m benchmarks`, or `make bench`."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import cold_start, size, throughput, warm_call, whole_path, workflow_cost
from benchmarks.measured import Part, table
from local.stack import deployed
from tools.sam import ROOT

REPORT = ROOT / "docs" / "benchmarks.md"
CALLS = 300
_MODEL = "model name"


def main() -> int:
    """Run all parts. Returns 0 also when a goal is missed: the report says so."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS, help="warm calls by each side at each distance")
    parser.add_argument("--runs", type=int, default=cold_start.RUNS, help="cold starts of each kind")
    parser.add_argument("--orders", type=int, default=throughput.ORDERS, help="orders, for memory")
    parser.add_argument("--path-orders", type=int, default=whole_path.ORDERS, help="orders on the bus")
    parser.add_argument("--write", type=Path, default=REPORT, help="where to write the report")
    arguments = parser.parse_args()
    started = time.monotonic()
    parts = _run(arguments)
    report = render(parts, _command(), time.monotonic() - started)
    arguments.write.write_text(report, encoding="utf-8")
    print(report)
    print(f"Written to {arguments.write}")
    return 0


def _run(arguments: argparse.Namespace) -> list[Part]:
    parts = [
        warm_call.report(warm_call.measure(arguments.calls)),
        cold_start.report(cold_start.measure(arguments.runs)),
        size.report(size.measure()),
        throughput.report(throughput.measure(arguments.orders)),
    ]
    with deployed(wait_scale=workflow_cost.WAIT_SCALE) as (stack, simulator):
        parts.append(workflow_cost.report(workflow_cost.measure(stack, simulator)))
        parts.append(whole_path.report(whole_path.measure(stack, simulator, arguments.path_orders)))
    return parts


def render(parts: Sequence[Part], command: str, seconds: float) -> str:
    """Return the whole report."""
    goals = [goal.row() for part in parts for goal in part.goals]
    sections = [f"## {number}. {part.title}\n\n{part.text}" for number, part in enumerate(parts, 1)]
    return (
        "\n\n".join(
            (
                "# Benchmarks",
                f"Written by `{command}` on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, in "
                f"{seconds / 60:.0f} minutes. Nothing here is edited by hand. {_machine()}",
                "Absolute figures are this machine's; how the sides of one run compare carries over.",
                "## Goals",
                table(("goal", "at most", "found", ""), goals),
                *sections,
            )
        )
        + "\n"
    )


def _machine() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith(_MODEL)]
    model = models[0] if models else platform.processor()
    return f"{os.cpu_count()} cores, {model}, {platform.system()}, Python {platform.python_version()}."


def _command() -> str:
    """The command as a user gives it: `make bench`, with what was changed."""
    return " ".join(["make bench", *([f'ARGS="{" ".join(sys.argv[1:])}"'] if sys.argv[1:] else [])])


if __name__ == "__main__":
    sys.exit(main())
