"""The audit: WeChat Pay's ledger against the plan, and everything we claimed against the ledger.

A pure function over the plan, the ledger, the executions and the published events. docs/testing.md says what
each count means.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from wechatpay_sandbox.order import FINISH

from chaos.claims import COMPLETED, must_publish, untrue
from chaos.evidence import AuditedExecution
from chaos.inbox import PublishedEvent
from chaos.ledger import OUTCOMES, Entry, accepted, truth_of
from chaos.plan import OPEN, ChaosOrder

type Sentences = Iterator[tuple[str, str]]
"""Each with the count that it belongs to."""


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


def audit(
    plan: Sequence[ChaosOrder],
    ledger: Iterable[Entry],
    executions: Iterable[AuditedExecution],
    published: Iterable[PublishedEvent],
) -> Findings:
    """Return every difference from the plan."""
    entries = {str(entry["out_order_no"]): entry for entry in ledger}
    of_number: dict[str, list[AuditedExecution]] = defaultdict(list)
    for execution in executions:
        of_number[_number(execution)].append(execution)
    by_execution: dict[str, list[PublishedEvent]] = defaultdict(list)
    for event in published:
        by_execution[str(event.detail.get("execution"))].append(event)
    findings: dict[str, list[str]] = defaultdict(list)
    for order in plan:
        case = _Case(order, entries.pop(order.number, None), of_number.pop(order.number, []), by_execution)
        for count, sentence in case.findings():
            findings[count].append(f"{order.number} ({order.scenario}): {sentence}")
    for number, entry in entries.items():
        if truth_of(entry) != OPEN:
            findings["wrong_amount"].append(f"{number}: settled, and not in the plan")
    for number in of_number:
        findings["claimed_but_not_true"].append(f"{number}: has executions, and is not in the plan")
    for arn in by_execution:
        stranger = f"{arn}: published something, and is no execution of the plan"
        findings["claimed_but_not_true"].append(stranger)
    return Findings(**{count: tuple(sentences) for count, sentences in findings.items()})


class _Case:
    """One order before the audit. Takes from `published`, by execution, what is its own."""

    def __init__(
        self,
        order: ChaosOrder,
        entry: Entry | None,
        executions: Sequence[AuditedExecution],
        published: dict[str, list[PublishedEvent]],
    ) -> None:
        self._order = order
        self._entry = entry
        self._truth = truth_of(entry)
        self._executions = executions
        self._published = {each.arn: published.pop(each.arn, []) for each in executions}
        self._arrivals = {_key(arrival.event): arrival for arrival in order.arrivals}

    def findings(self) -> Sentences:
        yield from self._of_ledger()
        yield from self._of_arrivals()
        for execution in self._executions:
            yield from self._of_execution(execution)
        if self._entry and accepted(self._entry) and not self._announced():
            yield "true_but_not_claimed", f"{self._truth} was accepted from us, and no event says so"

    def _of_ledger(self) -> Sentences:
        entry, truth = self._entry, self._truth
        if entry is None:
            return
        others = entry["settled_by"] not in (None, "merchant")
        if entry["debits"] > 1 or accepted(entry) + others > 1:
            yield "charged_twice", f"accepted {accepted(entry)}, debits {entry['debits']}"
        elif entry["charged"] != (truth.amount if truth.finish_type == FINISH and self._order.paid else 0):
            yield "wrong_amount", f"charged {entry['charged']} fen, and it stands as {truth}"
        if truth in self._order.may_become:
            return
        wanted = " or ".join(sorted(map(str, self._order.may_become)))
        yield "lost" if truth == OPEN else "wrong_amount", f"stands as {truth}, must be {wanted}"

    def _of_arrivals(self) -> Sentences:
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
                ends = Counter(f"{e.status} {e.error}" for e in self._executions if _key(e.event) == key)
                yield "lost", f"came {copies} times, {answered[key]} executions gave a result: {dict(ends)}"

    def _of_execution(self, execution: AuditedExecution) -> Sentences:
        published = self._published[execution.arn]
        arrival = self._arrivals.get(_key(execution.event))
        if arrival is None:
            yield "claimed_but_not_true", f"{execution.arn} has an input that nobody sent"
            return
        must = must_publish(execution)
        kinds = Counter(event.kind for event in published)
        if missing := must - kinds:
            yield "true_but_not_claimed", f"{execution.arn} did not publish {dict(missing)}"
        # An execution that is not well ended may have published something true before.
        may = must | Counter((COMPLETED,)) if execution.status == "FAILED" else must
        if invented := kinds - may:
            yield "claimed_but_not_true", f"{execution.arn} published {dict(invented)} more than its result"
        for event in published:
            wrong = "; ".join(untrue(event, arrival, execution, self._entry, self._order.order_api))
            if wrong:
                yield "claimed_but_not_true", f"{execution.arn} {event.kind}: {wrong}"
        if self._is_unpaid_claim(execution):
            yield "true_but_not_claimed", f"{execution.arn} ended well, and does not say that it was paid"

    def _is_unpaid_claim(self, execution: AuditedExecution) -> bool:
        """Tell whether it ended as completed, and says nothing of the payment that there was."""
        output = execution.output or {}
        paid = bool(self._entry and self._entry["debits"])
        return paid and output.get("outcome") == "COMPLETED" and "payment" not in output

    def _announced(self) -> bool:
        return any(
            event.detail.get("outcome") in OUTCOMES
            and (event.detail["finish_type"], event.detail["total_amount"])
            == (self._truth.finish_type, self._truth.amount)
            for published in self._published.values()
            for event in published
        )


def _key(event: Any) -> str:
    return json.dumps(event, sort_keys=True)


def _number(execution: AuditedExecution) -> str:
    return str(execution.event.get("out_order_no")) if isinstance(execution.event, dict) else ""
