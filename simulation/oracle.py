"""WeChat Pay as a sequential model of one order: what it may do, written apart from the sandbox.

The sandbox is held to it at every effect, and what the product claims is held to it alone. A rule carries its
source: V official text, T copies of it or merchants in production, I inferred, D decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

UNCONFIRMED, OPEN, FINISHED, PAID, REVOKED, EXPIRED = (
    "CREATED", "USER_ACCEPTED", "FINISHED", "USER_PAID", "REVOKED", "EXPIRED",
)  # fmt: skip
SUCCESSOR = "serviceorder"
CONFIRM_SECONDS = 3600.0  # T: an order that nobody confirms expires after an hour
DONE_SECONDS = 30 * 86400.0  # V: one of the successor's that is not completed, after a month


class Divergence(AssertionError):
    """The sandbox did what WeChat Pay may not do, or did not do what it must."""


@dataclass(frozen=True)
class Asked:
    """A completion or cancellation as it arrived: what matters of it."""

    operation: str
    api: str
    finish_type: int
    amount: int
    parameters: str
    """Everything but the ticket, for re-entry."""
    ticket: str | None = None
    end: str = ""
    reason: str = ""


@dataclass
class Order:
    """One order. Amounts are fen.

    Attributes:
        accepted: what was accepted, or settled elsewhere; `first` what accepted it, None for elsewhere.
        debited, synced, waived: where the accepted fen went; the rest is open.
        asked_first: the completion that was accepted, for re-entry.
    """

    number: str
    cap: int
    opened_at: float
    api: str = "smartretail-orders"
    state: str = OPEN
    has_end: bool = True
    cancelled_state: str = REVOKED
    finish_type: int | None = None
    amount: int = 0
    accepted: int = 0
    debited: int = 0
    synced: int = 0
    waived: int = 0
    acceptances: int = 0
    asked_first: Asked | None = None
    reason: str | None = None
    tickets: set[str] = field(default_factory=set)
    paid_at: float | None = None

    @property
    def open_amount(self) -> int:
        """Fen that are still to be collected."""
        return self.amount - self.debited - self.synced if self.state == FINISHED else 0

    @property
    def settled(self) -> bool:
        """Whether nothing that is asked can settle it otherwise any more."""
        return self.state in (FINISHED, PAID, REVOKED)

    def settled_as(self, finish_type: int, amount: int) -> bool:
        """Whether it is settled as somebody asked. What was waived since was asked for."""
        if finish_type == 1:
            return self.state in (REVOKED, EXPIRED) or (self.state == FINISHED and self.finish_type == 1)
        return self.state in (FINISHED, PAID) and self.accepted_as(amount)

    def accepted_as(self, amount: int) -> bool:
        """Whether a completion of so many fen stands or stood; all of it may have been waived since."""
        return self.finish_type == 2 and self.accepted == amount

    def payable(self, finish_type: int, amount: int) -> bool:
        """Whether it may still come to be settled as somebody asks."""
        return self.state in (OPEN, UNCONFIRMED) and (finish_type == 1 or amount <= self.cap)

    def pass_time(self, now: float) -> None:
        """Let it expire when it is due."""
        due = {UNCONFIRMED: CONFIRM_SECONDS}
        if self.api == SUCCESSOR:
            due = {UNCONFIRMED: DONE_SECONDS, OPEN: DONE_SECONDS}
        if self.state in due and now - self.opened_at >= due[self.state]:
            self.state = EXPIRED

    def confirm(self) -> None:
        """The shopper confirms."""
        self._require(self.state == UNCONFIRMED, "confirmed")
        self.state = OPEN

    def decide(self, asked: Asked, wechat_time: str) -> str:
        """Return what must become of a request: accepted, re-entered or refused. Changes nothing."""
        if asked.api != self.api:  # I: an order is known on the path it was created on
            return "refused"
        if asked.operation == "cancel":
            if self.reason is not None:
                return "re-entered" if asked.reason == self.reason else "refused"
            # T: only before the shopper has confirmed; V: the successor until completed
            open_states = (UNCONFIRMED, OPEN) if self.api == SUCCESSOR else (UNCONFIRMED,)
            return "accepted" if self.state in open_states else "refused"
        if self.api == SUCCESSOR and self.state == REVOKED:
            return "refused"
        if self.asked_first is not None:  # V: the same parameters again are taken, others refused
            return "re-entered" if asked.parameters == self.asked_first.parameters else "refused"
        refused = (
            self.state != OPEN  # V
            or asked.amount > self.cap  # V: at most the risk amount
            # T: not after WeChat Pay's clock
            or asked.end[: len(wechat_time)] > wechat_time[: len(asked.end)]
            or (not asked.end and not self.has_end)  # T: required when the order was created without
            # T: a ticket that was issued; V: the successor has none
            or (asked.ticket not in self.tickets and self.api != SUCCESSOR)
        )
        return "refused" if refused else "accepted"

    def apply(self, asked: Asked, *, elsewhere: bool = False) -> None:
        """Accept a completion or a cancellation."""
        self._require(not self.settled, "settled twice")
        if asked.operation == "cancel":
            self.state, self.reason = REVOKED, asked.reason
            return
        self.acceptances += not elsewhere
        self.asked_first, self.finish_type = asked, asked.finish_type
        self.amount = self.accepted = asked.amount if asked.finish_type == 2 else 0
        self.state = FINISHED if asked.finish_type == 2 else self.cancelled_state

    def waive(self, amount: int) -> None:
        """The merchant lowers what is open [V for serviceorder, I here]."""
        self._require(0 < amount <= self.open_amount, "lowered by more than is open")
        self.amount -= amount
        self.waived += amount

    def waive_all(self) -> None:
        """The merchant cancels what was completed [V for the successor: official page of 2025-02-13]."""
        self.waived += self.open_amount
        self.state = REVOKED

    def collected(self, debited: int, synced: int, now: float) -> None:
        """Money came in since: `debited` and `synced` are all that came so far."""
        if (debited, synced) == (self.debited, self.synced):
            return
        self._require(self.state == FINISHED and self.finish_type == 2, "charged without a completion")
        self.debited, self.synced = debited, synced
        self._require(debited + synced <= self.amount, "charged more than was accepted")
        if debited + synced == self.amount:
            self.state, self.paid_at = PAID, now

    def conserve(self) -> int:
        """Return the accepted fen. Raises when some came from nowhere, or went."""
        self._require(
            self.accepted == self.debited + self.open_amount + self.waived + self.synced,
            f"{self.accepted} accepted fen are not {self.debited} debited + {self.open_amount} open + "
            f"{self.waived} waived + {self.synced} synced",
        )
        self._require(self.acceptances <= 1, "accepted twice")
        return self.accepted

    def compare(self, state: str, amount: int) -> None:
        """Hold what the sandbox has to this."""
        self._require(state == self.state, f"{state} where only {self.state} is possible")
        if self.finish_type == 2:
            self._require(amount == self.amount, f"{amount} fen where {self.amount} were accepted")

    def _require(self, holds: bool, what: str) -> None:
        if not holds:
            raise Divergence(f"{self.number} ({self.state}): {what}")


def asked_of(operation: str, api: str, body: dict[str, Any], canonical: str) -> Asked:
    """Read a request that the sandbox took for well formed."""
    if operation == "cancel":
        return Asked("cancel", api, 1, 0, canonical, reason=str(body["reason"]))
    end = body.get("real_service_end_time") or body.get("time_range", {}).get("end_time", "")
    finish_type, ticket = body.get("finish_type", 2), body.get("finish_ticket")
    return Asked("complete", api, finish_type, body["total_amount"], canonical, ticket, end)
