"""What the workflow's Tasks call: the real functions, the bus and the table, each of which may fail."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from simulation.audit import CALLS, Violation
from simulation.environments import Invocation
from simulation.stepper import Execution, TaskError

if TYPE_CHECKING:
    from simulation.shop import Shop

_NOT_BEGUN = ("Lambda.TooManyRequestsException", "Lambda.ServiceException")
MOST_CALLS_OF_EXECUTION = 1000
"""Seven hours of trouble are about 70 attempts of ten calls; a redrive makes the pauses short again."""


class Tasks:
    """Stands for `stepper.Services` in one shop.

    Attributes:
        last_error: by which the last Task failed, by execution.
        final: when CompleteOrder first gave a result, by execution.
        calls: requests to WeChat Pay, by execution; `calls_since` those since the world has healed.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.last_error: dict[str, str] = {}
        self.final: dict[str, float] = {}
        self.calls: Counter[str] = Counter()
        self.calls_since: Counter[str] = Counter()
        self._asked_at: dict[str, float] = {}

    def invoke(self, execution: Execution, function: str, payload: Any, client_context: str) -> Any:
        """As `stepper.Services`."""
        shop, kernel = self._shop, self._shop.kernel
        name = "complete_order" if "CompleteOrder" in function else "query_order"
        number, who = execution.input["out_order_no"], shop.who(execution)
        how = shop.fate.platform(number, name)
        kernel.sleep(shop.random.uniform(0.001, 0.01))
        if how == "before":
            raise TaskError(shop.random.choice(_NOT_BEGUN))
        passes = shop.fate.passes if name == "complete_order" else lambda *_: None
        invocation = Invocation(who, shop.fate.dies_at(number, name, who), passes)
        if name == "query_order":
            self._asked_at[execution.arn] = kernel.now
        shop.tally.invocations += 1
        try:
            result = shop.pools[name].invoke(invocation, payload, client_context)
        except TaskError as exc:
            self.last_error[execution.arn] = exc.error
            shop.sink.examine(exc.cause)
            shop.trace.add(kernel.now, number, name, who, exc.error)
            raise
        finally:
            self._count(execution, number, name, invocation)
        shop.wechat.caught_up(number)
        shop.sink.examine(json.dumps(result, ensure_ascii=False))
        if name == "complete_order":
            self._settled(execution, payload, result, invocation)
        else:
            shop.audit.queried(result)
        outcome = result.get("payment", {}).get("state") or result["outcome"]
        category = (result.get("error") or {}).get("category", "")
        shop.trace.add(kernel.now, number, name, who, outcome, category, result["total_amount"])
        if how == "after":
            raise TaskError(shop.random.choice(("Lambda.ServiceException", "Lambda.Unknown")))
        return result

    def put_events(self, execution: Execution, entries: list[dict[str, Any]]) -> Any:
        """As `stepper.Services`."""
        shop, number = self._shop, execution.input["out_order_no"]
        how = "before" if shop.bus_down else shop.fate.platform(number, "put_events")
        shop.kernel.sleep(0.01)
        if how == "before":
            raise TaskError("EventBridge.EventBridgeException", "the bus is down")
        for entry in entries:
            kind, detail = entry["DetailType"], entry["Detail"]
            shop.wechat.caught_up(number)
            shop.audit.published(kind, detail, self._asked_at.get(execution.arn, 0.0))
            shop.sink.examine(json.dumps(detail, ensure_ascii=False))
            shop.tally.outcomes[kind] += 1
            amount = detail["total_amount"]
            shop.trace.add(shop.kernel.now, number, "published", shop.who(execution), kind, amount)
        if how == "after":
            raise TaskError("States.TaskFailed", "no answer")
        return {"FailedEntryCount": 0}

    def put_item(self, execution: Execution, table: str, item: dict[str, Any]) -> Any:
        """As `stepper.Services`."""
        shop = self._shop
        how = shop.fate.platform(execution.input["out_order_no"], "put_item")
        shop.kernel.sleep(0.005)
        if shop.waiting.down or how == "before":
            raise TaskError("DynamoDb.InternalServerErrorException")
        shop.waiting.items[item["order"]["S"]] = item
        if how == "after":
            raise TaskError("DynamoDb.InternalServerErrorException")
        return {}

    def _count(self, execution: Execution, number: str, name: str, invocation: Invocation) -> None:
        shop = self._shop
        self.calls[execution.arn] += invocation.calls
        if name == "complete_order" and shop.kernel.now > shop.settles_from(number):
            self.calls_since[execution.arn] += invocation.calls
        shop.tally.killed += invocation.killed
        shop.audit.called(number, invocation.calls)
        if self.calls[execution.arn] > MOST_CALLS_OF_EXECUTION:
            raise Violation(CALLS, number, f"{self.calls[execution.arn]} requests of one execution")
        shop.notifications.look_after()

    def _settled(
        self, execution: Execution, event: Any, result: dict[str, Any], invocation: Invocation
    ) -> None:
        sent = invocation.calls if result["outcome"] == "FAILED" else 0
        self._shop.audit.settled(invocation.who, event, result, sent)
        category = (result.get("error") or {}).get("category", "")
        self._shop.tally.outcomes[category or result["outcome"]] += 1
        self.final.setdefault(execution.arn, self._shop.kernel.now)
