"""Faults planted in the product, one at a time, to prove that the simulation finds them: `make planted`.

Each is a change of one place, as somebody might make it by mistake or to save a call. A run under it has to
fail; how many orders that took is what is printed.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import simulation  # noqa: F401 - where the functions are

# isort: split
from complete_order import completion, finality, judgement
from complete_order.result import Result
from invocation.attempts import Attempts
from query_order import payment
from wechatpay import client, orders, reply_rules, verification
from wechatpay.answer import Answer
from wechatpay.errors import NoAnswer, ReplyError, ServiceError
from wechatpay.reply_body import Malformed, json_object
from wechatpay.reply_rules import Action, Verdict
from wechatpay.signed_transport import SignedTransport
from wechatpay.verification import NotVerified, SignedMessage

from simulation import shop
from simulation.run import simulate

type Plant = AbstractContextManager[Any]
ORDERS = 4000
SEEDS = 3
_LONGEST = 100


def _swap(owner: Any, name: str, change: Callable[..., Any]) -> Plant:
    """Replace a function by one that is handed the original first."""
    original = getattr(owner, name)
    return patch.object(owner, name, lambda *args, **kwargs: change(original, *args, **kwargs))


def _believing(when: Callable[[Any, Exception], bool]) -> Plant:
    """Take a reply for proven although it is not."""

    def call(original: Any, self: Any, request_host: str, request: Any, timeout: float) -> Answer:
        try:
            found: Answer = original(self, request_host, request, timeout)
        except ReplyError as exc:
            body = _last_body(self)
            if exc.problem.status == 200 and not exc.problem.verified and when(body, exc):
                return Answer(body, "")
            raise
        return found

    return _swap(client.Client, "_call", call)


def _last_body(self: Any) -> Any:
    try:
        return json_object(self._signed_transport.last_reply.body)
    except (Malformed, AttributeError):
        return {}


@contextmanager
def _keeping_replies() -> Iterator[None]:
    def send(original: Any, self: Any, *args: Any) -> Any:
        found = original(self, *args)
        self.last_reply = found[0]
        return found

    with _swap(SignedTransport, "send", send):
        yield


@contextmanager
def _trust_unsigned() -> Iterator[None]:
    with _keeping_replies(), _believing(lambda body, exc: "missing" in str(exc)):
        yield


def _no_signature_check() -> Plant:
    return patch.object(SignedMessage, "verify", lambda self, key: None)


def _any_key() -> Plant:
    """Take any serial for the merchant's first key, and a wrong signature for a lapse."""

    def verify(original: Any, self: Any, key: Any) -> None:
        try:
            original(self, key)
        except NotVerified as exc:
            if "wrong" not in str(exc):
                raise

    return _swap(SignedMessage, "verify", verify)


def _stale() -> Plant:
    return patch.object(verification, "TOLERANCE_SECONDS", 10**9)


def _other_order() -> Plant:
    return patch.object(orders, "_require_same_order", lambda *args: None)


def _row(name: str, **changes: Any) -> Plant:
    """Change a row of the decision table."""
    assert any(row.name == name for row in reply_rules.REPLIES), name
    rows = tuple(row._replace(**changes) if row.name == name else row for row in reply_rules.REPLIES)
    return patch.object(reply_rules, "REPLIES", rows)


def _state(state: str, finish_type: int | None, **changes: Any) -> Plant:
    rows = tuple(
        row._replace(**changes) if (row.state, row.finish_type) == (state, finish_type) else row
        for row in reply_rules.STATES
    )
    return patch.object(reply_rules, "STATES", rows)


def _after(change: Callable[..., Any]) -> Plant:
    return _swap(completion.Completion, "_after", change)


def _no_answer_is_accepted(original: Any, self: Any, error: Any) -> Any:
    if isinstance(error, NoAnswer):
        return Result.settled(self._order, self._key, "REPLY", "")
    return original(self, error)


def _error_is_accepted(original: Any, self: Any, error: Any) -> Any:
    if isinstance(error, ServiceError) and error.problem.status >= 500:
        return Result.settled(self._order, self._key, "REPLY", "")
    return original(self, error)


def _refusal_without_query(original: Any, self: Any, error: Any) -> Any:
    if isinstance(error, ServiceError) and error.problem.status == 400:
        return self._finality.refused(error)
    return original(self, error)


def _new_ticket_in_doubt(original: Any, self: Any, rule: Any, error: Any, state: Any) -> Any:
    found = original(self, rule, error, state)
    if found is None and self._confirmed:
        self._adapt(state)
    return found


def _amount_ignored(original: Any, **asked: Any) -> Any:
    found = original(**asked)
    return Verdict.AS_ASKED if found is Verdict.CONFLICT and not asked["cancelling"] else found


def _revoked_ignored(original: Any, **asked: Any) -> Any:
    return Verdict.AS_ASKED if asked["state"] == "REVOKED" else original(**asked)


def _expired_ignored(original: Any, **asked: Any) -> Any:
    return Verdict.AS_ASKED if asked["state"] == "EXPIRED" else original(**asked)


def _without_discounts(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    found = {**original(self, *args, **kwargs)}
    if off := sum(each["discount_amount"] for each in found.pop("discounts", [])):
        found["total_amount"] += off
    return found


def _one_fen_more(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    found = {**original(self, *args, **kwargs)}
    if found.get("fees") and found["finish_type"] == 2:
        found["fees"] = [{**found["fees"][0], "fee_amount": found["fees"][0]["fee_amount"] + 1}]
        found["total_amount"] += 1
    return found


def _parameters(change: Callable[..., Any]) -> Plant:
    return _swap(completion.Completion, "_parameters_here", change)


def _workflow(change: Callable[[dict[str, Any]], None]) -> Plant:
    """Change the definition of the workflow."""

    def definition(original: Any, *args: Any, **kwargs: Any) -> Any:
        found = copy.deepcopy(original(*args, **kwargs))
        change(found["States"])
        return found

    return _swap(shop, "_definition", definition)


def _paid_before_asked(states: dict[str, Any]) -> None:
    states["Payment"]["Choices"][1]["Condition"] = "{% $exists($states.input.payment) %}"


def _failed_as_completed(states: dict[str, Any]) -> None:
    states["OrderFailed"]["Arguments"]["Entries"][0]["DetailType"] = "Order Completed"


def _error_swallowed(states: dict[str, Any]) -> None:
    task = states["ServiceEnded"]
    result = '{% $merge([$states.input, {"outcome": "COMPLETED", "mchid": "1900000001"}]) %}'
    task["Catch"] = [{"ErrorEquals": ["States.ALL"], "Output": result, "Next": "Outcome"}]


def _ticket_told(original: Any, self: Any, error: Any) -> str:
    return f"{original(self, error)} (ticket {self._ticket})"


PLANTED: dict[str, Callable[[], Plant]] = {
    "trust an unsigned 200": _trust_unsigned,
    "do not check signatures": _no_signature_check,
    "take a wrong signature": _any_key,
    "believe a stale reply": _stale,
    "accept a reply for another order": _other_order,
    "take no answer for accepted": lambda: _after(_no_answer_is_accepted),
    "take a 5xx for accepted": lambda: _after(_error_is_accepted),
    "skip the query after a refusal": lambda: _after(_refusal_without_query),
    "forget the retry count": lambda: patch.object(Attempts, "of", classmethod(lambda cls, context: cls())),
    "resend with a new ticket after a timeout": lambda: _swap(
        completion.Completion, "_while_open", _new_ticket_in_doubt
    ),
    "do not compare the amount": lambda: _swap(judgement, "of_state", _amount_ignored),
    "take a cancelled order for finished": lambda: _swap(judgement, "of_state", _revoked_ignored),
    "take an expired order for finished": lambda: _swap(judgement, "of_state", _expired_ignored),
    "take an unconfirmed order for impossible": lambda: _state("CREATED", None, finish=Verdict.IMPOSSIBLE),
    "take an open order for cancelled": lambda: _state("USER_ACCEPTED", None, cancel=Verdict.AS_ASKED),
    "an unlisted refusal is final": lambda: _row(
        reply_rules.UNLISTED, then=Action.ASK_THEN_REJECT, doubtful=False
    ),
    "a state error is final": lambda: _row(
        "state does not allow it", then=Action.ASK_THEN_REJECT, doubtful=False
    ),
    "a clock that differs is final": lambda: _row("the times: clocks differ", then=Action.ASK_THEN_REJECT),
    "a refused ticket is final": lambda: _row("finish_ticket refused", then=Action.ASK_THEN_REJECT),
    "a 5xx is final": lambda: _row("5xx, 3xx and all else", then=Action.ASK_THEN_REJECT, doubtful=False),
    "a later refusal is final": lambda: patch.object(finality.Finality, "allows", lambda self: True),
    "announce collecting as paid": lambda: _swap(
        payment, "_payment", lambda original, state: original(replace(state, state="USER_PAID"))
    ),
    "call every payment WeChat Pay's": lambda: patch.object(payment, "_paid_by", lambda state: "WECHAT_PAY"),
    "leave the discounts out": lambda: _parameters(_without_discounts),
    "charge a fen more": lambda: _parameters(_one_fen_more),
    "publish paid whatever a query says": lambda: _workflow(_paid_before_asked),
    "publish a failed order as completed": lambda: _workflow(_failed_as_completed),
    "catch every error as completed": lambda: _workflow(_error_swallowed),
    "quote the ticket in an error": lambda: _swap(completion.Completion, "_saying", _ticket_told),
    "go on to the next host for ever": lambda: patch.object(client.Client, "next_host", lambda self: True),
}


def orders_until_found(name: str, seed: int, orders: int = ORDERS) -> tuple[int | None, str]:
    """Return how many orders it took to find a planted fault, and how it showed; None: it was not found."""
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more

    with PLANTED[name]():
        run = simulate(orders, seed, progress=count)
    return (None, "") if run.failed is None else (done + 1, str(run.failed))


def main() -> int:
    """Plant each fault, and print how many orders it took to find it."""
    parser = argparse.ArgumentParser(prog="python -m simulation.planted")
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    medians = []
    for name in PLANTED:
        if asked.only not in name:
            continue
        found_by = [orders_until_found(name, seed, asked.orders) for seed in range(1, asked.seeds + 1)]
        took = [orders for orders, _ in found_by]
        told = ", ".join("not found" if each is None else str(each) for each in took)
        print(f"{name:<44} {told:<24} {found_by[0][1][:_LONGEST]}", flush=True)
        found = [each for each in took if each is not None]
        medians.append(statistics.median(found) if found else float("inf"))
    print(f"{len(medians)} planted, {sum(each < float('inf') for each in medians)} found")
    print(f"median of the orders it took: {statistics.median(medians):.0f}")
    return 0 if all(each < float("inf") for each in medians) else 1


if __name__ == "__main__":
    sys.exit(main())
