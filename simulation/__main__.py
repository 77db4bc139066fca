"""`make simulate ORDERS=10000 SEED=1 [TRACE=<out_order_no>]`: exits 1 when something is wrong."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.progress import Progress

from simulation import report
from simulation.run import simulate

ORDERS = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m simulation", description="orders by one seed")
    parser.add_argument("--orders", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--trace", default="", help="an out_order_no of the run: its life is printed")
    asked = parser.parse_args(arguments)
    number = re.fullmatch(r"S([0-9]+)-[0-9]{7}", asked.trace)
    if asked.trace and (not number or asked.seed not in (None, int(number[1]))):
        parser.error("TRACE is S<seed>-<number>, such as S1-0000042, and SEED, if given, the same")
    seed = int(number[1]) if number else (1 if asked.seed is None else asked.seed)
    orders = asked.orders if asked.orders is not None or asked.trace else ORDERS
    if seed < 0 or (orders is not None and orders < 1):
        parser.error("ORDERS must be 1 or more, and SEED 0 or more")
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("orders", total=orders)
        run = simulate(orders, seed, order=asked.trace, progress=lambda done: bar.advance(task, done))
    for line in report.lines(run):
        print(line)
    return 0 if run.failed is None else 1


if __name__ == "__main__":
    sys.exit(main())
