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

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
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


def explore(script: Script, pattern: Sequence[str], each: Callable[..., Iterable[Level]] = map) -> Covered:
    """Run every sequence of disturbances after these: of the next attempt of each execution of a pattern.

    Args:
        script: the disturbances so far.
        pattern: executions, one for each disturbance that follows.
        each: `map`, or that of a pool of processes: each fault of the next attempt in one of its own.
    """
    covered = Covered()
    alone, *others = each(partial(level, script, pattern), (None, *FAULTS))
    covered.add(alone.covered)
    for below in others:
        covered.add(below.covered)
        for point in below.same:
            covered.add(alone.at[point], run=False)
    return covered


def level(script: Script, pattern: Sequence[str], fault: str | None) -> Level:
    """Let the next attempt of the first execution of a pattern meet a fault, and die at every point."""
    who, below = pattern[0], Level()
    attempt = (who, len(script[who]) + 1)
    whole = _with(script, who, Disturbance(fault, None))
    fate = run(whole)
    below.covered.add(_below(whole, pattern, fate))
    for point in range(fate.points[attempt]):
        if fault is not None and point < fate.met_at.get(attempt, 10**6) - 1:
            below.same.append(point)
            continue
        deadly = _with(script, who, Disturbance(fault, point))
        below.at[point] = _below(deadly, pattern, run(deadly))
        below.covered.add(below.at[point])
    return below


def _below(script: Script, pattern: Sequence[str], fate: Scripted) -> Covered:
    """Go on after a run. A sequence ends early where the order is settled: no more attempts come."""
    left = pattern[1:]
    if not left or fate.attempts[left[0]] <= len(script[left[0]]):
        return Covered(1, 1)
    state = (fate.states[left[0], len(script[left[0]]) + 1], *left) if len(script) == 1 else None
    if state is None or state not in _followed:
        covered = explore(script, left)
        if state is not None:
            _followed[state] = covered.sequences
        return Covered(covered.sequences, covered.runs + 1)
    return Covered(_followed[state], 1)


def _with(script: Script, who: str, each: Disturbance) -> Script:
    return {**script, who: (*script[who], each)}


PATTERNS: dict[str, tuple[tuple[str, ...], ...]] = {
    "one execution, three disturbances": (("0", "0", "0"),),
    "two executions, two disturbances": (("0", "0"), ("0", "1"), ("1", "1")),
}


def main() -> int:
    """Explore, and print how many sequences were covered and how many runs that took."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for name, patterns in PATTERNS.items():
            began, covered = time.monotonic(), Covered()
            for pattern in patterns:
                script: Script = dict.fromkeys(sorted({"0", *pattern}), ())
                covered.add(explore(script, pattern, pool.map))
            took = f"{time.monotonic() - began:.0f} s"
            print(f"{name}: {covered.sequences} sequences, {covered.runs} of them run, {took}", flush=True)
    print("wrong: 0")
    return 0


if __name__ == "__main__":
    sys.exit(main())
