"""WeChat Pay's ledger: how an order stands there, and what a run came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wechatpay_sandbox.order import CANCEL, SETTLED

from chaos.evidence import AuditedExecution
from chaos.plan import OPEN, Truth

type Entry = Mapping[str, Any]
OUTCOMES = ("COMPLETED", "CANCELLED")
"""Of an execution that settled its order, or learnt that it was settled as asked."""


@dataclass(frozen=True)
class Figures:
    """What the run came to beside the findings; `fen` is what shoppers were charged in all."""

    charges: int
    fen: int
    duplicates_absorbed: int
    reentries: int
    conflicts_found: int
    retries: Counter[str]


def figures(ledger: Iterable[Entry], executions: Iterable[AuditedExecution]) -> Figures:
    """Count what happened. A duplicate is absorbed when it ends well and the order was settled by another."""
    ledger, executions = list(ledger), list(executions)
    settled = sum((execution.output or {}).get("outcome") in OUTCOMES for execution in executions)
    return Figures(
        charges=sum(entry["debits"] for entry in ledger),
        fen=sum(entry["charged"] for entry in ledger),
        duplicates_absorbed=settled - sum(map(accepted, ledger)),
        reentries=sum(entry["reentries"] for entry in ledger),
        conflicts_found=sum(execution.error == "CONFLICT" for execution in executions),
        retries=Counter(error for execution in executions for error in _retried(execution)),
    )


def _retried(execution: AuditedExecution) -> Sequence[str]:
    """Return the errors after which a Task was tried again: all but the one that ended the execution."""
    ended_by_it = execution.status == "FAILED" and not execution.has_result
    return execution.raised[:-1] if ended_by_it else execution.raised


def truth_of(entry: Entry | None) -> Truth:
    """Return how the ledger says an order stands; one that WeChat Pay does not know is not settled."""
    if entry is None or entry["state"] not in SETTLED:
        return OPEN
    if entry["state"] == "REVOKED":
        return Truth(CANCEL)  # by a completion, or by the call that the ledger has no completion of
    return Truth(entry["finish_type"], entry["total_amount"] or 0)


def accepted(entry: Entry) -> int:
    """Return how many calls of ours settled the order: completions, and a cancellation by its own call."""
    by_call = entry["state"] == "REVOKED" and entry["finish_type"] != CANCEL
    return int(entry["accepted"]) + int(by_call and entry["settled_by"] == "merchant")
