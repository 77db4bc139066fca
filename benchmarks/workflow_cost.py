"""Part 5: what Step Functions bills for an order by its path, and what other designs would cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wechatpay_sandbox import Simulator

from benchmarks import prices
from benchmarks.measured import Part, table
from benchmarks.payment_schedule import CASES, followed
from benchmarks.rig import EVENT
from local.stack import Stack
from operations import executions

MILLION = 1_000_000
WAIT_SCALE = 0.002  # of the stack that is measured

# Assumed, and the same for every design: WeChat Pay answers in 150 ms, and our part takes as long again on
# the share of a processor that 512 MB get.
BILLED_SECONDS = 0.3
MEMORY_GB = 0.5
EXPRESS_MEMORY_GB = 64 / 1024
EXPRESS_SECONDS = 0.4  # billed in steps of 100 ms
SQS_REQUESTS = 3  # send, receive, delete; for each thing to do now or later
INVOKING = ("ServiceEnded", "QueryOrder")


@dataclass(frozen=True)
class Path:
    """One way through the workflow: what makes an order take it.

    Attributes:
        name: for people, and in tests.
        event: fields of the order event that differ from the usual.
        faults: simulated misbehaviour, as `Simulator.script` takes it.
    """

    name: str
    event: Mapping[str, Any] = field(default_factory=dict)
    faults: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Billed:
    """What one order's execution came to."""

    states: tuple[str, ...]
    retries: int
    status: str

    @property
    def transitions(self) -> int:
        """State transitions as Step Functions bills them: the start, each state entered, and each retry."""
        return 1 + len(self.states) + self.retries

    @property
    def invocations(self) -> int:
        """Calls of a function."""
        return sum(state in INVOKING for state in self.states) + self.retries

    @property
    def published(self) -> int:
        """Events published about the order."""
        return sum(state.startswith("Order") for state in self.states)


USUAL = "completed, paid when first asked"
HOSTS = 2  # an order settles over the backup host while that answers
_ABOVE_CAP = {
    "fees": [{"fee_name": "水", "fee_amount": 90_000_00}],
    "discounts": [],
    "total_amount": 90_000_00,
}
PATHS = (
    Path(USUAL),
    Path("completed, nothing to pay", {"fees": [{"fee_name": "水", "fee_amount": 100}], "total_amount": 0}),
    Path("cancelled", {"finish_type": 1, "cancel_reason": "未取商品", "total_amount": 0}),
    Path("failed: refused by WeChat Pay", _ABOVE_CAP),
    Path("failed: invalid event", {"total_amount": "12.00"}),
    Path("completed and paid, after one retry", faults=({"fault": "unavailable", "times": HOSTS},)),
    Path("completed and paid, after three retries", faults=({"fault": "rate_limited", "times": 3},)),
    Path("misconfigured merchant", {"mchid": "1900009999"}),
)
_NOT_IN_A_CANCELLATION = ("fees", "discounts", "real_service_end_location")


def measure(stack: Stack, simulator: Simulator, paths: Sequence[Path] = PATHS) -> dict[str, Billed]:
    """Send one order down each path and count what its execution history shows."""
    return {path.name: _run(path, number, stack, simulator) for number, path in enumerate(paths)}


def per_million(billed: Billed) -> float:
    """Dollars of state transitions for a million orders of this path."""
    return billed.transitions * prices.STANDARD_TRANSITION * MILLION


def designs(completed: Billed) -> dict[str, tuple[float, float, float]]:
    """Dollars for a million completed orders by design: orchestration, compute, events and queues."""
    invocation = prices.LAMBDA_REQUEST + BILLED_SECONDS * MEMORY_GB * prices.LAMBDA_GB_SECOND
    compute = completed.invocations * invocation * MILLION
    events = (1 + completed.published) * prices.EVENT_PUBLISHED * MILLION
    queue = completed.invocations * SQS_REQUESTS * prices.SQS_REQUEST * MILLION
    express = (
        prices.EXPRESS_REQUEST + EXPRESS_SECONDS * EXPRESS_MEMORY_GB * prices.EXPRESS_GB_SECOND
    ) * MILLION
    return {
        "Standard (this one)": (per_million(completed), compute, events),
        "Express, a queue before it for what takes longer than 5 minutes": (express, compute, events + queue),
        "Lambda only, behind a queue": (0.0, compute, events + queue),
    }


def report(billed: dict[str, Billed]) -> Part:
    """Put transitions and costs into tables, and say why this design."""
    paths = table(
        ("path", "states entered", "retries", "transitions", "USD per million orders"),
        [
            (
                name,
                str(len(each.states)),
                str(each.retries),
                str(each.transitions),
                f"{per_million(each):.0f}",
            )
            for name, each in billed.items()
        ],
    )
    compared = table(
        ("design", "orchestration", "compute", "events, queues", "USD per million orders"),
        [
            (name, *(f"{part:.2f}" for part in parts), f"{sum(parts):.2f}")
            for name, parts in designs(billed[USUAL]).items()
        ],
    )
    paid = table(
        ("paid", "queries", "last query after", "transitions", "USD per million orders"),
        [
            (
                name,
                str(order.queries),
                f"{order.announced} s",
                str(order.transitions),
                f"{order.transitions * prices.STANDARD_TRANSITION * MILLION:.0f}",
            )
            for name, order in ((name, followed(paid_after)) for name, paid_after in CASES.items())
        ],
    )
    sources = ", ".join(prices.SOURCES)
    an_order = sum(designs(billed[USUAL])["Standard (this one)"]) / MILLION
    text = "\n\n".join(
        (
            "Counted from execution histories on the embedded AWS, as Step Functions bills: each state "
            "entered and each retry. The start is counted too, to be on the safe side.",
            paths,
            "An order that is paid later is asked about more often, by the schedule in the workflow's "
            "definition and with PaymentWaitDays at 7. Computed from it, at most:",
            paid,
            f"A million orders completed and paid when first asked, in us-east-1 at prices of {prices.AS_OF} "
            f"({sources}). Every design is assumed to need {BILLED_SECONDS * 1000:.0f} ms of a "
            f"{MEMORY_GB * 1024:.0f} MB function for a call; logs, metrics and secrets cost the same in all:",
            compared,
            _WHY.format(each=an_order),
        )
    )
    return Part("Workflow cost", text)


def _run(path: Path, number: int, stack: Stack, simulator: Simulator) -> Billed:
    event = {**EVENT, "out_order_no": f"COST-{number}", **path.event}
    if event["finish_type"] == 1:
        for name in _NOT_IN_A_CANCELLATION:
            event.pop(name)
    simulator.open_order(event["out_order_no"], finish_ticket=event["finish_ticket"])
    for fault in path.faults:
        simulator.script(event["out_order_no"], **fault)
    workflow = stack.client("stepfunctions")
    ended = executions.follow(workflow, stack.start(json.dumps(event), "cost"))
    return Billed(tuple(ended.states), _retries(workflow, ended.arn), ended.status)


def _retries(workflow: Any, arn: str) -> int:
    """Attempts at Tasks beyond the first of each."""
    kinds = [event["type"] for event in executions.history(workflow, arn)]
    return kinds.count("TaskScheduled") - kinds.count("TaskStateEntered")


_WHY = """\
Standard costs the most and is chosen for what it does with money on the way. It tries again for 24 hours by
itself, where Express ends after 5 minutes and an asynchronous Lambda after 6 hours and two more attempts; a
failed completion is redriven in place when its cause is corrected; every order has a history of 90 days to
answer questions with; and an execution runs each step once unless told otherwise. With the others all of
that would be ours to build, in queues, tables and code. It comes to USD {each:.6f} for an order."""
