"""An outage of WeChat Pay, simulated with the Retry fields of the workflow's own definition."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools import workflow

HOUR = 3600
_LAST_QUARTER = 900  # seconds


def retrier(error: str) -> dict[str, Any]:
    """The retrier of ServiceEnded that names this error."""
    retriers: list[dict[str, Any]] = workflow.definition()["States"]["ServiceEnded"]["Retry"]
    return next(each for each in retriers if error in each["ErrorEquals"])


def attempts(retry: dict[str, Any], seconds_an_attempt: float, chance: random.Random) -> Iterator[float]:
    """When each attempt of one order begins, in seconds from its first, with full jitter."""
    at = 0.0
    yield at
    for count in range(retry["MaxAttempts"]):
        longest = min(retry["IntervalSeconds"] * retry["BackoffRate"] ** count, retry["MaxDelaySeconds"])
        at += seconds_an_attempt + chance.uniform(0, longest)
        yield at


@dataclass(frozen=True)
class Outage:
    """What an outage leaves behind, for orders at a steady rate."""

    waiting: float
    attempts_a_second: float
    concurrency: float
    minutes_to_95: float
    minutes_to_all: float
    lost: float


def outage(
    orders_a_minute: float, hours: float, seconds_an_attempt: float, sampled: int = 4_000, seed: int = 1
) -> Outage:
    """Simulate an outage of WeChat Pay during which every attempt fails after so many seconds.

    Orders arrive at random over the outage; a sample of them stands for all.
    """
    chance, retry, ends = random.Random(seed), retrier("WeChatPayUnavailable"), hours * HOUR
    scale = orders_a_minute * 60 * hours / sampled
    in_last_quarter, settled, lost = 0, [], 0
    for _ in range(sampled):
        arrived = chance.uniform(0, ends)
        for at in attempts(retry, seconds_an_attempt, chance):
            if arrived + at > ends:
                settled.append(arrived + at - ends)
                break
            in_last_quarter += arrived + at > ends - _LAST_QUARTER
        else:
            lost += 1
    settled.sort()
    rate = in_last_quarter * scale / _LAST_QUARTER
    return Outage(
        waiting=sampled * scale,
        attempts_a_second=rate,
        concurrency=rate * seconds_an_attempt,
        minutes_to_95=settled[int(len(settled) * 0.95)] / 60,
        minutes_to_all=settled[-1] / 60,
        lost=lost * scale,
    )
