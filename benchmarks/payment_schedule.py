"""When the workflow asks whether an order is paid, read from its definition, and what that comes to."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from jsonata import jsonata  # type: ignore[import-untyped]

from tools import workflow

# The start, and states entered once by an order that is paid: ServiceEnded, Outcome, OrderCompleted, Payment,
# OrderPaid, Completed. One that is overdue enters as many.
_ONCE = 7
_EACH_ROUND = 3  # AwaitPayment, QueryOrder, Payment


# When an order is paid, in seconds after its completion; None never.
CASES: dict[str, float | None] = {
    "within 5 s": 5,
    "within 20 s": 20,
    "within an hour": 3600,
    "within a day": 86400,
    "never": None,
}


@dataclass(frozen=True)
class Followed:
    """An order that is followed to its payment, or to the end.

    Attributes:
        queries: how often WeChat Pay is asked.
        announced: seconds from the completion to the query that ends it.
    """

    queries: int
    announced: int

    @property
    def transitions(self) -> int:
        """State transitions, the start included."""
        return _ONCE + _EACH_ROUND * self.queries


def waits(days: int) -> list[int]:
    """Return the seconds of each wait for an order that is never paid, as the workflow computes them."""
    states = workflow.definition()["States"]
    choices = states["Payment"]["Choices"]
    overdue = next(each["Condition"] for each in choices if each["Next"] == "OrderPaymentOverdue")
    assigned = (state.get("Assign", {}).get("pause") for state in states.values())
    pause = next(each for each in assigned if isinstance(each, str))
    pauses: list[int] = []
    while not _evaluated(overdue, days, sum(pauses)):
        pauses.append(_evaluated(pause, days, sum(pauses)))
    return pauses


def followed(paid_after: float | None, days: int = 7) -> Followed:
    """Return how an order ends that is paid so many seconds after its completion, None never."""
    asked = list(itertools.accumulate(waits(days)))
    seen = [at for at in asked if paid_after is not None and at >= paid_after]
    return Followed(asked.index(seen[0]) + 1, seen[0]) if seen else Followed(len(asked), asked[-1])


def _evaluated(template: str, days: int, waited: int) -> Any:
    expression = template.replace("${PaymentWaitDays}", str(days)).removeprefix("{%").removesuffix("%}")
    compiled = jsonata.Jsonata(expression)
    states: dict[str, Any] = {"input": {}, "result": {"Payload": {}}}
    for name, value in {"waited": waited, "until": days * 86400, "overdue": False, "states": states}.items():
        compiled.assign(name, value)
    return compiled.evaluate({})
