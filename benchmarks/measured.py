"""Distributions of measured times, and the Markdown they are shown in."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class Times(tuple[float, ...]):
    """Measured times in milliseconds, in the order they were taken."""

    __slots__ = ()

    def percentile(self, percent: float) -> float:
        """The time that this share of all does not exceed (nearest rank)."""
        rank = -(-len(self) * percent // 100)
        return sorted(self)[max(int(rank) - 1, 0)]

    @property
    def p50(self) -> float:
        """Half of all take no longer."""
        return self.percentile(50)

    @property
    def p90(self) -> float:
        """Nine in ten take no longer."""
        return self.percentile(90)

    @property
    def p99(self) -> float:
        """All but one in a hundred take no longer."""
        return self.percentile(99)


@dataclass(frozen=True)
class Goal:
    """What a figure was to be, and what it is."""

    what: str
    limit: float
    figure: float
    unit: str = "x"

    @property
    def met(self) -> bool:
        """Whether the figure is within its limit."""
        return self.figure <= self.limit

    def row(self) -> tuple[str, str, str, str]:
        """Cells: what, limit, figure, verdict."""
        shown = (f"{number:.2f} {self.unit}" for number in (self.limit, self.figure))
        return (self.what, *shown, "met" if self.met else "**missed**")  # type: ignore[return-value]


@dataclass(frozen=True)
class Part:
    """One part of the report: a title, Markdown, and the goals it answers."""

    title: str
    text: str
    goals: tuple[Goal, ...] = ()


def say(text: str) -> None:
    """Tell whoever waits for the report how far it is."""
    print(f"  {text}", file=sys.stderr, flush=True)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is text, the others are figures."""
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)
