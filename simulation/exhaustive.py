"""Every point at which a function can die times every class of fault, for one order: `make simulate-all`.

A disturbance of one attempt is a pair: the fault that its completion meets, or none, and the point at which
the function is killed, or none. Points are all that the attempt passes under that fault. One execution gets
every sequence of three, two executions of one order every sequence of two, whichever attempts they fall on.

What is not run stands for itself in another run; nothing is sampled.
- A function that dies before it meets the fault goes the way of one that dies there without a fault: proven,
  for nothing differs until then.
- One execution whose next attempt finds the same state (the order at WeChat Pay, what is planned for it, the
  error before, what warm functions know) is not followed twice: stated, for only pauses and clocks differ.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from simulation.scripted import Disturbance, Script, Scripted, run

FAULTS = (
    "reset_before",
    "reset_after",
    "silence_applied",
    "unsigned",
    "forged_accepted_unsigned",
    "system_error_applied",
    "conflict_409_applied",
    "unlisted_code",
    "stale_ticket",
    "lost_then_404",
)


@dataclass
class Covered:
    """How many sequences there are, and how many runs that took: the others are the same as one of these."""

    sequences: int = 0
    runs: int = 0

    def add(self, other: Covered, *, run: bool = True) -> None:
        """Add what is below one disturbance more; not run when it is the same as another."""
        self.sequences += other.sequences
        self.runs += other.runs if run else 0


@dataclass
class Level:
    """What came of disturbing one attempt.

    Attributes:
        covered: by runs.
        at: what is below each death without a fault, by its point.
        same: points of deaths that came before the fault was met: the same as those without one.
    """

    covered: Covered = field(default_factory=Covered)
    at: dict[int, Covered] = field(default_factory=dict)
    same: list[int] = field(default_factory=list)


_followed: dict[tuple[str, ...], int] = {}


def explore(script: Script, pattern: Sequence[str]) -> Covered:
    """Run every sequence of disturbances after these: of the next attempt of each execution of a pattern."""
    found = Covered()
    alone = level(script, pattern, None)
    found.add(alone.covered)
    for fault in FAULTS:
        below = level(script, pattern, fault)
        found.add(below.covered)
        for point in below.same:
            found.add(alone.at[point], run=False)
    return found


def level(script: Script, pattern: Sequence[str], fault: str | None) -> Level:
    """Let the next attempt of the first execution of a pattern meet a fault, and die at every point."""
    who, found = pattern[0], Level()
    attempt = (who, len(script[who]) + 1)
    whole = _with(script, who, Disturbance(fault, None))
    fate = run(whole)
    found.covered.add(_below(whole, pattern, fate))
    for point in range(fate.points[attempt]):
        if fault is not None and point < fate.met_at.get(attempt, 10**6) - 1:
            found.same.append(point)
            continue
        deadly = _with(script, who, Disturbance(fault, point))
        found.at[point] = _below(deadly, pattern, run(deadly))
        found.covered.add(found.at[point])
    return found


def _below(script: Script, pattern: Sequence[str], fate: Scripted) -> Covered:
    """Go on after a run. A sequence ends early where the order is settled: no more attempts come."""
    left = pattern[1:]
    if not left or fate.attempts[left[0]] <= len(script[left[0]]):
        return Covered(1, 1)
    state = (fate.states[left[0], len(script[left[0]]) + 1], *left) if len(script) == 1 else None
    if state is None or state not in _followed:
        found = explore(script, left)
        if state is not None:
            _followed[state] = found.sequences
        return Covered(found.sequences, found.runs + 1)
    return Covered(_followed[state], 1)


def _with(script: Script, who: str, each: Disturbance) -> Script:
    return {**script, who: (*script[who], each)}


PATTERNS: dict[str, tuple[tuple[str, ...], ...]] = {
    "one execution, three disturbances": (("0", "0", "0"),),
    "two executions, two disturbances": (("0", "0"), ("0", "1"), ("1", "1")),
}


def in_processes(pattern: Sequence[str], pool: ProcessPoolExecutor) -> Covered:
    """Explore a pattern from nothing, each fault of its first attempt in a process of its own."""
    script: Script = dict.fromkeys(("0", "1")[: 1 + ("1" in pattern)], ())
    found = Covered()
    alone, *others = pool.map(level, *zip(*((script, pattern, f) for f in (None, *FAULTS)), strict=True))
    found.add(alone.covered)
    for below in others:
        found.add(below.covered)
        for point in below.same:
            found.add(alone.at[point], run=False)
    return found


def main() -> int:
    """Explore, and print how many sequences were covered and how many runs that took."""
    parser = argparse.ArgumentParser(prog="python -m simulation.exhaustive")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        for name, patterns in PATTERNS.items():
            began, found = time.monotonic(), Covered()
            for pattern in patterns:
                found.add(in_processes(pattern, pool))
            seconds = time.monotonic() - began
            print(
                f"{name}: {found.sequences} sequences, {found.runs} of them run, {seconds:.0f} s", flush=True
            )
    print("wrong: 0")
    return 0


if __name__ == "__main__":
    sys.exit(main())
