"""One execution as Step Functions has it, and what its history tells."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from life import history
from life.masking import Veil
from life.model import Attempt, Step
from life.reading import parsed


@dataclass(frozen=True)
class Execution:
    """What a reader found of one execution, as Step Functions tells it (boto3's shapes).

    Attributes:
        input: the order event as it came, JSON.
        output: the result, when it SUCCEEDED.
        error, cause: when it did not; both may be empty.
        redrivable: whether RedriveExecution would take it now.
        history: the events of GetExecutionHistory, in order.
        definition: the workflow that it runs, which tells what each state publishes.
    """

    arn: str
    status: str
    began: datetime
    ended: datetime | None
    input: str
    output: dict[str, Any] | None = None
    error: str = ""
    cause: str = ""
    redrives: int = 0
    redrivable: bool = False
    history: Sequence[Mapping[str, Any]] = ()
    definition: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def veil(self) -> Veil:
        """What hides its tickets."""
        return Veil(parsed(self.input))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The states entered, in order, each with its attempts."""
        return history.steps(self.history, self.veil)

    @property
    def states(self) -> list[str]:
        """Names of the states entered, in order."""
        return [step.name for step in self.steps]

    @property
    def raised(self) -> list[str]:
        """Names of the errors that attempts at Tasks failed with, in order."""
        return [each.error for each in self.passed() if isinstance(each, Attempt)]

    def passed(self) -> Iterator[Step | Attempt]:
        """Yield the states entered, each followed by those of its attempts that failed."""
        for step in self.steps:
            yield step
            yield from (attempt for attempt in step.attempts if attempt.error)
