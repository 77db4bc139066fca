"""`make simulate-night ORDERS=1000000 SEED=1`: runs of consecutive seeds in all processors, until one fails.

What is done stands in `.local/simulation/`: started again, it goes on. The first failure ends it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from simulation.run import simulate

ORDERS_OF_A_SEED = 2000
KEPT = Path(__file__).parents[1] / ".local/simulation"


@dataclass(frozen=True)
class Night:
    """Seeds from the first on, each with so many orders, and where what is done is kept."""

    first: int
    seeds: int
    orders: int = ORDERS_OF_A_SEED
    kept: Path = KEPT

    @property
    def path(self) -> Path:
        """The file of what is done."""
        return self.kept / f"from-{self.first}-by-{self.orders}.jsonl"

    def done(self) -> dict[int, dict[str, Any]]:
        """Return what is done, by seed; a line that was cut off does not count."""
        found = {}
        for line in self.path.read_text().splitlines() if self.path.exists() else ():
            try:
                each = json.loads(line)
            except ValueError:
                continue
            found[each["seed"]] = each
        return found

    def run(self, processes: int) -> Iterator[dict[str, Any]]:
        """Run the seeds that are left, and yield each that is done; the first that fails is the last."""
        self.kept.mkdir(parents=True, exist_ok=True)
        left = iter(sorted(set(range(self.first, self.first + self.seeds)) - self.done().keys()))
        with (
            ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool,
            self.path.open("a") as file,
        ):
            under_way: set[Future[dict[str, Any]]] = set()
            while True:
                while len(under_way) < processes and (seed := next(left, None)) is not None:
                    under_way.add(pool.submit(_of_seed, seed, self.orders))
                if not under_way:
                    return
                ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                for each in ended:
                    result = each.result()
                    if not result["failed"]:
                        print(json.dumps(result), file=file, flush=True)
                    yield result
                    if result["failed"]:
                        pool.shutdown(wait=False, cancel_futures=True)
                        return


def _of_seed(seed: int, orders: int) -> dict[str, Any]:
    began = time.monotonic()
    run = simulate(orders, seed)
    return {
        "seed": seed,
        "orders": run.tally.orders,
        "calls": run.tally.calls.total(),
        "executions": run.tally.executions,
        "virtual_days": round(run.tally.virtual_days, 1),
        "families": run.tally.families,
        "faults": run.tally.faults.total(),
        "late": run.tally.late,
        "killed": run.tally.killed,
        "fen": run.tally.fen,
        "slowest": round(max(run.tally.slowest, 0)),
        "most_calls": run.tally.most_calls,
        "most_calls_since": run.tally.most_calls_since,
        "wrong": run.tally.wrong,
        "examined": run.tally.examined,
        "processor_seconds": round(run.seconds, 1),
        "seconds": round(time.monotonic() - began, 1),
        "sha256": run.sha256,
        "failed": str(run.failed) if run.failed else "",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a night. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m simulation.night")
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    night = Night(asked.seed, -(-asked.orders // ORDERS_OF_A_SEED))
    processes = os.cpu_count() or 1
    console, failed = Console(stderr=True), ""
    columns = (BarColumn(), TextColumn("{task.completed}/{task.total} orders"))
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, *times, console=console, disable=not console.is_terminal) as bar:
        before = sum(each["orders"] for each in night.done().values())
        task = bar.add_task("", total=night.seeds * night.orders, completed=before)
        for each in night.run(processes):
            failed = each["failed"]
            bar.advance(task, each["orders"])
    done = night.done().values()
    orders, cpu = sum(each["orders"] for each in done), sum(each["processor_seconds"] for each in done)
    print(f"orders                      {orders}, seeds {night.first} to {night.first + night.seeds - 1}")
    print(f"virtual days                {sum(each['virtual_days'] for each in done):.0f}")
    print(f"calls of WeChat Pay         {sum(each['calls'] for each in done)}")
    print(f"processor time an order     {1000 * cpu / max(orders, 1):.1f} ms")
    print(f"in 8 hours on {processes} processors  {8 * 3600 * processes * orders / max(cpu, 1):.0f} orders")
    print(f"FAILED {failed}" if failed else "wrong                       0")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
