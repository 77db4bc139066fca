"""What a function raises: AWS reports it by the name of its class, and the process lives on.

MiniStack reports `Runtime.HandlerError`, and ends the process, so that the next call is a cold start.
"""

import json
from types import ModuleType
from typing import Any

from local.aws.patches.ministack import named, replace_in_worker

_RAISED = "embedded-aws:raised"
_INIT_FAILED = "Worker init failed: "
# How a function's process that ended in the middle of a call shows up in MiniStack.
_PROCESS_GONE = ("Worker process died", "Broken pipe", "Worker process exited immediately")


def keep_names(lambda_runtime: ModuleType, lambda_svc: ModuleType) -> None:
    """Report what a function raised as AWS does, and let its process live on as it does there."""
    replace_in_worker(lambda_runtime, _CALL_FAILED, _REPORT_CALL_FAILED)
    replace_in_worker(lambda_runtime, _INIT_RAISED, _REPORT_INIT_RAISED)
    original = named(lambda_svc, "_execute_function_warm")

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
