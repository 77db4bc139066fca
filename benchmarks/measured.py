"""Distributions of measured times, and the Markdown they are shown in."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Times:
    """Measured times in milliseconds, in the order they were taken."""

    milliseconds: tuple[float, ...]

    @classmethod
    def of(cls, milliseconds: Iterable[float]) -> Times:
        """Keep these times."""
        return cls(tuple(milliseconds))

    def percentile(self, percent: float) -> float:
        """The time that this share of all does not exceed (nearest rank)."""
        ordered = sorted(self.milliseconds)
        rank = -(-len(ordered) * percent // 100)
        return ordered[max(int(rank) - 1, 0)]

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

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.milliseconds)


@dataclass(frozen=True)
class Goal:
    """What a figure was to be, and what it is."""

    what: str
    limit: float
    found: float
    unit: str = "x"

    @property
    def met(self) -> bool:
        """Whether the figure is within its limit."""
        return self.found <= self.limit

    def row(self) -> tuple[str, str, str, str]:
        """Cells: what, limit, found, verdict."""
        shown = (f"{number:.2f} {self.unit}" for number in (self.limit, self.found))
        return (self.what, *shown, "met" if self.met else "**missed**")  # type: ignore[return-value]


@dataclass(frozen=True)
class Part:
    """One part of the report: a title, Markdown, and the goals it answers."""

    title: str
    text: str
    goals: tuple[Goal, ...] = ()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is text, the others are figures."""
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)
