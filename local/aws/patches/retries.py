"""Retriers: AWS honours MaxDelaySeconds and JitterStrategy, MiniStack neither."""

import contextvars
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from local.aws.patches.ministack import named


def retry_delay(
    retrier: dict[str, Any], retries: int, uniform: Callable[[float, float], float] = random.uniform
) -> float:
    """Seconds before the next attempt, after `retries` retries of this retrier (Amazon States Language)."""
    delay = float(retrier.get("IntervalSeconds", 1)) * float(retrier.get("BackoffRate", 2.0)) ** retries
    delay = min(delay, float(retrier.get("MaxDelaySeconds", delay)))
    return uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else delay


def wait_as_declared(stepfunctions: ModuleType) -> None:
    """Honour MaxDelaySeconds and JitterStrategy: wait here, and leave MiniStack nothing to wait for.

    Waits are scaled, and a Task's `State.EnteredTime` goes back by what the scale takes off each of them: a
    function that counts from it has as much time behind it as after the whole wait.
    """
    original, execute = named(stepfunctions, "_find_matching_retrier"), named(stepfunctions, "_execute_task")
    scale: float = named(stepfunctions, "_SFN_WAIT_SCALE")
    of_task: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("state of the Task")

    def execute_task(state: Any, given: Any, execution: Any, context: Any) -> Any:
        token = of_task.set(context["State"])
        try:
            return execute(state, given, execution, context)
        finally:
            of_task.reset(token)

    def find(
        retriers: list[dict[str, Any]], error: str, counts: dict[int, int]
    ) -> tuple[dict[str, Any] | None, int]:
        retrier, index = original(retriers, error, counts)
        if retrier is None:
            return None, index
        delay = retry_delay(retrier, counts.get(index, 0))
        time.sleep(delay * scale)
        if state := of_task.get(None):
            state["EnteredTime"] = _earlier(state["EnteredTime"], delay * (1 - scale))
        return {**retrier, "IntervalSeconds": 0}, index

    stepfunctions._execute_task = execute_task  # type: ignore[attr-defined]
    stepfunctions._find_matching_retrier = find  # type: ignore[attr-defined]


def _earlier(entered: str, seconds: float) -> str:
    moment = datetime.fromisoformat(entered) - timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
