"""What MiniStack does otherwise than AWS and this project would notice, put right.

Written against one release by reading its source: `install` refuses any other, and refuses when something
it replaces is not there, so that a difference never comes back unseen.
"""

from __future__ import annotations

import base64
import contextvars
import json
import random
import tempfile
import time
from collections.abc import Callable
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from hypercorn.typing import ASGIFramework

from local.aws import cloudwatch, processes
from local.aws.ministack import PatchError
from local.aws.ministack import named as _named

RELEASE = "1.5.33"
_RAISED = "embedded-aws:raised"
_INIT_FAILED = "Worker init failed: "
_LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
# How a function's process that ended in the middle of a call shows up in MiniStack.
_PROCESS_GONE = ("Worker process died", "Broken pipe", "Worker process exited immediately")


__all__ = ["PatchError", "install", "retry_delay"]


def install(function_python: str) -> ASGIFramework:
    """Wrap MiniStack in this process and return the application to serve.

    Functions run on `function_python`, an environment that holds what the Lambda runtime brings and no more.
    """
    release = metadata.version("ministack")
    if release != RELEASE:
        raise PatchError(
            f"the embedded AWS needs MiniStack {RELEASE}, found {release}: run `uv sync --locked`"
        )
    app = import_module("ministack.app")
    lambda_runtime = import_module("ministack.core.lambda_runtime")
    lambda_svc = import_module("ministack.services.lambda_svc")
    stepfunctions = import_module("ministack.services.stepfunctions")
    provisioners = import_module("ministack.services.cloudformation.provisioners")

    _run_functions_on(lambda_runtime, function_python)
    _keep_names_of_raised_errors(lambda_runtime, lambda_svc)
    _pass_client_context(lambda_runtime, lambda_svc, stepfunctions)
    _retry_as_declared(stepfunctions)
    _time_callbacks_as_declared(stepfunctions)
    _count_redrives(stepfunctions)
    _read_definitions_in_yaml(provisioners)
    _accept_what_only_people_see(provisioners)
    _take_versions_for_their_machine(provisioners)
    cloudwatch.wrap(lambda_svc, stepfunctions)
    processes.unpack_once(lambda_runtime, Path(tempfile.gettempdir(), "unpacked"))
    processes.drop_only_the_broken(lambda_runtime, lambda_svc)
    return _refuse_browsers(_named(app, "app"))


def retry_delay(
    retrier: dict[str, Any], retries: int, uniform: Callable[[float, float], float] = random.uniform
) -> float:
    """Seconds before the next attempt, after `retries` retries of this retrier (Amazon States Language)."""
    delay = float(retrier.get("IntervalSeconds", 1)) * float(retrier.get("BackoffRate", 2.0)) ** retries
    delay = min(delay, float(retrier.get("MaxDelaySeconds", delay)))
    return uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else delay


def _run_functions_on(lambda_runtime: ModuleType, function_python: str) -> None:
    original = _named(lambda_runtime, "_detect_runtime_binary")

    def detect(runtime: str) -> tuple[str, str]:
        binary, script = original(runtime)
        return (function_python, script) if runtime.startswith("python") else (binary, script)

    lambda_runtime._detect_runtime_binary = detect  # type: ignore[attr-defined]


def _keep_names_of_raised_errors(lambda_runtime: ModuleType, lambda_svc: ModuleType) -> None:
    """Report what a function raised as AWS does, and let its process live on as it does there."""
    _replace_in_worker(lambda_runtime, _CALL_FAILED, _REPORT_CALL_FAILED)
    _replace_in_worker(lambda_runtime, _INIT_RAISED, _REPORT_INIT_RAISED)
    original = _named(lambda_svc, "_execute_function_warm")

    def execute(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        reply: dict[str, Any] = original(func, event, request_id)
        body = reply.get("body")
        if not isinstance(body, dict):
            return reply
        if set(body) == {_RAISED}:
            return {**reply, "body": body[_RAISED], "error": True}
        message = str(body.get("errorMessage", ""))
        if reply.get("error") and message.startswith(_INIT_FAILED):
            return {
                **reply,
                "body": {**json.loads(message.removeprefix(_INIT_FAILED)), "requestId": request_id},
            }
        if reply.get("error") and any(sign in message for sign in _PROCESS_GONE):
            message = f"RequestId: {request_id} Error: Runtime exited without providing a reason"
            return {**reply, "body": {"errorMessage": message, "errorType": "Runtime.ExitError"}}
        return reply

    lambda_svc._execute_function_warm = execute  # type: ignore[attr-defined]


def _pass_client_context(
    lambda_runtime: ModuleType, lambda_svc: ModuleType, stepfunctions: ModuleType
) -> None:
    """Carry the ClientContext of a lambda:invoke Task to the handler's `context.client_context`."""
    given: contextvars.ContextVar[str] = contextvars.ContextVar("client_context", default="")
    _replace_in_worker(lambda_runtime, '"client_context": None,', _CLIENT_CONTEXT)
    invoke = _named(stepfunctions, "_invoke_resource")
    envelope = _named(lambda_svc, "_durable_env_overlay")

    def invoke_resource(resource: str, arguments: Any) -> Any:
        encoded = arguments.get("ClientContext", "") if isinstance(arguments, dict) else ""
        token = given.set(encoded if "states:::lambda:invoke" in resource else "")
        try:
            return invoke(resource, arguments)
        finally:
            given.reset(token)

    def with_client_context() -> dict[str, Any]:
        encoded = given.get()
        return (
            {**envelope(), "client_context": json.loads(base64.b64decode(encoded))} if encoded else envelope()
        )

    stepfunctions._invoke_resource = invoke_resource  # type: ignore[attr-defined]
    lambda_svc._durable_env_overlay = with_client_context  # type: ignore[attr-defined]


def _retry_as_declared(stepfunctions: ModuleType) -> None:
    """Honour MaxDelaySeconds and JitterStrategy: wait here, and leave MiniStack nothing to wait for."""
    original = _named(stepfunctions, "_find_matching_retrier")
    scale: float = _named(stepfunctions, "_SFN_WAIT_SCALE")

    def find(
        retriers: list[dict[str, Any]], error: str, counts: dict[int, int]
    ) -> tuple[dict[str, Any] | None, int]:
        retrier, index = original(retriers, error, counts)
        if retrier is None:
            return None, index
        time.sleep(retry_delay(retrier, counts.get(index, 0)) * scale)
        return {**retrier, "IntervalSeconds": 0}, index

    stepfunctions._find_matching_retrier = find  # type: ignore[attr-defined]


def _time_callbacks_as_declared(stepfunctions: ModuleType) -> None:
    """Let a Task that waits for its token time out by a JSONata expression, scaled as any wait."""
    execute = _named(stepfunctions, "_execute_task")
    evaluated = _named(stepfunctions, "_jsonata_state_field")
    scale: float = _named(stepfunctions, "_SFN_WAIT_SCALE")

    def execute_task(state: dict[str, Any], given: Any, execution: Any, context: Any) -> Any:
        if ".waitForTaskToken" in state.get("Resource", "") and "TimeoutSeconds" in state:
            seconds = evaluated(state, "TimeoutSeconds", "number", given, context)
            state = {**state, "TimeoutSeconds": seconds * scale}
        return execute(state, given, execution, context)

    stepfunctions._execute_task = execute_task  # type: ignore[attr-defined]


def _count_redrives(stepfunctions: ModuleType) -> None:
    """Let `$states.context.Execution` of a Task have RedriveCount, as AWS's context object has."""
    execute = _named(stepfunctions, "_execute_task")

    def execute_task(state: dict[str, Any], given: Any, execution: dict[str, Any], context: Any) -> Any:
        context["Execution"]["RedriveCount"] = execution.get("redriveCount", 0)
        return execute(state, given, execution, context)

    stepfunctions._execute_task = execute_task  # type: ignore[attr-defined]


def _read_definitions_in_yaml(provisioners: ModuleType) -> None:
    """Accept a workflow that a template declares in YAML, as CloudFormation does."""
    original = _named(provisioners, "_sfn_definition")
    yaml = import_module("yaml")

    def definition(props: dict[str, Any]) -> str:
        return json.dumps(yaml.safe_load(original(props)))

    provisioners._sfn_definition = definition  # type: ignore[attr-defined]


def _accept_what_only_people_see(provisioners: ModuleType) -> None:
    """Let a template hold resources that MiniStack does not know and that nothing which runs depends on.

    `AWS::Logs::QueryDefinition`: saved queries of the console. MiniStack refuses the whole template for one.
    """
    handlers: dict[str, Any] = _named(provisioners, "_RESOURCE_HANDLERS")

    def create(logical_id: str, _properties: Any, stack_name: str) -> tuple[str, dict[str, Any]]:
        return f"{stack_name}-{logical_id}", {}

    def update(physical_id: str, _old: Any, _new: Any, _stack_name: str) -> tuple[str, dict[str, Any]]:
        return physical_id, {}

    def delete(_physical_id: str, _properties: Any) -> None:
        """Delete nothing."""

    handlers["AWS::Logs::QueryDefinition"] = {"create": create, "update": update, "delete": delete}


def _take_versions_for_their_machine(provisioners: ModuleType) -> None:
    """Let a template publish versions and aliases of a workflow, which MiniStack does not know.

    Each has its machine's ARN here, so that what starts one starts the machine as it is now.
    """
    handlers: dict[str, Any] = _named(provisioners, "_RESOURCE_HANDLERS")

    def machine(properties: dict[str, Any]) -> str:
        preference = properties.get("DeploymentPreference") or {}
        routing = properties.get("RoutingConfiguration") or [preference]
        arn: str = properties.get("StateMachineArn") or routing[0]["StateMachineVersionArn"]
        return arn

    def create(_logical_id: str, properties: Any, _stack_name: str) -> tuple[str, dict[str, Any]]:
        return machine(properties), {"Arn": machine(properties)}

    def update(_physical_id: str, _old: Any, new: Any, _stack_name: str) -> tuple[str, dict[str, Any]]:
        return machine(new), {"Arn": machine(new)}

    def delete(_physical_id: str, _properties: Any) -> None:
        """Delete nothing: the machine is a resource of its own."""

    for kind in ("StateMachineVersion", "StateMachineAlias"):
        handlers[f"AWS::StepFunctions::{kind}"] = {"create": create, "update": update, "delete": delete}


def _refuse_browsers(app: Any) -> ASGIFramework:
    """Answer 403 to pages in a browser: to a foreign Origin, and to a name that was rebound to loopback."""

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        headers = {name.lower(): value for name, value in scope.get("headers", ())}
        host = headers.get(b"host", b"127.0.0.1").decode("latin-1").rsplit(":", 1)[0]
        if scope["type"] == "lifespan" or (b"origin" not in headers and host in _LOOPBACK_HOSTS):
            await app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})

    return guarded


def _replace_in_worker(lambda_runtime: ModuleType, old: str, new: str) -> None:
    script: str = _named(lambda_runtime, "_PYTHON_WORKER_SCRIPT")
    if script.count(old) != 1:
        raise PatchError(f"MiniStack's Python worker no longer has: {old.strip().splitlines()[0]}")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(old, new)  # type: ignore[attr-defined]


# Lines of the script that runs a function in its process, and what takes their place.
_CALL_FAILED = (
    """            _real_stdout.write(json.dumps({"status": "error", "error": str(e), "trace": """
    r"""traceback.format_exc()}) + "\n")
"""
)
_REPORT_CALL_FAILED = rf"""            _ms_name = type(e).__name__
            _ms_trace = traceback.format_list(traceback.extract_tb(e.__traceback__)[1:])
            print(f"[ERROR] {{_ms_name}}: {{e}}\nTraceback (most recent call last):\n" + "".join(_ms_trace))
            _real_stdout.write(json.dumps({{"status": "ok", "result": {{"{_RAISED}": {{
                "errorMessage": str(e), "errorType": _ms_name,
                "requestId": context.aws_request_id, "stackTrace": _ms_trace}}}}}}) + "\n")
"""
_INIT_RAISED = r"""        _real_stdout.write(json.dumps({"status": "error", "error": str(e)}) + "\n")
"""
_REPORT_INIT_RAISED = r"""        _ms_type, _ms_text = type(e).__name__, str(e)
        if isinstance(e, ImportError):
            _ms_type, _ms_text = "Runtime.ImportModuleError", f"Unable to import module '{module_name}': {e}"
        _real_stdout.write(json.dumps({"status": "error", "error": json.dumps({
            "errorMessage": _ms_text, "errorType": _ms_type,
            "stackTrace": traceback.format_list(traceback.extract_tb(e.__traceback__)[1:])})}) + "\n")
"""
_CLIENT_CONTEXT = r""""client_context": (lambda _cc: _cc and type("ClientContext", (), {
                "custom": _cc.get("custom"), "env": _cc.get("env"), "client": None})())(
                    (_ms_ctx.get("durable") or {}).get("client_context")),"""
