"""The ClientContext of a lambda:invoke Task: AWS hands it to the handler, MiniStack drops it."""

import base64
import contextvars
import json
from types import ModuleType
from typing import Any

from local.aws.patches.ministack import named, replace_in_worker


def hand_over(lambda_runtime: ModuleType, lambda_svc: ModuleType, stepfunctions: ModuleType) -> None:
    """Carry the ClientContext of a lambda:invoke Task to the handler's `context.client_context`."""
    given: contextvars.ContextVar[str] = contextvars.ContextVar("client_context", default="")
    replace_in_worker(lambda_runtime, '"client_context": None,', _CLIENT_CONTEXT)
    invoke = named(stepfunctions, "_invoke_resource")
    envelope = named(lambda_svc, "_durable_env_overlay")

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


# What takes the place of the one line about it in the script that runs a function.
_CLIENT_CONTEXT = r""""client_context": (lambda _cc: _cc and type("ClientContext", (), {
                "custom": _cc.get("custom"), "env": _cc.get("env"), "client": None})())(
                    (_ms_ctx.get("durable") or {}).get("client_context")),"""
