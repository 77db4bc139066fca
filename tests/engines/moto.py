"""The workflow in the interpreter of LocalStack, which moto carries, in this process.

It lacks an evaluator of JSONata, for which jsonata-python stands here, and RedriveCount in the context.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, metadata
from types import SimpleNamespace
from typing import Any

import jsonata
import pytest
from botocore.exceptions import ClientError

from tests.engines.world import EXECUTION, MACHINE, TIMED_OUT, Raised, Run, World

RELEASE = "5.2.5"
_PARSER = "moto.stepfunctions.parser"
_ASL = f"{_PARSER}.asl"
_TASK = f"{_ASL}.component.state.exec.state_task"
ROLE = "arn:aws:iam::000000000000:role/anyone"


class Engine:
    """Runs one execution at a time."""

    world: World

    def run(self, definition: dict[str, Any], event: dict[str, Any], world: World) -> Run:
        """Run an execution to its end."""
        self.world = world
        asl = import_module(f"{_ASL}.parse.asl_parser")
        program = asl.AmazonStateLanguageParser.parse(json.dumps(definition))[0]
        environment = _environment(event)
        program.eval(environment)
        history = environment.event_manager.get_event_history()
        (end,) = (event for event in history if event["type"] in ("ExecutionSucceeded", "ExecutionFailed"))
        failed = end.get("executionFailedEventDetails")
        succeeded = end.get("executionSucceededEventDetails", {})
        return Run(
            status="FAILED" if failed is not None else "SUCCEEDED",
            states=[
                event["stateEnteredEventDetails"]["name"]
                for event in history
                if event["type"].endswith("StateEntered")
            ],
            raised=[
                event.get("taskFailedEventDetails", {"error": TIMED_OUT})["error"]
                for event in history
                if event["type"] in ("TaskFailed", "TaskTimedOut")
            ],
            output=json.loads(succeeded["output"]) if failed is None else None,
            error=None if failed is None else failed.get("error"),
            cause=None if failed is None else failed.get("cause"),
        )

    def invoke(self, parameters: dict[str, Any], **_where: Any) -> dict[str, Any]:
        """Stand for Lambda."""
        try:
            payload = json.loads(parameters["Payload"])
            result = self.world.invoke(parameters["FunctionName"], payload, parameters["ClientContext"])
        except Raised as raised:
            if raised.error == TIMED_OUT:
                raise _timeout() from None
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": {"errorType": raised.error}}
        return {"StatusCode": 200, "Payload": result}

    def put_events(self, **arguments: Any) -> dict[str, Any]:
        """Stand for EventBridge."""
        try:
            for entry in arguments["Entries"]:
                self.world.publish(entry)
        except Raised as raised:
            if raised.error == TIMED_OUT:
                raise _timeout() from None
            return {"FailedEntryCount": 1}  # EventBridge.FailedEntry, the only other error that is named here
        return {"FailedEntryCount": 0}

    def put_item(self, **arguments: Any) -> dict[str, Any]:
        """Stand for the table of waiting orders."""
        try:
            self.world.put(arguments["Item"])
        except Raised as raised:
            raise _client_error(raised.error) from None
        return {}

    def client(self, service: str, **_where: Any) -> Any:
        """Stand for boto3."""
        assert service in ("events", "dynamodb")
        return SimpleNamespace(put_events=self.put_events, put_item=self.put_item)


@contextmanager
def engine() -> Iterator[Engine]:
    """Give the interpreter an evaluator, and take its clock and its services away."""
    assert metadata.version("moto") == RELEASE
    running = Engine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module(f"{_ASL}.jsonata.jsonata"), "_eval_jsonata", _evaluated)
        patch.setattr(import_module(f"{_TASK}.lambda_eval_utils"), "_invoke_lambda_function", running.invoke)
        for service in ("aws_sdk", "events"):
            module = import_module(f"{_TASK}.service.state_task_service_{service}")
            patch.setattr(module, "boto_client_for", running.client)
        retry = f"{_ASL}.component.common.retry"
        sleeping = SimpleNamespace(sleep=lambda seconds: running.world.wait(seconds))
        longest = SimpleNamespace(uniform=lambda _low, high: high)
        patch.setattr(import_module(f"{retry}.retrier_decl"), "time", sleeping)
        patch.setattr(import_module(f"{retry}.jitter_strategy_decl"), "random", longest)
        waits = import_module(f"{_ASL}.component.state.wait.wait_function.wait_function")
        patch.setattr(
            waits.WaitFunction,
            "_wait_interval",
            lambda _self, env, wait_seconds: running.world.wait(wait_seconds),
        )
        callback = import_module(f"{_ASL}.eval.callback.callback")

        def wait_for_token(endpoint: Any, timeout: float) -> Any:
            if not running.world.woken(timeout):
                return None
            return callback.CallbackOutcomeSuccess(callback_id=endpoint.callback_id, output="{}")

        patch.setattr(callback.CallbackEndpoint, "wait", wait_for_token)
        yield running


def _evaluated(expression: str) -> Any:
    try:
        return jsonata.Jsonata(expression).evaluate(None)
    except Exception as exc:
        raise import_module(f"{_ASL}.jsonata.jsonata").JSONataException("UNKNOWN", str(exc)) from exc


def _environment(event: dict[str, Any]) -> Any:
    environment = import_module(f"{_ASL}.eval.environment")
    details = import_module(f"{_ASL}.eval.evaluation_details")
    manager = import_module(f"{_ASL}.eval.event.event_manager")
    execution = {
        "Id": EXECUTION,
        "Input": event,
        "Name": "one",
        "RoleArn": ROLE,
        "StartTime": "2025-10-01T00:00:00Z",
        "RedriveCount": 0,
    }
    return environment.Environment(
        aws_execution_details=details.AWSExecutionDetails("000000000000", "us-east-1", ROLE),
        execution_type="STANDARD",
        context={"Execution": execution, "StateMachine": {"Id": MACHINE, "Name": "ServiceEnded"}},
        event_history_context=manager.EventHistoryContext.of_program_start(),
        cloud_watch_logging_session=None,
        activity_store={},
    )


def _timeout() -> Exception:
    error: Exception = import_module(f"{_ASL}.component.common.timeouts.timeout").EvalTimeoutError()
    return error


def _client_error(name: str) -> Exception:
    """Return the error of botocore that the engine names so: by the name of its class."""
    answer: Any = {
        "Error": {"Code": "", "Message": ""},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": "one"},
    }
    error: Exception = type(name.rpartition(".")[2], (ClientError,), {})(answer, "call")
    return error
