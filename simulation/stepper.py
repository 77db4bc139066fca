"""The workflow, stepped through under virtual time.

The same scenarios run on two engines that others wrote, see tests/engines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from simulation.kernel import Kernel, Signal
from simulation.language import JSON, Unsupported, delay, evaluate, iso, matching


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


@dataclass
class Token:
    """Of a Task that waits until somebody sends it back."""

    name: str
    signal: Signal = field(default_factory=Signal)


@dataclass
class Execution:
    """One execution, step by step.

    Attributes:
        observe: is called with everything that happens: what, and its particulars.
        pausing: is called with the seconds of each wait and of each pause before a retry.
        status: RUNNING, SUCCEEDED, FAILED or TIMED_OUT.
        state: where it is, or where it ended.
        began, stopped: virtual UNIX seconds.
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
    began: float = 0.0
    stopped: float = 0.0
    token: Token | None = None
    _tokens: int = 0
    _data: Any = None
    _variables: JSON = field(default_factory=dict)

    def start(self) -> None:
        """Begin at the first state."""
        self.state, self._data = self.definition["StartAt"], self.input
        self.began = self.kernel.now
        self._go()

    def redrive(self) -> None:
        """Go on at the state that failed, with its input as it was and its retries at zero."""
        self.status, self.redrives = "RUNNING", self.redrives + 1
        self._go()

    def _go(self) -> None:
        process, run = self.kernel.spawn(self._run), self.redrives

        def time_out() -> None:
            if self.status == "RUNNING" and self.redrives == run:
                process.kill()
                self._end("TIMED_OUT", "States.Timeout")

        self.kernel.after(self.definition["TimeoutSeconds"], time_out)

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
                self._leave(state, self._data)
            case "Succeed":
                self.output = self._data
                self._end("SUCCEEDED")
            case "Fail":
                self._end("FAILED", self.value(state["Error"]), self.value(state["Cause"]))

    def _choose(self, state: JSON) -> None:
        chosen = (each["Next"] for each in state["Choices"] if self.value(each["Condition"]) is True)
        following = next(chosen, state.get("Default"))
        if following is None:
            raise TaskError("States.NoChoiceMatched")
        self.observe(self, "exited", {"state": self.state, "output": self._data})
        self.state = following

    def _task(self, state: JSON) -> None:
        entered, retries = self.kernel.now, [0] * len(state.get("Retry", []))
        while True:
            context = {"RetryCount": sum(retries), "EnteredTime": iso(entered)}
            try:
                self.observe(self, "scheduled", {"state": self.state})
                result = self._call(state, context)
            except TaskError as exc:
                self.observe(self, "failed", {"state": self.state, "error": exc.error, "cause": exc.cause})
                index = matching(state.get("Retry", []), exc.error)
                if index is not None and retries[index] < state["Retry"][index]["MaxAttempts"]:
                    longest = delay(state["Retry"][index], retries[index])
                    retries[index] += 1
                    self._pause(self.kernel.random.uniform(0, longest))
                    continue
                index = matching(state.get("Catch", []), exc.error)
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
        self._variables |= self.value(state.get("Assign", {}), **extra)
        self._data = output
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
        self.status, self.error, self.cause, self.stopped = status, error, cause, self.kernel.now
        self.observe(self, "ended", {"status": status, "state": self.state, "error": error})
