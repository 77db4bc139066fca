"""What breaks first as orders grow, what an outage piles up, and what a million orders cost: `make scale`.

Demand is computed from the workflow's definition, and limits are AWS's defaults. The tables go into
docs/scale.md too, and a test keeps them there equal.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import prices
from benchmarks.measured import table
from benchmarks.outage import outage
from benchmarks.payment_schedule import followed
from benchmarks.workflow_cost import MEMORY_GB, MILLION
from tools.sam import ROOT

RATES = (10, 1_000, 100_000)  # orders a minute
MINUTE = 60
DOCUMENT = ROOT / "docs/scale.md"
BEGIN, END = "<!-- written by make scale -->", "<!-- end of what make scale writes -->"

# Assumed, and stated in docs/scale.md: how soon shoppers pay, and how long WeChat Pay takes to answer.
PAID = {5.0: 0.90, 300.0: 0.07, 6 * 3600.0: 0.02, None: 0.01}
CALL_SECONDS = 0.3  # a completion or a query, with our part
SECRET_SECONDS = 300  # an execution environment reads a merchant's secret again after that
LOG_BYTES_AN_ATTEMPT = 1_800
LOG_BYTES_A_TRANSITION = 500


@dataclass(frozen=True)
class Load:
    """What orders at a steady rate ask of AWS, or what AWS allows an account; the first four each second."""

    starts: float
    transitions: float
    invocations_by_rules: float
    published: float
    concurrency: float = 1_000
    secret_reads: float = 10_000
    open_executions: float = 1_000_000


# AWS's default quotas by kind of region; all but the last can be raised.
LIMITS = {
    "us-east-1, us-west-2, eu-west-1": Load(300, 5_000, 18_750, 10_000),
    "other regions, both of China's among them": Load(150, 800, 1_100, 600),
}


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


def demand(orders_a_minute: float, order: Order) -> Load:
    """What this many average orders need."""
    rate = orders_a_minute / MINUTE
    concurrency = rate * order.attempts * CALL_SECONDS
    return Load(
        starts=rate,
        transitions=rate * order.transitions,
        invocations_by_rules=rate,
        published=rate * (1 + order.published),
        concurrency=concurrency,
        # Every environment reads the secret of every merchant it serves; here one merchant.
        secret_reads=max(concurrency, 1) / SECRET_SECONDS,
        open_executions=rate * order.open_seconds,
    )


def uses(limits: Load, needed: Load) -> dict[str, float]:
    """The share of each limit that is used, the most used first."""
    shares = {name: value / getattr(limits, name) for name, value in vars(needed).items()}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def breaking_point(limits: Load, order: Order) -> tuple[str, float]:
    """The first limit to be reached, and at how many orders a minute."""
    name, share = next(iter(uses(limits, demand(1, order)).items()))
    return name, 1 / share


def dollars(order: Order) -> dict[str, float]:
    """A million average orders in us-east-1, part by part."""
    seconds = order.attempts * CALL_SECONDS
    logs = order.attempts * LOG_BYTES_AN_ATTEMPT + order.transitions * LOG_BYTES_A_TRANSITION
    parts = {
        "Step Functions": order.transitions * prices.STANDARD_TRANSITION,
        "Lambda": order.attempts * prices.LAMBDA_REQUEST + seconds * MEMORY_GB * prices.LAMBDA_GB_SECOND,
        "EventBridge": (1 + order.published) * prices.EVENT_PUBLISHED,
        "CloudWatch Logs": logs / 1e9 * prices.LOGS_GB,
    }
    return {name: value * MILLION for name, value in parts.items()}


def report() -> str:
    """Everything as Markdown tables."""
    order = average()
    return "\n\n".join((_limits_table(order), _breaking_table(order), _outages_table(), _costs_table(order)))


def _limits_table(order: Order) -> str:
    rows = []
    for region, limits in LIMITS.items():
        for rate in RATES:
            shares = list(uses(limits, demand(rate, order)).items())[:3]
            rows.append((f"{rate:,}", region, *(f"{name} {share:.1%}" for name, share in shares)))
    return table(("orders a minute", "region", "most used", "then", "then"), rows)


def _breaking_table(order: Order) -> str:
    rows = [
        (region, name, f"{rate:,.0f}")
        for region, limits in LIMITS.items()
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
            left = outage(rate, hours, seconds)
            rows.append(
                (
                    f"{rate:,}",
                    f"{hours} h, {kind}",
                    f"{left.waiting:,.0f}",
                    f"{left.attempts_a_second:,.1f}",
                    f"{left.concurrency:,.0f}",
                    f"{left.minutes_to_95:.0f} min",
                    f"{left.minutes_to_all:.0f} min",
                    f"{left.lost:,.0f}",
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
