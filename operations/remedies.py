"""Executions that ended without settling their order: what each needs, and which of them a command means."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from life.next_steps import for_failed, for_interrupted


class Remedy(Enum):
    """What brings an order to its end."""

    REDRIVE = "redrive 重新驱动"
    RESUBMIT = "resubmit 重新提交"
    CORRECT = "correct and resubmit 修正后重发"
    CHECK = "check and refund 核对并退款"
    NONE = "nothing 无需处理"

    @property
    def command(self) -> str:
        """The command that does it; empty when that takes a person."""
        return _COMMANDS.get(self, "")


_COMMANDS = {Remedy.REDRIVE: "redrive", Remedy.RESUBMIT: "resubmit", Remedy.CORRECT: "resubmit"}


@dataclass(frozen=True)
class Stuck:
    """An execution that ended without success.

    Attributes:
        mchid: of the order event, else the stack's default.
        status: FAILED, TIMED_OUT or ABORTED.
        reason: the error's name; for an execution that has none, its status.
        message: the error's message.
        why_nothing: why nothing is to be done, when the remedy is NONE.
        input: the order event as it came.
        redrives: how often it was redriven already.
    """

    arn: str
    out_order_no: str
    mchid: str
    status: str
    reason: str
    message: str
    started: datetime
    since: datetime
    remedy: Remedy
    input: str
    redrives: int = 0
    why_nothing: str = ""

    @property
    def order(self) -> tuple[str, str]:
        """What tells this order from others."""
        return self.mchid, self.out_order_no

    @property
    def next_steps(self) -> tuple[str, ...]:
        """What to do about it, in English and Chinese; or why there is nothing to do."""
        if self.remedy is Remedy.NONE:
            return (self.why_nothing,)
        if self.remedy in (Remedy.CORRECT, Remedy.CHECK):
            advice = for_failed(self.reason)
        else:
            advice = for_interrupted(self.reason, self.status, redrivable=self.remedy is Remedy.REDRIVE)
        return advice.of(self.out_order_no)


@dataclass(frozen=True)
class Selection:
    """Which of them are meant.

    Attributes:
        reasons: names of errors or statuses; empty means every one.
        orders: their out_order_no; empty means every one.
        mchids: merchants; empty means every one.
        since, before: when they ended; None does not limit.
    """

    reasons: frozenset[str] = frozenset()
    orders: frozenset[str] = frozenset()
    mchids: frozenset[str] = frozenset()
    since: datetime | None = None
    before: datetime | None = None

    def within(self, ended: datetime) -> bool:
        """Whether an execution that ended then is meant, whatever its reason."""
        return (self.since is None or ended >= self.since) and (self.before is None or ended < self.before)

    def names(self, reason: str) -> bool:
        """Whether this reason was asked for by its name."""
        return reason.casefold() in {each.casefold() for each in self.reasons}

    def covers(self, stuck: Stuck) -> bool:
        """Whether an execution of this order, ended for this reason or with this status, is meant."""
        if self.orders and stuck.out_order_no not in self.orders:
            return False
        if self.mchids and stuck.mchid not in self.mchids:
            return False
        return not self.reasons or self.names(stuck.reason) or self.names(stuck.status)


@dataclass(frozen=True)
class Listing:
    """The executions that are stuck.

    Attributes:
        stuck: newest first within each status; the remedy of those that need no one is NONE.
        unseen: so many executions that succeeded were not looked at: they may have settled one of these.
    """

    stuck: list[Stuck]
    unseen: int

    @property
    def needy(self) -> list[Stuck]:
        """Those that need someone."""
        return [each for each in self.stuck if each.remedy is not Remedy.NONE]


def successor_name(arn: str) -> str:
    """Return the one name a resubmission of this execution can have, so that there is at most one."""
    return f"resubmit-{hashlib.sha256(arn.encode()).hexdigest()[:40]}"


def successor_arn(arn: str) -> str:
    """Return the ARN that a resubmission of this execution has."""
    return f"{arn.rpartition(':')[0]}:{successor_name(arn)}"
