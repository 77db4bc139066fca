"""Plays the plan: every order on a thread of its own, so many at a time, each wave after the one before."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

from wechatpay_sandbox.client import Client

from chaos.evidence import ANNOUNCED, kept_for_a_person
from chaos.inbox import Inbox
from chaos.plan import Arrival, ChaosOrder
from chaos.wechat import open_order
from local.stack import Stack
from operations.executions import listed
from operations.order_event import emit

ORDER_SECONDS = 240.0
"""After this an order's next wave begins, whatever the outcome of the one before; the audit judges it."""
DRAIN_SECONDS = 120.0
OPERATOR_SECONDS = 1.0
RESUBMISSIONS = 3
RESUBMITTED = "resubmit"
"""Label of an execution that sends an order again: by it the function knows that it was tried before."""


class Load:
    """Brings the orders in, and is the operator who starts again what ended by an error.

    `operator` counts, by error, the executions that needed that; `causes` has the first cause of each.
    An event that is invalid stays so: it is not sent again.
    """

    def __init__(self, stack: Stack, sandbox: Client, inbox: Inbox, *, at_a_time: int) -> None:
        self.operator: Counter[str] = Counter()
        self.causes: dict[str, str] = {}
        self.ended = 0
        self._workflow = stack.client("stepfunctions")
        self._machine = stack.outputs["StateMachineArn"]
        self._events = stack.client("events")
        self._bus = stack.outputs["EventBusName"]
        self._stack = stack
        self._sandbox = sandbox
        self._inbox = inbox
        self._at_a_time = at_a_time
        self._given_up: Counter[str] = Counter()
        self._resubmitted: Counter[str] = Counter()
        self._failures_seen: set[str] = set()
        self._next_look = 0.0
        self._stopping = threading.Event()

    def play(self, plan: Sequence[ChaosOrder], tick: Callable[[], None]) -> None:
        """Bring every order in and wait until the executions have ended. Calls `tick` again and again."""
        with ThreadPoolExecutor(self._at_a_time, thread_name_prefix="order") as threads:
            try:
                waiting = {threads.submit(self._play, order) for order in plan}
                while waiting:
                    done, waiting = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
                    for order in done:
                        order.result()
                    self.ended += len(done)
                    self._look_after_failures()
                    tick()
            except BaseException:
                self._stopping.set()
                threads.shutdown(wait=False, cancel_futures=True)
                raise
        self._drain(tick)

    def _play(self, order: ChaosOrder) -> None:
        open_order(self._sandbox, order)
        started = 0
        for wave in order.waves:
            for arrival in wave:
                self._arrive(arrival)
                started += arrival.copies
            self._await(order.number, started)

    def _arrive(self, arrival: Arrival) -> None:
        if arrival.on_bus:
            emit(self._events, self._bus, [arrival.event] * arrival.copies)
            return
        text = json.dumps(arrival.event, ensure_ascii=False)
        for _ in range(arrival.copies):
            self._stack.start(text, "chaos")

    def _await(self, number: str, executions: int) -> None:
        deadline = time.monotonic() + ORDER_SECONDS
        with self._inbox.changed:
            while (
                self._inbox.ended(number) + self._given_up[number] < executions
                and time.monotonic() < deadline
                and not self._stopping.is_set()
            ):
                self._inbox.changed.wait(1)

    def _look_after_failures(self) -> None:
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + OPERATOR_SECONDS
        for status in ("FAILED", "TIMED_OUT", "ABORTED"):
            for arn in self._list(status):
                if arn not in self._failures_seen:
                    self._failures_seen.add(arn)
                    self._start_again(self._workflow.describe_execution(executionArn=arn))

    def _start_again(self, failed: dict[str, Any]) -> None:
        error = failed.get("error") or failed["status"]
        if error in ANNOUNCED:
            return
        if kept_for_a_person(error, failed.get("cause") or ""):
            self._give_up(failed)
            return
        self.operator[error] += 1
        self.causes.setdefault(error, failed.get("cause") or "")
        self._resubmitted[failed["input"]] += 1
        if self._resubmitted[failed["input"]] <= RESUBMISSIONS:
            self._stack.start(failed["input"], RESUBMITTED)
        else:
            self._give_up(failed)

    def _give_up(self, failed: dict[str, Any]) -> None:
        number = str(json.loads(failed["input"]).get("out_order_no"))
        with self._inbox.changed:
            self._given_up[number] += 1
            self._inbox.changed.notify_all()

    def _drain(self, tick: Callable[[], None]) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline:
            self._next_look = 0
            self._look_after_failures()
            tick()
            if not self._list("RUNNING"):
                return
            time.sleep(0.2)

    def _list(self, status: str) -> list[str]:
        return [each["executionArn"] for each in listed(self._workflow, self._machine, status)]
