"""The workflow, stepped through under virtual time: the part of Amazon States Language that it uses, no more.

What the definition uses beyond that is refused when it is read. The same scenarios run on two engines that
others wrote, see tests/engines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import jsonata  # type: ignore[import-untyped]
import yaml

from simulation.kernel import Kernel, Process, Signal

JSON = dict[str, Any]
_KNOWN = {
    "Task": {"Resource", "Arguments", "Output", "Assign", "TimeoutSeconds", "Retry", "Catch", "Next"},
    "Choice": {"Choices", "Default"},
    "Wait": {"Seconds", "Output", "Assign", "Next"},
    "Succeed": set(),
    "Fail": {"Error", "Cause"},
}
_EXPRESSION = re.compile(r"\{%(.*)%\}", re.DOTALL)


class Unsupported(ValueError):
    """The definition uses something that is not known here."""


class TaskError(Exception):
    """A Task has failed with an error that Retry and Catch know by its name."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error, self.cause = error, cause


class Services(Protocol):
    """What Tasks call. Each runs in a process of its own and takes virtual time."""

    def invoke(self, execution: Execution, function: str, payload: Any, client_context: str) -> Any:
        """Invoke a function; raises `TaskError`."""

    def put_events(self, execution: Execution, entries: list[JSON]) -> Any:
        """Publish; raises `TaskError`."""

    def put_item(self, execution: Execution, table: str, item: JSON) -> Any:
        """Write an item; raises `TaskError`."""


def load(path: Path, substitutions: Mapping[str, str]) -> JSON:
    """Read a definition as CloudFormation hands it over.

    Raises:
        Unsupported: it uses what is not known here.
    """
    text = re.sub(r"\$\{(\w+)\}", lambda m: substitutions[m[1]], path.read_text(encoding="utf-8"))
    return checked(yaml.safe_load(text))


def checked(definition: JSON) -> JSON:
    """Return a definition that uses nothing but what is known here.

    Raises:
        Unsupported: it does.
    """
    if definition["QueryLanguage"] != "JSONata":
        raise Unsupported("QueryLanguage")
    for name, state in definition["States"].items():
        if state["Type"] not in _KNOWN:
            raise Unsupported(f"{name}: Type {state['Type']}")
        if unknown := state.keys() - _KNOWN[state["Type"]] - {"Type", "Comment"}:
            raise Unsupported(f"{name}: {', '.join(sorted(unknown))}")
    return definition


@cache
def _compiled(expression: str) -> Any:
    return jsonata.Jsonata(expression)


def evaluate(template: Any, states: JSON, variables: JSON) -> Any:
    """Evaluate every expression in a value of the definition; members that have no value are left out."""
    if isinstance(template, str):
        found = _EXPRESSION.fullmatch(template.strip())
        if not found:
            return template
        expression = _compiled(found[1].strip())
        frame = expression.create_frame()
        frame.bind("states", states)
        for name, value in variables.items():
            frame.bind(name, value)
        return expression.evaluate(None, frame)
    if isinstance(template, dict):
        return {name: evaluate(value, states, variables) for name, value in template.items()}
    if isinstance(template, list):
        return [evaluate(value, states, variables) for value in template]
    return template


class Token:
    """Of a Task that waits to be told."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.signal = Signal()


@dataclass
class Execution:
    """One execution, step by step.

    Attributes:
        observe: told of everything that happens: what, and its particulars.
        pausing: told of each wait and each pause before a retry, in seconds.
        status: RUNNING, SUCCEEDED, FAILED or TIMED_OUT.
        state: where it is, or where it ended.
    """

    kernel: Kernel
    services: Services
    definition: JSON
    arn: str
    input: Any
    observe: Callable[[Execution, str, JSON], None] = lambda *_: None
    pausing: Callable[[float], None] = lambda _: None
    status: str = "RUNNING"
    state: str = ""
    output: Any = None
    error: str = ""
    cause: str = ""
    redrives: int = 0
    token: Token | None = None
    ended: Signal = field(default_factory=Signal)
    _tokens: int = 0
    _data: Any = None
    _variables: JSON = field(default_factory=dict)

    def start(self) -> Process:
        """Begin at the first state."""
        self.state, self._data = self.definition["StartAt"], self.input
        return self._go()

    def redrive(self) -> Process:
        """Go on at the state that failed, with its input as it was and its retries at zero.

        Raises:
            ValueError: it has not failed.
        """
        if self.status not in ("FAILED", "TIMED_OUT"):
            raise ValueError(f"{self.arn} is {self.status}")
        self.status, self.redrives, self.ended = "RUNNING", self.redrives + 1, Signal()
        return self._go()

    def _go(self) -> Process:
        process, run = self.kernel.spawn(self._run), self.redrives

        def time_out() -> None:
            if self.status == "RUNNING" and self.redrives == run:
                process.kill()
                self._end("TIMED_OUT", "States.Timeout")

        self.kernel.after(self.definition["TimeoutSeconds"], time_out)
        return process

    def _run(self) -> None:
        while self.status == "RUNNING":
            state = self.definition["States"][self.state]
            self.observe(self, "entered", {"state": self.state, "type": state["Type"], "input": self._data})
            try:
                self._step(state)
            except TaskError as exc:
                self._end("FAILED", exc.error, exc.cause)

    def _step(self, state: JSON) -> None:
        match state["Type"]:
            case "Task":
                self._task(state)
            case "Choice":
                self._choose(state)
            case "Wait":
                self._pause(self.value(state["Seconds"]))
                self._leave(state, None)
            case "Succeed":
                self.output = self._data
                self._end("SUCCEEDED")
            case "Fail":
                self._end("FAILED", self.value(state["Error"]), self.value(state["Cause"]))

    def _choose(self, state: JSON) -> None:
        for choice in state["Choices"]:
            if self.value(choice["Condition"]) is True:
                break
        else:
            choice = {"Next": state.get("Default")}
        if choice["Next"] is None:
            raise TaskError("States.NoChoiceMatched")
        self.observe(self, "exited", {"state": self.state, "output": self._data})
        self.state = choice["Next"]

    def _task(self, state: JSON) -> None:
        entered, retries = self.kernel.now, [0] * len(state.get("Retry", []))
        while True:
            context = {"RetryCount": sum(retries), "EnteredTime": _iso(entered)}
            try:
                self.observe(self, "scheduled", {"state": self.state})
                result = self._call(state, context)
            except TaskError as exc:
                self.observe(self, "failed", {"state": self.state, "error": exc.error, "cause": exc.cause})
                index = _matching(state.get("Retry", []), exc.error)
                if index is not None and retries[index] < state["Retry"][index]["MaxAttempts"]:
                    delay = _delay(state["Retry"][index], retries[index])
                    retries[index] += 1
                    self._pause(self.kernel.random.uniform(0, delay))
                    continue
                index = _matching(state.get("Catch", []), exc.error)
                if index is None:
                    raise
                self._leave(state["Catch"][index], {"Error": exc.error, "Cause": exc.cause}, "errorOutput")
                return
            self.observe(self, "succeeded", {"state": self.state})
            self._leave(state, result)
            return

    def _call(self, state: JSON, context: JSON) -> Any:
        resource = state["Resource"].partition(":states:::")[2]
        waits = resource.endswith(".waitForTaskToken")
        self._tokens += waits
        self.token = Token(f"{self.arn}#{self._tokens}") if waits else None
        arguments = self.value(state["Arguments"], context=context)
        call = self._service(resource, arguments)
        seconds = self.value(state["TimeoutSeconds"])
        ends = self.kernel.now + seconds
        process = self.kernel.spawn(call)
        try:
            if not self.kernel.wait(process.ended, seconds):
                process.forgotten = True
                raise TaskError("States.Timeout")
            if isinstance(process.ended.value, BaseException):
                raise process.ended.value
            if self.token is None:
                return process.ended.value
            if not self.kernel.wait(self.token.signal, ends - self.kernel.now):
                raise TaskError("States.Timeout")
            return self.token.signal.value
        finally:
            self.token = None

    def _service(self, resource: str, arguments: JSON) -> Callable[[], Any]:
        match resource:
            case "lambda:invoke":
                function, payload, context = (
                    arguments[name] for name in ("FunctionName", "Payload", "ClientContext")
                )
                return lambda: {"Payload": self.services.invoke(self, function, payload, context)}
            case "events:putEvents":
                return lambda: self.services.put_events(self, arguments["Entries"])
            case "aws-sdk:dynamodb:putItem.waitForTaskToken":
                return lambda: self.services.put_item(self, arguments["TableName"], arguments["Item"])
        raise Unsupported(resource)

    def _leave(self, state: JSON, result: Any, name: str = "result") -> None:
        extra = {name: result}
        output = self.value(state["Output"], **extra) if "Output" in state else result
        if state.get("Type") == "Wait" and "Output" not in state:
            output = self._data
        assigned = self.value(state.get("Assign", {}), **extra)
        self._data = output
        self._variables |= assigned
        self.observe(self, "exited", {"state": self.state, "output": output})
        self.state = state["Next"]

    def _pause(self, seconds: float) -> None:
        self.pausing(seconds)
        self.kernel.sleep(seconds)

    def value(self, template: Any, *, context: JSON | None = None, **extra: Any) -> Any:
        """Evaluate a part of the definition in the state that the execution is in."""
        about: JSON = {
            "Execution": {"Id": self.arn, "RedriveCount": self.redrives},
            "State": {"Name": self.state, **(context or {})},
        }
        if self.token is not None:
            about["Task"] = {"Token": self.token.name}
        return evaluate(template, {"input": self._data, "context": about, **extra}, self._variables)

    def _end(self, status: str, error: str = "", cause: str = "") -> None:
        self.status, self.error, self.cause = status, error, cause
        self.observe(self, "ended", {"status": status, "state": self.state, "error": error})
        self.ended.set(status)


def _matching(rules: list[JSON], error: str) -> int | None:
    for index, rule in enumerate(rules):
        for name in rule["ErrorEquals"]:
            if name in (error, "States.ALL") or (name == "States.TaskFailed" and error != "States.Timeout"):
                return index
    return None


def _delay(retrier: JSON, retries: int) -> float:
    if retrier["JitterStrategy"] != "FULL":
        raise Unsupported(f"JitterStrategy {retrier['JitterStrategy']}")
    delay = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** retries
    return float(min(delay, retrier["MaxDelaySeconds"]))


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
