"""The workflow in the interpreter of MiniStack, as the embedded AWS patches it, in this process."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from local.aws import patches
from local.aws.patches import callbacks, redrives, retries
from tests.engines.world import EXECUTION, MACHINE, TIMED_OUT, Raised, Run, World


class Engine:
    """Runs one execution at a time."""

    world: World

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter

    def run(self, definition: dict[str, Any], event: dict[str, Any], world: World) -> Run:
        """Run an execution to its end."""
        self.world = world
        states = self._interpreter
        machine = {"name": "ServiceEnded", "type": "STANDARD", "definition": json.dumps(definition)}
        states._state_machines[MACHINE] = machine
        execution = {
            "executionArn": EXECUTION,
            "stateMachineArn": MACHINE,
            "name": "one",
            "status": "RUNNING",
            "startDate": states.now_iso(),
            "input": json.dumps(event),
            "events": [],
        }
        states._executions[EXECUTION] = execution
        states._run_execution(EXECUTION)
        failed = execution["status"] == "FAILED"
        return Run(
            status=str(execution["status"]),
            states=[
                event["stateEnteredEventDetails"]["name"]
                for event in execution["events"]
                if event["type"].endswith("StateEntered")
            ],
            raised=[
                event["taskFailedEventDetails"]["error"]
                for event in execution["events"]
                if event["type"] == "TaskFailed"
            ],
            output=None if failed else json.loads(str(execution["output"])),
            error=str(execution["error"]) if failed else None,
            cause=str(execution["cause"]) if failed else None,
        )

    def invoke_resource(self, resource: str, arguments: dict[str, Any]) -> Any:
        """Stand for the services that Tasks call."""
        try:
            if resource == "arn:aws:states:::lambda:invoke":
                payload = json.loads(json.dumps(arguments["Payload"]))
                result = self.world.invoke(arguments["FunctionName"], payload, arguments["ClientContext"])
                return {"StatusCode": 200, "Payload": result}
            assert resource == "arn:aws:states:::events:putEvents"
            for entry in arguments["Entries"]:
                self.world.publish(entry)
        except Raised as raised:
            cause = "" if raised.error == TIMED_OUT else json.dumps({"errorType": raised.error})
            raise self._interpreter._ExecutionError(raised.error, cause) from None
        return {"FailedEntryCount": 0}

    def put_item(self, _resource: str, arguments: dict[str, Any]) -> Any:
        """Stand for the table of waiting orders."""
        self._token = arguments["Item"]["token"]["S"]
        try:
            self.world.put(arguments["Item"])
        except Raised as raised:
            raise self._interpreter._ExecutionError(raised.error, "") from None
        return {}

    def wait_for_token(self, seconds: float) -> bool:
        """Stand for the event that a token sets."""
        if not self.world.woken(seconds):
            return False
        self._interpreter._send_task_success({"taskToken": self._token, "output": "{}"})
        return True


@contextmanager
def engine() -> Iterator[Engine]:
    """Patch MiniStack as the embedded AWS does, and take its clock and its services away."""
    patches.require_release()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SFN_WAIT_SCALE", "1")
        from ministack.services import stepfunctions

        replaced = [name for name in vars(stepfunctions) if name.startswith("_") or name == "handle_request"]
        for name in replaced:  # so that all of them come back
            patch.setattr(stepfunctions, name, getattr(stepfunctions, name))
        longest = partial(retries.retry_delay, uniform=lambda _low, high: high)
        retries.wait_as_declared(stepfunctions)
        callbacks.time_as_declared(stepfunctions)
        redrives.allow(stepfunctions)
        running = Engine(stepfunctions)
        patch.setattr(retries, "retry_delay", longest)
        patch.setattr(retries, "time", SimpleNamespace(sleep=lambda seconds: running.world.wait(seconds)))
        patch.setattr(stepfunctions, "time", SimpleNamespace(sleep=lambda _seconds: None, time=time.time))
        patch.setattr(stepfunctions, "_scaled_sleep", lambda seconds: running.world.wait(seconds))
        event = SimpleNamespace(wait=lambda timeout: running.wait_for_token(timeout), set=lambda: None)
        patch.setattr(stepfunctions, "threading", SimpleNamespace(Event=lambda: event))
        patch.setattr(stepfunctions, "_invoke_resource", running.invoke_resource)
        patch.setattr(stepfunctions, "_invoke_aws_sdk_integration", running.put_item)
        patch.setattr(stepfunctions, "_emit_execution_status_event", lambda _execution: None)
        yield running
