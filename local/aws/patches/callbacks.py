"""Tasks that wait for their token: AWS takes an expression as TimeoutSeconds, MiniStack a number only."""

from types import ModuleType
from typing import Any

from local.aws.patches.ministack import named


def time_as_declared(stepfunctions: ModuleType) -> None:
    """Let a Task that waits for its token time out by a JSONata expression, scaled as any wait."""
    execute = named(stepfunctions, "_execute_task")
    evaluated = named(stepfunctions, "_jsonata_state_field")
    scale: float = named(stepfunctions, "_SFN_WAIT_SCALE")

    def execute_task(state: dict[str, Any], given: Any, execution: Any, context: Any) -> Any:
        if ".waitForTaskToken" in state.get("Resource", "") and "TimeoutSeconds" in state:
            seconds = evaluated(state, "TimeoutSeconds", "number", given, context)
            state = {**state, "TimeoutSeconds": seconds * scale}
        return execute(state, given, execution, context)

    stepfunctions._execute_task = execute_task  # type: ignore[attr-defined]
