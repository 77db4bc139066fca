"""What is counted over all shops of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass
class Tally:
    """What is counted over all shops."""

    orders: int = 0
    executions: int = 0
    invocations: int = 0
    environments: int = 0
    virtual_days: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    windows: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    operators: Counter[str] = field(default_factory=Counter)
    fen: int = 0
    slowest: float = 0.0
    most_calls: int = 0
    most_calls_since: int = 0
    killed: int = 0
    late: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    families: Counter[str] = field(default_factory=Counter)
    examined: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)

    def add(self, other: Mapping[str, Any]) -> None:
        """Add what another run counted, as plain JSON."""
        for each in fields(self):
            mine, theirs = getattr(self, each.name), other[each.name]
            if isinstance(mine, Counter):
                mine.update(theirs)
            elif each.name in _GREATEST:
                setattr(self, each.name, max(mine, theirs))
            else:
                setattr(self, each.name, mine + theirs)


_GREATEST = ("slowest", "most_calls", "most_calls_since")
