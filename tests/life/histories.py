"""Histories as Step Functions returns them, built a state at a time."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import life

BEGAN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TICKET = "DzISZCPHNRXyYAOnDJNZAZjHMC-this-is-a-ticket"
EVENT = {
    "out_order_no": "A|1*",
    "mchid": "1900000001",
    "finish_type": 2,
    "total_amount": 300,
    "finish_ticket": TICKET,
}
RESULT = {**EVENT, "outcome": "COMPLETED", "evidence": "REPLY"}
RESULT.pop("finish_ticket")
PUBLISHES = {
    "OrderCompleted": "Order Completed",
    "OrderPaid": "Order Paid",
    "OrderPaymentOverdue": "Order Payment Overdue",
    "OrderCancelled": "Order Cancelled",
    "OrderFailed": "Order Failed",
}
DEFINITION = {
    "States": {
        name: {
            "Type": "Task",
            "Arguments": {"Entries": [{"Source": "smartretail.orders", "DetailType": kind}]},
        }
        for name, kind in PUBLISHES.items()
    }
}


class History:
    """Writes events a second apart."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.now = BEGAN

    def add(self, kind: str, **details: Any) -> "History":
        self.now += timedelta(seconds=1)
        self.events.append({"timestamp": self.now, "type": kind, "id": len(self.events) + 1, **details})
        return self

    def enter(self, name: str, kind: str = "Task", given: Any = EVENT) -> "History":
        return self.add(
            f"{kind}StateEntered", stateEnteredEventDetails={"name": name, "input": json.dumps(given)}
        )

    def leave(self, name: str, kind: str = "Task", output: Any = RESULT) -> "History":
        return self.add(
            f"{kind}StateExited", stateExitedEventDetails={"name": name, "output": json.dumps(output)}
        )

    def scheduled(self) -> "History":
        return self.add("TaskScheduled", taskScheduledEventDetails={"resource": "invoke"})

    def failed(self, error: str, message: str = "why") -> "History":
        cause = json.dumps({"errorMessage": message, "stackTrace": ["secret path"]})
        return self.add("TaskFailed", taskFailedEventDetails={"error": error, "cause": cause})

    def task(self, name: str, given: Any = EVENT, output: Any = RESULT) -> "History":
        return self.enter(name, given=given).scheduled().add("TaskSucceeded").leave(name, output=output)

    def passed(self, name: str, kind: str = "Choice") -> "History":
        return self.enter(name, kind).leave(name, kind)

    def paid(self) -> "History":
        """Pass all states of an order that is paid."""
        self.task("ServiceEnded").passed("Outcome").task("OrderCompleted", given=RESULT).passed("Payment")
        result = {**RESULT, "payment": {"state": "PAID", "finish_transaction_id": "42"}}
        self.passed("AwaitPayment", "Wait").task("QueryOrder", output=result).passed("Payment")
        return self.task("OrderPaid", given=result, output=result).passed("Completed", "Succeed")

    def execution(self, status: str = "SUCCEEDED", **more: Any) -> life.Execution:
        usual: dict[str, Any] = {
            "ended": None if status == "RUNNING" else self.now,
            "arn": "arn:aws-cn:states:cn-north-1:1:execution:m:a",
            "began": BEGAN,
            "input": json.dumps(EVENT),
            "output": RESULT if status == "SUCCEEDED" else None,
            "history": self.events,
            "definition": DEFINITION,
        }
        return life.Execution(status=status, **{**usual, **more})


def line(seconds: float, execution: str | None, **fields: Any) -> dict[str, Any]:
    """Return a line of a function's log."""
    at = (BEGAN + timedelta(seconds=seconds)).isoformat()
    named = {"execution": execution} if execution else {}
    return {"timestamp": at, "service": "complete-order", "out_order_no": "A|1*", **named, **fields}
