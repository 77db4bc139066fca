"""How an order of the demo ended, and how that differs from what is expected."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from life import Attempt, Execution, Step
from life.text import rounds
from local.demo.samples import ROUND, Sample


@dataclass(frozen=True)
class Settled:
    """The outcome of a sample: its execution, the simulator's truth about it and how often it was asked."""

    sample: Sample
    execution: Execution
    ledger: dict[str, Any]
    requests: int

    @property
    def outcome(self) -> str:
        """The result's outcome, or the error that the workflow ended with."""
        output = self.execution.output
        return str(output["outcome"]) if output else str(self.execution.error)

    @property
    def evidence(self) -> str:
        """What the outcome rests on."""
        if self.execution.output:
            return str(self.execution.output["evidence"])
        if self.requests == 0:
            return "nothing sent"
        error = json.loads(self.execution.cause or "{}")
        return f"{error['status']} verified" if error.get("verified") else "not verified"

    @property
    def payment(self) -> str:
        """What the last query found, where there was one."""
        return str((self.execution.output or {}).get("payment", {}).get("state", ""))

    @property
    def queries(self) -> int:
        """Rounds of waiting and asking."""
        return self.execution.states.count("QueryOrder")

    @property
    def states(self) -> tuple[str, ...]:
        """States passed, with repeated rounds of waiting and asking once."""
        passed = (step for steps, _ in self.path() for step in steps)
        return tuple(step.name for step in passed if isinstance(step, Step))

    def path(self) -> Iterator[tuple[Sequence[Step | Attempt], int]]:
        """Yield the steps, a round of waiting and asking as one, and how often each was taken in a row."""
        steps = list(self.execution.passed())
        before = list(takewhile(lambda step: str(step) != ROUND[0], steps))
        yield from (([step], 1) for step in before)
        for same, times in rounds(steps[len(before) :], str):
            yield same[: len(same) // times], times

    def differences(self) -> Iterator[str]:
        """Yield each difference from the expected outcome."""
        sample = self.sample
        pairs = {
            "states": (self.states, sample.states),
            "errors raised": (tuple(self.execution.raised), sample.raised),
            "outcome": (self.outcome, sample.outcome),
            "evidence": (self.evidence, sample.evidence),
            "payment": (self.payment, sample.payment),
            "fen charged": (self.ledger["charged"], sample.charged),
            "debits": (self.ledger["debits"], 1 if sample.charged else 0),
        }
        if self.execution.output:
            pairs["order_api"] = (self.execution.output["order_api"], self.ledger["api"])
        for name, (actual, expected) in pairs.items():
            if actual != expected:
                yield f"{sample.number}: {name}: {actual!r}, expected {expected!r}"
        if self.queries not in sample.queries:
            yield f"{sample.number}: queries: {self.queries}, expected one of {sample.queries}"
