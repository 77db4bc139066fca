"""What executions claim by their results and their events, held to the order as the ledger has it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from wechatpay_sandbox.order import CANCEL, FINISH

from chaos.evidence import AuditedExecution
from chaos.inbox import PublishedEvent
from chaos.ledger import Entry, truth_of
from chaos.plan import OPEN, Arrival, Event, Truth

COMPLETED, CANCELLED, FAILED = "Order Completed", "Order Cancelled", "Order Failed"
PAID, OVERDUE = "Order Paid", "Order Payment Overdue"
_OF_PAYMENT = {"PAID": PAID, "COLLECTING": OVERDUE}
_EVIDENCE = ("REPLY", "QUERY")


def must_publish(execution: AuditedExecution) -> Counter[str]:
    """Return what an execution that ended so must have published, each once."""
    if not execution.has_result:
        return Counter()
    if execution.output is None:
        return Counter((FAILED,))
    if execution.output.get("outcome") != "COMPLETED":
        return Counter((CANCELLED,))
    payment = _OF_PAYMENT.get((execution.output.get("payment") or {}).get("state", ""))
    return Counter((COMPLETED, payment) if payment else (COMPLETED,))


def _is_result_of(execution: AuditedExecution, event: PublishedEvent) -> bool:
    """Tell whether the event says what the execution ended with; one that ended by an error has no result."""
    result = {name: value for name, value in event.detail.items() if name != "execution"}
    if execution.output is not None:
        output = dict(execution.output)
        if event.kind == COMPLETED:
            output.pop("payment", None)  # it is announced before any waiting
        return result == output
    if execution.has_result and event.kind == FAILED:
        return bool(json.loads(execution.cause or "null") == result.get("error"))
    return event.kind == COMPLETED


def _not_echoed(arrival: Arrival, detail: Mapping[str, Any]) -> Iterator[str]:
    asked: Event = {"total_amount": 0, **arrival.event}
    names = ["out_order_no", "metadata"]
    if arrival.valid:
        names += ["finish_type", "total_amount"]
    for name in names:
        if detail.get(name) != asked.get(name):
            yield f"has {name} {detail.get(name)!r} for {asked.get(name)!r}"


def untrue(
    event: PublishedEvent, arrival: Arrival, execution: AuditedExecution, entry: Entry | None, order_api: str
) -> Iterator[str]:
    """Yield everything about a published event that is not so.

    Args:
        event: what was published.
        arrival: the order event that its execution is about.
        execution: who published it.
        entry: the order in the ledger.
        order_api: the API that the order belongs to.
    """
    detail, truth = event.detail, truth_of(entry)
    if not _is_result_of(execution, event):
        yield "is not the result of its execution"
    yield from _not_echoed(arrival, detail)
    if arrival.valid and detail.get("order_api") != order_api:
        yield f"is of {detail.get('order_api')}, and the order of {order_api}"
    if not _is_so(event, arrival, entry or {"calls": {}, "debits": 0, "charged": 0}, truth):
        claim = (detail.get("error") or {}).get("category", detail.get("outcome"))
        yield f"says {claim}, asked {arrival.event.get('finish_type')}, and it stands as {truth}"


def _is_so(event: PublishedEvent, arrival: Arrival, entry: Entry, truth: Truth) -> bool:
    detail = event.detail
    category = (detail.get("error") or {}).get("category")
    if not arrival.valid:
        return event.kind == FAILED and category == "INVALID_INPUT" and not sum(entry["calls"].values())
    if detail.get("evidence") not in _EVIDENCE:
        return False
    asked, outcome = arrival.asks, detail.get("outcome")
    completed = outcome == "COMPLETED" and truth == asked == Truth(FINISH, detail["total_amount"])
    payment = detail.get("payment") or {}
    match event.kind, category:
        case "Order Completed", None:
            return completed
        case "Order Paid", None:
            named = payment.get("finish_transaction_id") and payment.get("pay_succ_time")
            return completed and entry["charged"] == truth.amount > 0 and bool(named)
        case "Order Payment Overdue", None:
            return completed and entry["debits"] == 0
        case "Order Cancelled", None:
            return outcome == "CANCELLED" and truth.finish_type == asked.finish_type == CANCEL
        case "Order Failed", "CONFLICT":
            return truth not in (OPEN, asked)
        case "Order Failed", "REJECTED":
            return truth != asked
    return False
