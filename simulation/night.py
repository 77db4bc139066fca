"""`make simulate-night ORDERS=1000000 SEED=1`: runs of consecutive seeds in all processors, until one fails.

What is done stands in `.local/simulation/`: started again, it goes on. The first failure ends it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from simulation import report
from simulation.run import simulate
from simulation.tally import Tally

ROOT = Path(__file__).parents[1]
ORDERS_OF_A_SEED = 500
FOLDER = ROOT / ".local/simulation"


@dataclass(frozen=True)
class Night:
    """Seeds from the first on, each with so many orders, and the folder for what is done."""

    first: int
    seeds: int
    orders: int = ORDERS_OF_A_SEED
    folder: Path = FOLDER
    commit: str = ""

    @property
    def path(self) -> Path:
        """The file of what is done."""
        return self.folder / f"from-{self.first}-by-{self.orders}.jsonl"

    def done(self) -> dict[int, dict[str, Any]]:
        """Return what is done, by seed; a line that was cut off does not count."""
        done = {}
        for line in self.path.read_text().splitlines() if self.path.exists() else ():
            try:
                each = json.loads(line)
            except ValueError:
                continue
            if each["commit"] == self.commit:  # other code would have gone another way
                done[each["seed"]] = each
        return done

    def run(self, processes: int) -> Iterator[dict[str, Any]]:
        """Run the seeds that are left, and yield each that is done; the first that fails is the last."""
        self.folder.mkdir(parents=True, exist_ok=True)
        left = sorted(set(range(self.first, self.first + self.seeds)) - self.done().keys())
        pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
        try:
            with self.path.open("a") as file:
                print(file=file)  # the last line may have been cut off
                under_way = [pool.submit(_of_seed, each, self.orders, self.commit) for each in left]
                for future in as_completed(under_way):
                    result = future.result()
                    if not result["failed"]:
                        print(json.dumps(result), file=file, flush=True)
                    yield result
                    if result["failed"]:
                        return
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _of_seed(seed: int, orders: int, commit: str) -> dict[str, Any]:
    began = time.monotonic()
    run = simulate(orders, seed)
    return {
        "seed": seed,
        "commit": commit,
        "processor_seconds": round(run.seconds, 1),
        "seconds": round(time.monotonic() - began, 1),
        "sha256": run.sha256,
        "failed": str(run.failed) if run.failed else "",
        "tally": vars(run.tally),
    }


def commit_of(root: Path) -> str:
    """Return what the code is: a commit, marked when something is not committed; empty outside of git."""
    described = subprocess.run(
        ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"],
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a night. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m simulation.night")
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    night = Night(asked.seed, -(-asked.orders // ORDERS_OF_A_SEED), commit=commit_of(ROOT))
    processes = os.cpu_count() or 1
    console, failed = Console(stderr=True), ""
    columns = (BarColumn(), TextColumn("{task.completed}/{task.total} orders"))
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, *times, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=night.seeds * night.orders, completed=len(night.done()) * night.orders)
        for each in night.run(processes):
            failed = each["failed"]
            bar.advance(task, night.orders)
    done = night.done().values()
    tally = Tally()
    for each in done:
        tally.add(each["tally"])
    cpu = sum(each["processor_seconds"] for each in done)
    for line in (*report.figures(tally, cpu), *report.zeros(tally)):
        print(line)
    print(f"{'commit, seeds':<36}{night.commit}, {len(done)} from {night.first} on")
    in_a_night = 8 * 3600 * processes * tally.orders / max(cpu, 1)
    print(f"{f'in 8 hours on {processes} processors':<36}{in_a_night:.0f} orders")
    print(f"FAILED {failed}" if failed else f"all of {len(done)} seeds went well")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
