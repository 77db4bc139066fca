"""One order's life, by the model that `make show` has: histories and log lines in virtual time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from life import Execution as Record
from life import life_of, text
from simulation.stepper import Execution
from simulation.trace import Trace

_DETAILS = {"TaskFailed": "taskFailedEventDetails", "TaskTimedOut": "taskTimedOutEventDetails"}


class Follower:
    """Keeps what happens to one order. An empty number follows none."""

    def __init__(self, number: str, trace: Trace) -> None:
        self.number = number
        self._trace = trace
        self._histories: dict[str, list[dict[str, Any]]] = {}
        self._lines: list[Mapping[str, Any]] = []
        trace.order = number

    def observe(self, execution: Execution, what: str, about: Mapping[str, Any]) -> None:
        """Keep an event of an execution, as GetExecutionHistory has it."""
        if execution.input["out_order_no"] == self.number:
            at = moment(execution.kernel.now)
            event = {"timestamp": at, **_event(execution, what, about)}
            self._histories.setdefault(execution.arn, []).append(event)

    def read(self, line: str, now: float) -> None:
        """Keep a line of a function's log."""
        if self.number and self.number in line:
            record = json.loads(line)
            if "_aws" not in record:
                self._lines.append({**record, "timestamp": moment(now).isoformat()})

    def life(self, executions: Mapping[str, Execution]) -> Iterator[str]:
        """Yield the order's life, and then its lines of the trace."""
        if not self.number:
            return
        own = [self._execution(executions[arn], history) for arn, history in self._histories.items()]
        yield from text.lines(life_of(self.number, own, self._lines))
        yield ""
        yield "trace (virtual UNIX seconds)"
        yield from self._trace.lines

    def _execution(self, execution: Execution, history: list[dict[str, Any]]) -> Record:
        ended = execution.status != "RUNNING"
        return Record(
            arn=execution.arn,
            status=execution.status,
            began=history[0]["timestamp"],
            ended=history[-1]["timestamp"] if ended else None,
            input=json.dumps(execution.input, ensure_ascii=False),
            output=execution.output if execution.status == "SUCCEEDED" else None,
            error=execution.error,
            cause=execution.cause,
            redrives=execution.redrives,
            redrivable=execution.status == "FAILED",
            history=history,
            definition=execution.definition,
        )


def moment(now: float) -> datetime:
    """Return virtual time."""
    return datetime.fromtimestamp(now, UTC)


def _event(execution: Execution, what: str, about: Mapping[str, Any]) -> dict[str, Any]:
    kind = execution.definition["States"][execution.state]["Type"]
    if what == "entered":
        details = {"name": about["state"], "input": json.dumps(about["input"], ensure_ascii=False)}
        return {"type": f"{kind}StateEntered", "stateEnteredEventDetails": details}
    if what == "exited":
        details = {"name": about["state"], "output": json.dumps(about["output"], ensure_ascii=False)}
        return {"type": f"{kind}StateExited", "stateExitedEventDetails": details}
    if what == "failed":
        failed = "TaskTimedOut" if about["error"] == "States.Timeout" else "TaskFailed"
        return {"type": failed, _DETAILS[failed]: {"error": about["error"], "cause": about["cause"]}}
    return {"type": {"scheduled": "TaskScheduled", "succeeded": "TaskSucceeded"}.get(what, "ExecutionFailed")}
