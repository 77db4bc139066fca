"""What the workflow meets in a scenario, the same for either engine: functions, a bus, a table, and time.

Nothing here waits. What an engine would wait for is written down, and the time has passed.
"""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

type Result = dict[str, Any]
type Answer = Callable[[Result], Result]

TIMED_OUT = "States.Timeout"
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:ServiceEnded"
EXECUTION = "arn:aws:states:us-east-1:000000000000:execution:ServiceEnded:one"
MOST_CALLS = 1000  # no way through the workflow makes so many


class Raised(Exception):
    """A Task that fails by the name of this error."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True)
class Run:
    """What an execution came to in an engine."""

    status: str
    states: list[str]
    raised: list[str]
    output: Result | None
    error: str | None
    cause: str | None


@dataclass
class World:
    """Answers of each function and of the bus in turn, the last of them for ever; and what was seen.

    Attributes:
        wakes: for each wait for a token whether it is woken, and by what it fails at once if by anything.
        waits: seconds of each wait and each pause before a retry; "woken" for one that ended early.
        attempts: what CompleteOrder and QueryOrder were told of the attempt, without the time.
    """

    complete: list[Answer | Raised]
    query: list[Answer | Raised] = field(default_factory=list)
    bus: list[Raised | None] = field(default_factory=lambda: [None])
    wakes: list[bool | Raised] = field(default_factory=lambda: [False])
    events: list[tuple[str, Result]] = field(default_factory=list)
    items: list[Result] = field(default_factory=list)
    waits: list[float | str] = field(default_factory=list)
    attempts: list[tuple[str, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._functions: dict[str, Iterator[Answer | Raised]] = {
            "CompleteOrderFunction": _forever(self.complete),
            "QueryOrderFunction": _forever(self.query),
        }
        self._bus, self._wakes = _forever(self.bus), _forever(self.wakes)
        self._calls = iter(range(MOST_CALLS))

    def invoke(self, function: str, payload: Result, client_context: str) -> Result:
        """Call a function by its ARN. Raises what it raises."""
        self._count()
        name = function.split(":")[-2]
        custom = json.loads(base64.b64decode(client_context))["custom"]
        assert set(custom) == {"execution", "retry_count", "redrive_count", "entered_time"}
        assert custom["execution"].startswith("arn:")
        assert custom["entered_time"].startswith("20")
        self.attempts.append((name, custom["retry_count"], custom["redrive_count"]))
        answer = next(self._functions[name])
        if isinstance(answer, Raised):
            raise answer
        return answer(payload)

    def publish(self, entry: dict[str, Any]) -> None:
        """Take an event. Raises what the bus raises."""
        self._count()
        refusal = next(self._bus)
        if refusal is not None:
            raise refusal
        detail = entry["Detail"]
        assert (entry["Source"], entry["EventBusName"]) == ("smartretail.orders", "default")
        detail = json.loads(detail) if isinstance(detail, str) else detail
        self.events.append((entry["DetailType"], detail))

    def put(self, item: Result) -> None:
        """Take the item of a waiting order. Raises what the table raises."""
        wake = next(self._wakes)
        if isinstance(wake, Raised):
            raise wake
        self.items.append({name: value for name, value in item.items() if name not in ("token", "expires")})
        self._woken = wake

    def woken(self, seconds: float) -> bool:
        """Whether the wait of the last item ends early; the whole wait has passed if not."""
        self.waits.append("woken" if self._woken else seconds)
        return self._woken

    def _count(self) -> None:
        if next(self._calls, None) is None:
            raise RuntimeError("the workflow goes round in circles")

    def wait(self, seconds: float) -> None:
        """Let so many seconds pass."""
        if seconds:
            self.waits.append(seconds)


def _forever[T](answers: list[T]) -> Iterator[T]:
    return chain(answers, repeat(answers[-1])) if answers else iter(())
