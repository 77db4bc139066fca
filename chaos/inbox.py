"""The events published during a run, and how many executions of each order have published."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from local.published import Listener
from local.stack import Stack


@dataclass(frozen=True)
class PublishedEvent:
    """One event on the bus."""

    kind: str
    detail: dict[str, Any]


class Inbox(Listener):
    """Listens while it is entered. `published` grows; `changed` is notified of it."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack, "chaos-published", receive=self._add)
        self.published: list[PublishedEvent] = []
        self._ended: Counter[str] = Counter()
        self._known: set[str] = set()

    def ended(self, number: str) -> int:
        """How many executions for this order have published something. Call it holding `changed`."""
        return self._ended[number]

    def _add(self, event: dict[str, Any], _sent: float) -> None:
        detail = event["detail"]
        self.published.append(PublishedEvent(event["detail-type"], detail))
        execution = str(detail.get("execution"))
        if execution not in self._known:
            self._known.add(execution)
            self._ended[str(detail.get("out_order_no"))] += 1
