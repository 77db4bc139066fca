"""Retriers: AWS honours MaxDelaySeconds and JitterStrategy, MiniStack neither."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
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
    """Honour MaxDelaySeconds and JitterStrategy: wait here, and leave MiniStack nothing to wait for."""
    original = named(stepfunctions, "_find_matching_retrier")
    scale: float = named(stepfunctions, "_SFN_WAIT_SCALE")

    def find(
        retriers: list[dict[str, Any]], error: str, counts: dict[int, int]
    ) -> tuple[dict[str, Any] | None, int]:
        retrier, index = original(retriers, error, counts)
        if retrier is None:
            return None, index
        time.sleep(retry_delay(retrier, counts.get(index, 0)) * scale)
        return {**retrier, "IntervalSeconds": 0}, index

    stepfunctions._find_matching_retrier = find  # type: ignore[attr-defined]
