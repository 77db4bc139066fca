"""The audit: WeChat Pay's ledger against the plan, and everything we claimed against the ledger.

A pure function over the plan, the ledger, the executions and the published events. docs/testing.md says what
each count means.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from chaos.evidence import Execution
from chaos.outbox import Published
from chaos.plan import CANCEL, FINISH, OPEN, Arrival, Event, Planned, Truth

COMPLETED, CANCELLED, FAILED = "Order Completed", "Order Cancelled", "Order Failed"
PAID, OVERDUE = "Order Paid", "Order Payment Overdue"
_OF_PAYMENT = {"PAID": PAID, "COLLECTING": OVERDUE}
_SETTLED = ("COMPLETED", "CANCELLED")
_SETTLED_STATES = ("FINISHED", "USER_PAID", "REVOKED")
_EVIDENCE = ("REPLY", "QUERY")

type Entry = Mapping[str, Any]
type Found = Iterator[tuple[str, str]]


@dataclass(frozen=True)
class Findings:
    """What must be empty: each finding is a sentence about one order."""

    lost: tuple[str, ...] = ()
    charged_twice: tuple[str, ...] = ()
    wrong_amount: tuple[str, ...] = ()
    claimed_but_not_true: tuple[str, ...] = ()
    true_but_not_claimed: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """How many of each, under the names that are printed."""
        return {each.name.replace("_", " "): len(getattr(self, each.name)) for each in fields(self)}

    def sentences(self) -> list[str]:
        """Every finding, with the count it belongs to."""
        return [
            f"{each.name.replace('_', ' ')}: {text}"
            for each in fields(self)
            for text in getattr(self, each.name)
        ]


@dataclass(frozen=True)
class Figures:
    """What the run came to beside the findings; `fen` is what shoppers were charged in all."""

    charges: int
    fen: int
    duplicates_absorbed: int
    reentries: int
    conflicts_found: int
    retries: Counter[str]


def audit(
    plan: Sequence[Planned],
    ledger: Iterable[Entry],
    executions: Iterable[Execution],
    published: Iterable[Published],
) -> Findings:
    """Return every difference from the plan."""
    entries = {str(entry["out_order_no"]): entry for entry in ledger}
    of_number: dict[str, list[Execution]] = defaultdict(list)
    for execution in executions:
        of_number[_number(execution)].append(execution)
    said: dict[str, list[Published]] = defaultdict(list)
    for event in published:
        said[str(event.detail.get("execution"))].append(event)
    found: dict[str, list[str]] = defaultdict(list)
    for order in plan:
        case = _Case(order, entries.pop(order.number, None), of_number.pop(order.number, []), said)
        for count, sentence in case.findings():
            found[count].append(f"{order.number} ({order.scenario}): {sentence}")
    for number, entry in entries.items():
        if truth_of(entry) != OPEN:
            found["wrong_amount"].append(f"{number}: settled, and not in the plan")
    for number in of_number:
        found["claimed_but_not_true"].append(f"{number}: has executions, and is not in the plan")
    for arn in said:
        found["claimed_but_not_true"].append(f"{arn}: published something, and is no execution of the plan")
    return Findings(**{count: tuple(sentences) for count, sentences in found.items()})


def figures(ledger: Iterable[Entry], executions: Iterable[Execution]) -> Figures:
    """Count what happened. A duplicate is absorbed when it ends well and the order was settled by another."""
    ledger, executions = list(ledger), list(executions)
    settled = sum((execution.output or {}).get("outcome") in _SETTLED for execution in executions)
    return Figures(
        charges=sum(entry["debits"] for entry in ledger),
        fen=sum(entry["charged"] for entry in ledger),
        duplicates_absorbed=settled - sum(map(_accepted, ledger)),
        reentries=sum(entry["reentries"] for entry in ledger),
        conflicts_found=sum(execution.error == "CONFLICT" for execution in executions),
        retries=Counter(error for execution in executions for error in _retried(execution)),
    )


def _retried(execution: Execution) -> Sequence[str]:
    """Return the errors after which a Task was tried again: all but the one that ended the execution."""
    ended_by_it = execution.status == "FAILED" and not execution.has_result
    return execution.raised[:-1] if ended_by_it else execution.raised


def truth_of(entry: Entry | None) -> Truth:
    """Return how the ledger says an order stands; one that WeChat Pay does not know is not settled."""
    if entry is None or entry["state"] not in _SETTLED_STATES:
        return OPEN
    if entry["state"] == "REVOKED":
        return Truth(CANCEL)  # by a completion, or by the call that the ledger has no completion of
    return Truth(entry["finish_type"], entry["total_amount"] or 0)


def _accepted(entry: Entry) -> int:
    """Return how many calls of ours settled the order: completions, and a cancellation by its own call."""
    by_call = entry["state"] == "REVOKED" and entry["finish_type"] != CANCEL
    accepted: int = entry["accepted"]
    return accepted + (1 if by_call and entry["settled_by"] == "merchant" else 0)


class _Case:
    """One order before the audit. Takes from `said` what its executions published."""

    def __init__(
        self,
        order: Planned,
        entry: Entry | None,
        executions: Sequence[Execution],
        said: dict[str, list[Published]],
    ) -> None:
        self._order = order
        self._entry = entry
        self._truth = truth_of(entry)
        self._executions = executions
        self._said = {execution.arn: said.pop(execution.arn, []) for execution in executions}
        self._arrivals = {_key(arrival.event): arrival for arrival in order.arrivals}

    def findings(self) -> Found:
        yield from self._of_ledger()
        yield from self._of_arrivals()
        for execution in self._executions:
            yield from self._of_execution(execution)
        if self._entry and _accepted(self._entry) and not self._announced():
            yield "true_but_not_claimed", f"{self._truth} was accepted from us, and no event says so"

    def _of_ledger(self) -> Found:
        entry, truth = self._entry, self._truth
        if entry is None:
            return
        others = entry["settled_by"] not in (None, "merchant")
        if entry["debits"] > 1 or _accepted(entry) + others > 1:
            yield "charged_twice", f"accepted {_accepted(entry)}, debits {entry['debits']}"
        elif entry["charged"] != (truth.amount if truth.finish_type == FINISH and self._order.paid else 0):
            yield "wrong_amount", f"charged {entry['charged']} fen, and it stands as {truth}"
        if truth in self._order.may_become:
            return
        wanted = " or ".join(sorted(map(str, self._order.may_become)))
        yield "lost" if truth == OPEN else "wrong_amount", f"stands as {truth}, must be {wanted}"

    def _of_arrivals(self) -> Found:
        came = Counter[str]()
        for arrival in self._order.arrivals:
            came[_key(arrival.event)] += arrival.copies
        invalid = {_key(arrival.event) for arrival in self._order.arrivals if not arrival.valid}
        answered = Counter(
            key
            for key, each in ((_key(each.event), each) for each in self._executions)
            if each.has_result or (each.is_kept and key in invalid)
        )
        for key, copies in came.items():
            if answered[key] < copies:
                ends = Counter(
                    f"{e.status} {e.error or ''}" for e in self._executions if _key(e.event) == key
                )
                yield "lost", f"came {copies} times, {answered[key]} executions gave a result: {dict(ends)}"

    def _of_execution(self, execution: Execution) -> Found:
        said = self._said[execution.arn]
        arrival = self._arrivals.get(_key(execution.event))
        if arrival is None:
            yield "claimed_but_not_true", f"{execution.arn} has an input that nobody sent"
            return
        must = _must_say(execution)
        says = Counter(event.kind for event in said)
        if missing := must - says:
            yield "true_but_not_claimed", f"{execution.arn} did not publish {dict(missing)}"
        # An execution that is not well ended may have said something true before.
        may = must | Counter((COMPLETED,)) if execution.status == "FAILED" else must
        if invented := says - may:
            yield "claimed_but_not_true", f"{execution.arn} published {dict(invented)} more than its result"
        for event in said:
            wrong = "; ".join(self._untrue(event, arrival, execution))
            if wrong:
                yield "claimed_but_not_true", f"{execution.arn} {event.kind}: {wrong}"
        if self._is_unpaid_claim(execution):
            yield "true_but_not_claimed", f"{execution.arn} ended well, and does not say that it was paid"

    def _untrue(self, event: Published, arrival: Arrival, execution: Execution) -> Iterator[str]:
        detail = event.detail
        if not _is_result_of(execution, event):
            yield "is not the result of its execution"
        yield from _not_echoed(arrival, detail)
        if arrival.valid and detail.get("order_api") != self._order.order_api:
            yield f"is of {detail.get('order_api')}, and the order of {self._order.order_api}"
        if not self._holds(arrival, event):
            said = (detail.get("error") or {}).get("category", detail.get("outcome"))
            yield f"says {said}, asked {arrival.event.get('finish_type')}, and it stands as {self._truth}"

    def _holds(self, arrival: Arrival, event: Published) -> bool:
        """Tell whether this is what the ledger says, too."""
        detail = event.detail
        category = (detail.get("error") or {}).get("category")
        entry: Entry = self._entry or {"calls": {}, "debits": 0, "charged": 0}
        if not arrival.valid:
            return event.kind == FAILED and category == "INVALID_INPUT" and not sum(entry["calls"].values())
        if detail.get("evidence") not in _EVIDENCE:
            return False
        asked, truth = arrival.asks, self._truth
        completed = detail.get("outcome") == "COMPLETED" and truth == asked == Truth(
            FINISH, detail["total_amount"]
        )
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
                outcome = detail.get("outcome")
                return outcome == "CANCELLED" and truth.finish_type == asked.finish_type == CANCEL
            case "Order Failed", "CONFLICT":
                return truth not in (OPEN, asked)
            case "Order Failed", "REJECTED":
                return truth != asked
        return False

    def _is_unpaid_claim(self, execution: Execution) -> bool:
        """Tell whether it ended as completed, and says nothing of the payment that there was."""
        output = execution.output or {}
        paid = bool(self._entry and self._entry["debits"])
        return paid and output.get("outcome") == "COMPLETED" and "payment" not in output

    def _announced(self) -> bool:
        return any(
            event.detail.get("outcome") in _SETTLED
            and (event.detail["finish_type"], event.detail["total_amount"])
            == (self._truth.finish_type, self._truth.amount)
            for said in self._said.values()
            for event in said
        )


def _must_say(execution: Execution) -> Counter[str]:
    """Return what an execution that ended so must have published, each once."""
    if not execution.has_result:
        return Counter()
    if execution.output is None:
        return Counter((FAILED,))
    if execution.output.get("outcome") != "COMPLETED":
        return Counter((CANCELLED,))
    payment = _OF_PAYMENT.get((execution.output.get("payment") or {}).get("state", ""))
    return Counter((COMPLETED, payment) if payment else (COMPLETED,))


def _is_result_of(execution: Execution, event: Published) -> bool:
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


def _key(event: Any) -> str:
    return json.dumps(event, sort_keys=True)


def _number(execution: Execution) -> str:
    return str(execution.event.get("out_order_no")) if isinstance(execution.event, dict) else ""
