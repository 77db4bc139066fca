"""Part 6: from an event on the bus to the published result, on the embedded AWS, and what of it is ours."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from wechatpay_sandbox import Simulator

from benchmarks.measured import Part, Times, say, table
from benchmarks.rig import EVENT
from local.published import Listener
from local.stack import Stack
from operations.order_event import emit

ORDERS = 2_000
AT_A_TIME = 20
PATIENCE_SECONDS = 60.0
_REPORT = re.compile(r"REPORT RequestId: \S+\tDuration: ([0-9.]+) ms")


@dataclass(frozen=True)
class WholePath:
    """The times of the orders.

    Attributes:
        seconds: from the first event to the last result.
        times: from putting the event on the bus until its result is in a queue on the same bus.
        function: time of each invocation, from the function's own REPORT lines.
        provider: time of each call to WeChat Pay, from the function's own log.
    """

    seconds: float
    times: Times
    function: Times
    provider: Times

    @property
    def ours(self) -> float:
        """Milliseconds of a median order that are the function's own, its calls to WeChat Pay taken off."""
        return self.function.p50 - self.provider.p50


class Results(Listener):
    """When the result of each order was published, and who waits for which."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack, "benchmark-results", "Order Completed", receive=self._add)
        self._arrived: dict[str, float] = {}

    def wait_for(self, out_order_no: str) -> float:
        """Return when the result of this order arrived, in UNIX milliseconds, as the queue noted it."""
        with self.changed:
            if not self.changed.wait_for(lambda: out_order_no in self._arrived, PATIENCE_SECONDS):
                raise TimeoutError(f"{out_order_no} had no result in {PATIENCE_SECONDS:.0f} s")
            return self._arrived.pop(out_order_no)

    def _add(self, event: dict[str, Any], sent: float) -> None:
        self._arrived[event["detail"]["out_order_no"]] = sent


def measure(
    stack: Stack,
    simulator: Simulator,
    orders: int = ORDERS,
    at_a_time: int = AT_A_TIME,
) -> WholePath:
    """Put so many orders on the bus, so many at a time, each one after a result has come."""
    results = Results(stack)
    events = stack.client("events")

    def settle(number: int) -> float:
        out_order_no = f"PATH-{number}"
        simulator.open_order(out_order_no, finish_ticket=EVENT["finish_ticket"])
        started = time.time() * 1000
        emit(events, stack.outputs["EventBusName"], [{**EVENT, "out_order_no": out_order_no}])
        return results.wait_for(out_order_no) - started

    with results, ThreadPoolExecutor(at_a_time) as pool:
        list(pool.map(settle, range(-at_a_time, 0)))  # starts the function's instances
        warm = int(time.time() * 1000)
        started = time.monotonic()
        times = Times(pool.map(settle, range(orders)))
        seconds = time.monotonic() - started
    function, provider = _logged(stack, warm)
    say(f"{orders} orders in {seconds:.0f} s, p50 {times.p50:.0f} ms")
    return WholePath(seconds, times, function, provider)


def report(path: WholePath) -> Part:
    """Put the figures into a table."""
    rows = [
        (name, f"{times.p50:.1f}", f"{times.p99:.1f}")
        for name, times in (
            ("event on the bus to published result", path.times),
            ("of that, the function's invocation", path.function),
            ("of that, the call to WeChat Pay, signing and verifying included", path.provider),
        )
    ]
    orders = len(path.times)
    text = "\n\n".join(
        (
            f"{orders:,} orders on the embedded AWS, {AT_A_TIME} at a time, against the simulator, all on "
            f"this machine: {orders / path.seconds:.0f} orders per second.",
            table(("", "p50 ms", "p99 ms"), rows),
            f"Our own share of a median order, what the function adds to its call to WeChat Pay, is "
            f"{path.ours:.1f} ms, {100 * path.ours / path.times.p50:.1f} % of the whole. The rest is the "
            "embedded AWS, whose times say nothing about AWS, and waiting for the other orders' processor.",
        )
    )
    return Part("The whole path", text)


def _logged(stack: Stack, since: int) -> tuple[Times, Times]:
    """Read the function's log: the time of each invocation, and of each call to WeChat Pay."""
    invocations, calls = [], []
    group = f"/aws/lambda/{stack.name}-CompleteOrder"
    pages = stack.client("logs").get_paginator("filter_log_events")
    for page in pages.paginate(logGroupName=group, startTime=since):
        for event in page["events"]:
            if match := _REPORT.match(event["message"]):
                invocations.append(float(match[1]))
            elif '"called WeChat Pay"' in event["message"]:
                calls.append(float(json.loads(event["message"])["milliseconds"]))
    return Times(invocations), Times(calls)
