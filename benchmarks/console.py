"""`make bench-console`: the console's list with 1,000 orders, in a real browser.

The orders are executions of the deployed stack's machine, which for this ends each one at once with the
result it is given; in the sandbox each is paid. Prints medians and worst; exits 1 when a median is over.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from wechatpay_sandbox import Simulator

from local.pages import console_over_stack
from operations.target import Target
from tools.browser import Browser

ORDERS = 1000
GOAL_MS = 200
_TIMES = 20
_CHANGES = 10
_AT_ONCE = 8
_ENDS_AT_ONCE = {
    "StartAt": "Settled",
    "States": {"Settled": {"Type": "Pass", "InputPath": "$.result", "End": True}},
}
# Milliseconds from the start of the navigation: the page is whole; its first live update is shown.
_LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"
_UPDATED = """new Promise((resolve) => {
  const part = document.querySelector("[data-live]");
  const poll = () => part.dataset.updates ? resolve(performance.now()) : requestAnimationFrame(poll);
  poll();
})"""
# The wall clock when an order is in the list.
_SHOWN = """new Promise((resolve) => {
  const poll = () => document.querySelector("[data-live]").textContent.includes(%s)
    ? resolve(Date.now()) : requestAnimationFrame(poll);
  poll();
})"""


def main() -> int:
    """Measure. Returns the exit status."""
    with console_over_stack(debit_after=None) as (url, stack, simulator):
        client = stack.client("stepfunctions")
        machine = Target(stack.name).whole_state_machine
        client.update_state_machine(stateMachineArn=machine, definition=json.dumps(_ENDS_AT_ONCE))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda _: _paid(simulator, client, machine), range(ORDERS)))
        with Browser() as browser:
            browser.goto(url)
            browser.evaluate(_SHOWN % json.dumps(f"1-100 of {ORDERS}"))
            times = _measure(browser, url.partition("?")[0], lambda: _paid(simulator, client, machine))
    return _report(times)


def _measure(browser: Browser, address: str, pay: Any) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"page": [], "first live update": [], "a settled order is shown": []}
    for _ in range(_TIMES):
        browser.goto(address)
        times["first live update"].append(float(browser.evaluate(_UPDATED)))
        times["page"].append(float(browser.evaluate(_LOADED)))
    for each in range(_CHANGES):
        settled: list[float] = []
        later = threading.Timer(0.5 + 0.037 * each, lambda: settled.append(_when(pay)))  # noqa: B023
        later.start()
        shown = float(browser.evaluate(_SHOWN % json.dumps(f"of {ORDERS + each + 1}")))
        later.join()
        times["a settled order is shown"].append(shown - settled[0])
    return times


def _when(pay: Any) -> float:
    pay()
    return time.time() * 1000


def _paid(simulator: Simulator, client: Any, machine: str) -> None:
    number = f"BENCH-{uuid.uuid4().hex[:20]}"
    simulator.open_order(number, state="FINISHED", finish_type=2, total_amount=300)
    simulator.pay(number)
    fees = [{"fee_name": "矿泉水", "fee_amount": 300}]
    event = {"out_order_no": number, "finish_type": 2, "fees": fees, "total_amount": 300}
    result = {
        **event,
        "mchid": simulator.secret()["mchid"],
        "outcome": "COMPLETED",
        "evidence": "REPLY",
        "payment": {"state": "PAID"},
    }
    client.start_execution(stateMachineArn=machine, input=json.dumps({**event, "result": result}))


def _report(times: dict[str, list[float]]) -> int:
    print(f"the console's list with {ORDERS} orders, in milliseconds (goal {GOAL_MS}):")
    for name, values in times.items():
        print(f"  {name:26} median {statistics.median(values):4.0f}   worst {max(values):4.0f}")
    return int(any(statistics.median(times[name]) > GOAL_MS for name in ("page", "first live update")))


if __name__ == "__main__":
    sys.exit(main())
