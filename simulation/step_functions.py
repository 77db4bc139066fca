"""Step Functions as an operator's commands call it: lists, histories, redrives and starts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from simulation.aws import error
from simulation.follow import moment
from simulation.stepper import Execution


class StepFunctions:
    """A client.

    Args:
        executions: by ARN, oldest first.
        start: starts one by its name.

    Attributes:
        unredrivable: ARNs of those that cannot be redriven: their history is full, or they are too old.
    """

    def __init__(
        self, executions: Mapping[str, Execution], start: Callable[[str, dict[str, Any]], object]
    ) -> None:
        self._executions = executions
        self._start = start
        self.unredrivable: set[str] = set()

    def get_paginator(self, _operation: str) -> Any:
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, *, statusFilter: str, **_asked: Any) -> Iterator[dict[str, Any]]:  # noqa: N803 - the SDK's
        of_status = [each for each in self._executions.values() if each.status == statusFilter]
        yield {"executions": [_listed(each) for each in reversed(of_status)]}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        execution = self._executions.get(executionArn)
        if execution is None:
            raise error("ExecutionDoesNotExist", "")
        return _listed(execution) | {
            "input": json.dumps(execution.input, ensure_ascii=False),
            "error": execution.error,
            "cause": execution.cause,
            "redriveCount": execution.redrives,
            "redriveStatus": "NOT_REDRIVABLE" if executionArn in self.unredrivable else "REDRIVABLE",
        }

    def get_execution_history(self, *, executionArn: str, **_asked: Any) -> dict[str, Any]:  # noqa: N803
        execution = self._executions[executionArn]
        state, kind = execution.state, execution.definition["States"][execution.state]["Type"]
        before = {"stateEnteredEventDetails": {"name": state}} if kind == "Fail" else {"type": "TaskFailed"}
        return {"events": [{"type": "ExecutionFailed"}, before]}

    def redrive_execution(self, *, executionArn: str, **_asked: Any) -> None:  # noqa: N803
        execution = self._executions[executionArn]
        if execution.status not in ("FAILED", "TIMED_OUT") or executionArn in self.unredrivable:
            raise error("ExecutionNotRedrivable", execution.status)
        execution.redrive()

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803
        if f"{stateMachineArn}:{name}" in self._executions:
            raise error("ExecutionAlreadyExists", name)
        self._start(name, json.loads(input))


def _listed(execution: Execution) -> dict[str, Any]:
    return {
        "executionArn": execution.arn,
        "name": execution.arn.rpartition(":")[2],
        "status": execution.status,
        "startDate": moment(execution.began),
        **({} if execution.status == "RUNNING" else {"stopDate": moment(execution.stopped)}),
    }
