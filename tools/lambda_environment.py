"""A function in this process as in Lambda: its module, loaded afresh, and the context of an invocation."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

from tools.sam import ROOT


def load(package: str, name: str = "app") -> ModuleType:
    """Load a module of a function once more, with settings and clients of its own."""
    spec = importlib.util.spec_from_file_location(
        f"{package}_{name}", ROOT / "functions" / package / f"{name}.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def context(
    function_name: str, milliseconds_left: Callable[[], int], client_context: object
) -> SimpleNamespace:
    """Return what Lambda hands to a handler beside the event."""
    return SimpleNamespace(
        function_name=function_name,
        invoked_function_arn=f"arn:aws:lambda:us-east-1:000000000000:function:{function_name}:live",
        memory_limit_in_mb=512,
        aws_request_id="0d8ac54b-5d41-4d65-b6ec-0a2d1f4e1c33",
        client_context=client_context,
        get_remaining_time_in_millis=milliseconds_left,
    )
