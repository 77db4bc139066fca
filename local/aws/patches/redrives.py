"""RedriveExecution, which MiniStack lacks, and what AWS tells of it.

https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html: a Standard execution that
failed, timed out or was aborted at most 14 days ago goes on under its own ARN, with the definition it began
with, at the state that did not succeed and with that state's input; its retries start at zero. A Fail state
can be redriven like any other, and fails again.
"""

import contextvars
import copy
import json
import threading
import time
from datetime import datetime
from types import ModuleType
from typing import Any

from local.aws.patches.ministack import named

REDRIVABLE_SECONDS = 14 * 86400.0
MOST_EVENTS = 24_999
_ENDED = ("FAILED", "TIMED_OUT", "ABORTED")
_WITH_EXECUTION = ("Task", "Parallel", "Map")

type Execution = dict[str, Any]


def allow(stepfunctions: ModuleType) -> None:
    """Answer RedriveExecution, tell of redrives in answers, and count them in a Task's context object."""
    _remember_where(stepfunctions)
    _tell(stepfunctions)
    handle = named(stepfunctions, "handle_request")
    finished = named(stepfunctions, "_finalize_response")

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        if not headers.get("x-amz-target", "").endswith(".RedriveExecution"):
            return await handle(method, path, headers, body, query)
        asked = json.loads(body or b"{}")
        return finished(_redrive(stepfunctions, asked.get("executionArn", ""), asked.get("clientToken")))

    stepfunctions.handle_request = handle_request  # type: ignore[attr-defined]


def reason_against(execution: Execution, kind: str = "STANDARD", now: float | None = None) -> str | None:
    """Return why an execution cannot be redriven, in AWS's words; None when it can."""
    if kind != "STANDARD":
        return f"Execution is of type {kind} and cannot be redriven"
    if execution["status"] not in _ENDED:
        return f"Execution is {execution['status']} and cannot be redriven"
    ended = datetime.fromisoformat(execution["stopDate"]).timestamp()
    if (time.time() if now is None else now) - ended >= REDRIVABLE_SECONDS:
        return "Execution redrivable period exceeded"
    if len(execution["events"]) >= MOST_EVENTS:
        return "Execution history event limit exceeded"
    return None


def _remember_where(stepfunctions: ModuleType) -> None:
    """Keep the definition an execution began with, the state it is in, and the variables it has there."""
    run, add = named(stepfunctions, "_run_execution"), named(stepfunctions, "_add_event")
    execute = named(stepfunctions, "_execute_task")
    executions, machines = named(stepfunctions, "_executions"), named(stepfunctions, "_state_machines")

    def run_execution(arn: str) -> None:
        execution = executions.get(arn)
        if execution and execution["stateMachineArn"] in machines:
            execution["definition"] = machines[execution["stateMachineArn"]]["definition"]
        run(arn)

    def add_event(execution: Execution, event: str, details: Any = None) -> Any:
        if event.endswith("StateEntered"):
            entered = details["stateEnteredEventDetails"]
            execution["at"] = entered["name"], json.loads(entered["input"])
        return add(execution, event, details)

    def execute_task(state: Any, given: Any, execution: Execution, context: Any) -> Any:
        context["Execution"]["RedriveCount"] = execution.get("redriveCount", 0)
        execution["context"] = context
        return execute(state, given, execution, context)

    stepfunctions._run_execution = run_execution  # type: ignore[attr-defined]
    stepfunctions._add_event = add_event  # type: ignore[attr-defined]
    stepfunctions._execute_task = execute_task  # type: ignore[attr-defined]


def _tell(stepfunctions: ModuleType) -> None:
    """Add to DescribeExecution and ListExecutions what AWS says of redrives there."""
    describe, listed = named(stepfunctions, "_describe_execution"), named(stepfunctions, "_list_executions")
    executions, answer = named(stepfunctions, "_executions"), named(stepfunctions, "json_response")

    def counted(execution: Execution) -> dict[str, Any]:
        count = execution.get("redriveCount", 0)
        return {"redriveCount": count} | ({"redriveDate": execution["redriveDate"]} if count else {})

    def describe_execution(asked: dict[str, Any]) -> Any:
        status, headers, body = describe(asked)
        execution = executions.get(asked.get("executionArn"))
        if execution is None:
            return status, headers, body
        reason = reason_against(execution, _kind(stepfunctions, execution))
        able: dict[str, Any] = {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
        able = able if reason else {"redriveStatus": "REDRIVABLE"}
        return answer(json.loads(body) | counted(execution) | able)

    def list_executions(asked: dict[str, Any]) -> Any:
        status, headers, body = listed(asked)
        page = json.loads(body)
        for each in page.get("executions", ()):
            each |= counted(executions[each["executionArn"]])
        return (status, headers, json.dumps(page).encode())

    stepfunctions._describe_execution = describe_execution  # type: ignore[attr-defined]
    stepfunctions._list_executions = list_executions  # type: ignore[attr-defined]


def _redrive(stepfunctions: ModuleType, arn: str, token: str | None) -> Any:
    executions, refuse = stepfunctions._executions, named(stepfunctions, "error_response_json")
    answer, now = named(stepfunctions, "json_response"), named(stepfunctions, "now_iso")()
    execution = executions.get(arn)
    if execution is None:
        return refuse("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'", 400)
    if token and token in execution.get("tokens", ()):  # the same request, sent again
        return answer({"redriveDate": execution["redriveDate"]})
    reason = reason_against(execution, _kind(stepfunctions, execution))
    if reason:
        return refuse("ExecutionNotRedrivable", f"{arn}: {reason}", 400)
    # A copy: a thread of before may still sleep in the old one, sees there that it has ended, and ends.
    again = copy.deepcopy(execution)
    again |= {"status": "RUNNING", "stopDate": None, "error": None, "cause": None, "output": None}
    again |= {"redriveCount": execution.get("redriveCount", 0) + 1, "redriveDate": now}
    again["tokens"] = (*execution.get("tokens", ()), token)
    executions[arn] = again
    details = {"executionRedrivenEventDetails": {"redriveCount": again["redriveCount"]}}
    stepfunctions._add_event(again, "ExecutionRedriven", details)
    stepfunctions._emit_execution_status_event(again)
    scope = contextvars.copy_context()
    threading.Thread(target=scope.run, args=(_go_on, stepfunctions, again), daemon=True).start()
    return answer({"redriveDate": now})


def _kind(stepfunctions: ModuleType, execution: Execution) -> str:
    machine = stepfunctions._state_machines.get(execution["stateMachineArn"]) or {}
    return str(machine.get("type", "STANDARD"))


def _go_on(stepfunctions: ModuleType, execution: Execution) -> None:
    """Run an execution on from where it is to its end."""
    definition = json.loads(execution["definition"])
    context = execution.get("context") or {
        "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
        "Execution": {"Id": execution["executionArn"], "Input": json.loads(execution["input"])},
        "variables": {},
    }
    name, given = execution["at"]
    first = True
    try:
        while name and execution["status"] == "RUNNING":
            if not first:  # AWS does not enter the redriven state again: its next attempt follows
                _passed(stepfunctions, execution, definition["States"][name], name, given, "Entered", "input")
            first = False
            entered = named(stepfunctions, "now_iso")()
            context["State"] = {"Name": name, "EnteredTime": entered, "RetryCount": 0}
            state = definition["States"][name]
            given, following = _step(stepfunctions, state, given, execution, context)
            _passed(stepfunctions, execution, state, name, given, "Exited", "output")
            name = following
        if execution["status"] == "RUNNING":
            output = json.dumps(given)
            execution |= {"status": "SUCCEEDED", "output": output, "stopDate": stepfunctions.now_iso()}
            details = {"executionSucceededEventDetails": {"output": output}}
            stepfunctions._add_event(execution, "ExecutionSucceeded", details)
            stepfunctions._emit_execution_status_event(execution)
    except stepfunctions._ExecutionError as exc:
        if execution["status"] == "RUNNING":
            stepfunctions._fail_execution(execution, exc.error, exc.cause)


def _passed(
    stepfunctions: ModuleType, execution: Execution, state: Any, name: str, value: Any, way: str, field: str
) -> None:
    details = {f"state{way}EventDetails": {"name": name, field: json.dumps(value)}}
    stepfunctions._add_event(execution, f"{state['Type']}State{way}", details)


def _step(
    stepfunctions: ModuleType, state: Any, given: Any, execution: Execution, context: Any
) -> tuple[Any, str | None]:
    """Execute one state: its output, and the name of the next one."""
    kind = state["Type"]
    if kind == "Fail":
        raise stepfunctions._ExecutionError(*stepfunctions._fail_state_error(state, given, context))
    if kind == "Succeed":
        taken = stepfunctions._apply_input_path(state, given, context)
        return stepfunctions._apply_output_path(state, taken, context), None
    execute = named(stepfunctions, f"_execute_{kind.lower()}")
    more = (execution, context) if kind in _WITH_EXECUTION else (context,)
    output, following = execute(state, given, *more)
    return output, following
