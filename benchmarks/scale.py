"""What breaks first as orders grow, what an outage piles up, and what a million orders cost: `make scale`.

Demand is computed from the workflow's definition, limits are AWS's defaults, and an outage is simulated with
the definition's own Retry fields. The tables go into docs/scale.md too, and a test keeps them there equal.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from benchmarks.measured import table
from benchmarks.payment_schedule import followed
from benchmarks.workflow_cost import (
    EVENT_PUBLISHED,
    LAMBDA_GB_SECOND,
    LAMBDA_REQUEST,
    MEMORY_GB,
    MILLION,
    STANDARD_TRANSITION,
)
from tools.sam import ROOT

RATES = (10, 1_000, 100_000)  # orders a minute
MINUTE, HOUR = 60, 3600
DOCUMENT = ROOT / "docs/scale.md"
BEGIN, END = "<!-- written by make scale -->", "<!-- end of what make scale writes -->"

# Assumed, and stated in docs/scale.md: how soon shoppers pay, and how long WeChat Pay takes to answer.
PAID = {5.0: 0.90, 300.0: 0.07, 6 * 3600.0: 0.02, None: 0.01}
CALL_SECONDS = 0.3  # a completion or a query, with our part
SECRET_SECONDS = 300  # an execution environment reads a merchant's secret again after that
LOG_BYTES_AN_ATTEMPT = 1_800
LOG_BYTES_A_TRANSITION = 500
LOGS_GB = 0.50


@dataclass(frozen=True)
class Limits:
    """AWS's default quotas in one kind of region, for an account; all but the last can be raised."""

    region: str
    starts: float
    transitions: float
    invocations_by_rules: float
    published: float
    concurrency: int = 1_000
    secret_reads: float = 10_000
    open_executions: int = 1_000_000


LARGE = Limits("us-east-1, us-west-2, eu-west-1", 300, 5_000, 18_750, 10_000)
OTHER = Limits("other regions, both of China's among them", 150, 800, 1_100, 600)


@dataclass(frozen=True)
class Demand:
    """What orders at a steady rate ask of AWS, each second."""

    starts: float
    transitions: float
    invocations_by_rules: float
    published: float
    concurrency: float
    secret_reads: float
    open_executions: float


@dataclass(frozen=True)
class Order:
    """One average order."""

    transitions: float
    attempts: float
    published: float
    open_seconds: float


def average() -> Order:
    """An order that is completed at once and paid as PAID has it."""
    ways = [(followed(after), share) for after, share in PAID.items()]
    return Order(
        transitions=sum(way.transitions * share for way, share in ways),
        attempts=1 + sum(way.queries * share for way, share in ways),
        published=2.0,  # Order Completed; Order Paid or Order Payment Overdue
        open_seconds=sum(way.announced * share for way, share in ways) + 2,
    )


def demand(orders_a_minute: float, order: Order) -> Demand:
    """What this many average orders need."""
    rate = orders_a_minute / MINUTE
    concurrency = rate * order.attempts * CALL_SECONDS
    return Demand(
        starts=rate,
        transitions=rate * order.transitions,
        invocations_by_rules=rate,
        published=rate * (1 + order.published),
        concurrency=concurrency,
        # Every environment reads the secret of every merchant it serves; here one merchant.
        secret_reads=max(concurrency, 1) / SECRET_SECONDS,
        open_executions=rate * order.open_seconds,
    )


def uses(limits: Limits, needed: Demand) -> dict[str, float]:
    """The share of each limit that is used, the most used first."""
    shares = {name: value / getattr(limits, name) for name, value in vars(needed).items()}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def breaking_point(limits: Limits, order: Order) -> tuple[str, float]:
    """The first limit to be reached, and at how many orders a minute."""
    name, share = next(iter(uses(limits, demand(1, order)).items()))
    return name, 1 / share


def dollars(order: Order) -> dict[str, float]:
    """A million average orders in us-east-1, part by part."""
    seconds = order.attempts * CALL_SECONDS
    logs = order.attempts * LOG_BYTES_AN_ATTEMPT + order.transitions * LOG_BYTES_A_TRANSITION
    parts = {
        "Step Functions": order.transitions * STANDARD_TRANSITION,
        "Lambda": order.attempts * LAMBDA_REQUEST + seconds * MEMORY_GB * LAMBDA_GB_SECOND,
        "EventBridge": (1 + order.published) * EVENT_PUBLISHED,
        "CloudWatch Logs": logs / 1e9 * LOGS_GB,
    }
    return {name: value * MILLION for name, value in parts.items()}


def retrier(error: str) -> dict[str, Any]:
    """The retrier of ServiceEnded that names this error."""
    text = (ROOT / "statemachine/service_ended.asl.yaml").read_text(encoding="utf-8")
    retriers: list[dict[str, Any]] = yaml.safe_load(text)["States"]["ServiceEnded"]["Retry"]
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
            in_last_quarter += arrived + at > ends - 900
        else:
            lost += 1
    settled.sort()
    rate = in_last_quarter * scale / 900
    return Outage(
        waiting=sampled * scale,
        attempts_a_second=rate,
        concurrency=rate * seconds_an_attempt,
        minutes_to_95=settled[int(len(settled) * 0.95)] / 60,
        minutes_to_all=settled[-1] / 60,
        lost=lost * scale,
    )


def report() -> str:
    """Everything as Markdown tables."""
    order = average()
    return "\n\n".join((_limits_table(order), _breaking_table(order), _outages_table(), _costs_table(order)))


def _limits_table(order: Order) -> str:
    rows = []
    for limits in (LARGE, OTHER):
        for rate in RATES:
            shares = list(uses(limits, demand(rate, order)).items())[:3]
            rows.append((f"{rate:,}", limits.region, *(f"{name} {share:.1%}" for name, share in shares)))
    return table(("orders a minute", "region", "most used", "then", "then"), rows)


def _breaking_table(order: Order) -> str:
    rows = [
        (limits.region, name, f"{rate:,.0f}")
        for limits in (LARGE, OTHER)
        for name, rate in [breaking_point(limits, order)]
    ]
    return table(("region", "breaks first", "at orders a minute"), rows)


def _outages_table() -> str:
    rows = []
    for rate in RATES:
        for hours, seconds, kind in (
            (2, 0.3, "refused at once"),
            (2, 20.0, "timeouts"),
            (12, 20.0, "timeouts"),
        ):
            found = outage(rate, hours, seconds)
            rows.append(
                (
                    f"{rate:,}",
                    f"{hours} h, {kind}",
                    f"{found.waiting:,.0f}",
                    f"{found.attempts_a_second:,.1f}",
                    f"{found.concurrency:,.0f}",
                    f"{found.minutes_to_95:.0f} min",
                    f"{found.minutes_to_all:.0f} min",
                    f"{found.lost:,.0f}",
                )
            )
    heads = ("orders a minute", "outage", "waiting at its end", "attempts a second", "concurrency")
    return table((*heads, "95% settled after", "all after", "interrupted"), rows)


def _costs_table(order: Order) -> str:
    parts = dollars(order)
    rows = [(name, f"{value:.2f}") for name, value in parts.items()]
    rows.append(("together", f"{sum(parts.values()):.2f}"))
    average_order = f"{order.transitions:.2f} transitions, {order.attempts:.2f} attempts"
    return table((f"a million orders of {average_order}", "USD"), rows)


def written(document: str) -> str:
    """The document with its tables replaced by today's."""
    begin, _, rest = document.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(END)
    return f"{begin}{BEGIN}\n\n{report()}\n\n{end}{after}"


if __name__ == "__main__":
    print(report())
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
