"""`make planted`: faults planted in the product, one at a time, to prove that the simulation finds them.

A run under each fault has to fail; how many orders that took is what is printed.
"""

from __future__ import annotations

import argparse
import statistics
import sys

from simulation.plants import PLANTS
from simulation.run import simulate

ORDERS = 4000
SEEDS = 3
_LONGEST = 100


def orders_until_found(name: str, seed: int, orders: int = ORDERS) -> tuple[int | None, str]:
    """Return how many orders it took to find a planted fault, and how it showed; None: it was not found."""
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more

    with PLANTS[name]():
        run = simulate(orders, seed, progress=count)
    return (None, "") if run.failed is None else (done + 1, str(run.failed))


def main() -> int:
    """Plant each fault, and print how many orders it took to find it."""
    parser = argparse.ArgumentParser(prog="python -m simulation.planted")
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    asked = parser.parse_args()
    medians = []
    for name in PLANTS:
        runs = [orders_until_found(name, seed, asked.orders) for seed in range(1, asked.seeds + 1)]
        numbers = [orders for orders, _ in runs if orders is not None]
        shown = ", ".join("not found" if orders is None else str(orders) for orders, _ in runs)
        print(f"{name:<44} {shown:<24} {runs[0][1][:_LONGEST]}", flush=True)
        medians.append(statistics.median(numbers) if numbers else float("inf"))
    print(f"{len(medians)} planted, {sum(each < float('inf') for each in medians)} found")
    print(f"median of the orders it took: {statistics.median(medians):.0f}")
    return 0 if all(each < float("inf") for each in medians) else 1


if __name__ == "__main__":
    sys.exit(main())
