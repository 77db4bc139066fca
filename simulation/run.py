"""Runs shops one after another from one seed."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random

from simulation.audit import DIVERGED, Violation
from simulation.keys import material
from simulation.shop import Shop
from simulation.tally import Tally
from simulation.trace import Trace

ORDERS_OF_A_SHOP = 40


class Failed(Exception):
    """Something is wrong in a shop; names the seed and what."""

    def __init__(self, seed: int, cause: Exception) -> None:
        super().__init__(f"SEED={seed}: {type(cause).__name__}: {cause}")
        self.seed = seed


@dataclass(frozen=True)
class Run:
    """What a run came to.

    Attributes:
        seconds: of the processor.
        life: lines about the order that was asked for.
        failed: what was wrong; None when nothing was.
    """

    tally: Tally
    sha256: str
    seconds: float
    life: list[str]
    failed: Failed | None = None


def simulate(
    orders: int | None, seed: int, *, order: str = "", progress: Callable[[int], None] = lambda done: None
) -> Run:
    """Run so many orders; without a number only the shop of the order that is asked for."""
    master, trace, tally = Random(seed), Trace(), Tally()
    wanted = int(order.rpartition("-")[2]) if order else -1
    count = orders if orders is not None else wanted // ORDERS_OF_A_SHOP * ORDERS_OF_A_SHOP + ORDERS_OF_A_SHOP
    life: list[str] = []
    failed: Failed | None = None
    material()  # makes the keys, which is no order's time
    _settle_garbage()
    began = time.process_time()
    for first in range(0, count, ORDERS_OF_A_SHOP):
        own = Random(master.getrandbits(64))
        numbers = [f"S{seed}-{each:07d}" for each in range(first, min(first + ORDERS_OF_A_SHOP, count))]
        if orders is None and order not in numbers:
            continue
        shop = Shop(own, trace, tally, follow=order if order in numbers else "")
        failed = _run(shop, numbers, seed, tally)
        life += shop.life()
        if failed is not None:
            break
        if first % (10 * ORDERS_OF_A_SHOP) == 0:
            gc.collect()  # a shop is one knot
        progress(len(numbers))
    return Run(tally, trace.sha256, time.process_time() - began, life, failed)


def _run(shop: Shop, numbers: list[str], seed: int, tally: Tally) -> Failed | None:
    try:
        shop.run(numbers)
    except Exception as exc:  # noqa: BLE001 - whatever it is, its seed replays it
        tally.wrong[exc.kind if isinstance(exc, Violation) else DIVERGED] += 1
        return Failed(seed, exc)
    return None


@cache
def _settle_garbage() -> None:
    """Do not collect again what stays for good; the functions have switched the collector off."""
    gc.collect()
    gc.freeze()
    gc.enable()
