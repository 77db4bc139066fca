"""Reserved concurrency: AWS takes it from a template, and throttles by a name that a workflow can retry.

MiniStack throttles, but not a function that is called by an alias; it drops ReservedConcurrentExecutions of
a template, and reports a throttled Task as Lambda.Unknown.
"""

import json
from types import ModuleType
from typing import Any

from local.aws.patches.ministack import named

THROTTLED = "Lambda.TooManyRequestsException"


def name_throttles(stepfunctions: ModuleType) -> None:
    """Fail a Task whose function is throttled with the name that AWS gives it."""
    call = named(stepfunctions, "_call_lambda")
    failure = named(stepfunctions, "_ExecutionError")

    def call_lambda(function: Any, event: Any) -> Any:
        try:
            return call(function, event)
        except failure as exc:
            if exc.error == "Lambda.Unknown" and _throttle(exc.cause):
                raise failure(THROTTLED, "Rate Exceeded. (Service: Lambda, Status Code: 429)") from exc
            raise

    stepfunctions._call_lambda = call_lambda  # type: ignore[attr-defined]


def reserve_for_every_alias(lambda_svc: ModuleType) -> None:
    """Hold a version, which an alias stands for, to what is reserved for its function."""
    reserved = named(lambda_svc, "_reserved_concurrency")
    functions = named(lambda_svc, "_functions")

    def of_function(_version: dict[str, Any], config: dict[str, Any]) -> int | None:
        limit: int | None = reserved(functions.get(config["FunctionName"]), config)
        return limit

    lambda_svc._reserved_concurrency = of_function  # type: ignore[attr-defined]


def reserve_by_template(provisioners: ModuleType, lambda_svc: ModuleType) -> None:
    """Reserve what a template says; as on AWS, an update that does not change it keeps what a hand put."""
    handlers = named(provisioners, "_RESOURCE_HANDLERS")["AWS::Lambda::Function"]
    create, update = handlers["create"], handlers["update"]
    functions = named(lambda_svc, "_functions")

    def reserve(name: str, properties: dict[str, Any]) -> None:
        reserved = properties.get("ReservedConcurrentExecutions")
        functions[name]["concurrency"] = None if reserved is None else int(reserved)

    def created(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        result = create(logical_id, properties, stack)
        reserve(result[0], properties)
        return result

    def updated(physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any, **more: Any) -> Any:
        result = update(physical_id, old, new, *rest, **more)
        if old.get("ReservedConcurrentExecutions") != new.get("ReservedConcurrentExecutions"):
            reserve(result[0] if isinstance(result, tuple) else physical_id, new)
        return result

    handlers |= {"create": created, "update": updated}


def _throttle(cause: str) -> bool:
    try:
        return bool(json.loads(cause).get("__type") == "TooManyRequestsException")
    except (ValueError, AttributeError):
        return False
