"""Faults to plant in the product: each changes one place, as by mistake or to save a call."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import simulation  # noqa: F401 - where the functions are

# isort: split
from complete_order import finality, judgement
from complete_order.completion import Completion
from complete_order.result import Result
from invocation.attempts import Attempts
from query_order import payment
from wechatpay import client, orders, reply_rules, verification
from wechatpay.answer import Answer
from wechatpay.errors import NoAnswer, ReplyError, ServiceError, WeChatPayError
from wechatpay.reply_body import Malformed, json_object
from wechatpay.reply_rules import Action, Verdict
from wechatpay.verification import NotVerified, SignedMessage
from wechatpay_sandbox.order import FINISH

from simulation import shop

type Plant = AbstractContextManager[Any]


def _swap(owner: Any, name: str, change: Callable[..., Any]) -> Plant:
    """Replace a function by one that gets the original first."""
    original = getattr(owner, name)
    return patch.object(owner, name, lambda *args, **kwargs: change(original, *args, **kwargs))


def _trust_unsigned() -> Plant:
    """Take a 200 for proven that carries no signature."""

    def unproven(original: Any, reply: Any, *args: Any) -> Any:
        error = original(reply, *args)
        error.reply = reply
        return error

    def call(original: Any, *args: Any) -> Any:
        try:
            return original(*args)
        except ReplyError as exc:
            if exc.problem.status != 200 or exc.problem.verified or "missing" not in str(exc):
                raise
            try:
                return Answer(json_object(exc.reply.body), "")  # type: ignore[attr-defined]
            except Malformed:
                return Answer({}, "")

    plants = ExitStack()
    plants.enter_context(_swap(client, "unproven", unproven))
    plants.enter_context(_swap(client.Client, "_call", call))
    return plants


def _pardoned(reason: str) -> Plant:
    """Take a reply for proven that the signature does not prove for this reason."""

    def verify(original: Any, self: Any, key: Any) -> None:
        try:
            original(self, key)
        except NotVerified as exc:
            if reason not in str(exc):
                raise

    return _swap(SignedMessage, "verify", verify)


def _changed(table: str, row: str, **changes: Any) -> Plant:
    """Change a row of a decision table: of REPLIES by its name, of STATES by its state."""
    rows = getattr(reply_rules, table)
    assert any(each[0] == row for each in rows), row
    new = tuple(each._replace(**changes) if each[0] == row else each for each in rows)
    return patch.object(reply_rules, table, new)


def _final(row: str, **changes: Any) -> Plant:
    return _changed("REPLIES", row, then=Action.ASK_THEN_REJECT, **changes)


def _accepted_after(kind: type[WeChatPayError]) -> Plant:
    """Take a call for accepted that ended so; by no 4xx, which would be refused again."""

    def after(original: Any, self: Any, error: Any) -> Any:
        if isinstance(error, kind) and not (isinstance(error, ReplyError) and error.problem.status < 500):
            return Result.settled(self._order, self._key, "REPLY", "")
        return original(self, error)

    return _swap(Completion, "_after", after)


def _refusal_without_query(original: Any, self: Any, error: Any) -> Any:
    if isinstance(error, ServiceError) and error.problem.status == 400:
        return self._finality.refused(error)
    return original(self, error)


def _new_ticket_in_doubt(original: Any, self: Any, rule: Any, error: Any, state: Any) -> Any:
    result = original(self, rule, error, state)
    if result is None and self._confirmed:
        self._take_ticket(state)
    return result


def _as_asked(believed: Callable[[Any, dict[str, Any]], bool]) -> Plant:
    """Take a state for what was asked."""

    def of_state(original: Any, **asked: Any) -> Any:
        verdict = original(**asked)
        return Verdict.AS_ASKED if believed(verdict, asked) else verdict

    return _swap(judgement, "of_state", of_state)


def _parameters(change: Callable[[dict[str, Any]], None]) -> Plant:
    """Change what is sent."""

    def parameters_here(original: Any, self: Any) -> Any:
        parameters = copy.deepcopy(dict(original(self)))
        change(parameters)
        return parameters

    return _swap(Completion, "_parameters_here", parameters_here)


def _without_discounts(parameters: dict[str, Any]) -> None:
    if off := sum(each["discount_amount"] for each in parameters.pop("discounts", [])):
        parameters["total_amount"] += off


def _one_fen_more(parameters: dict[str, Any]) -> None:
    if parameters.get("fees") and parameters["finish_type"] == FINISH:
        parameters["fees"][0]["fee_amount"] += 1
        parameters["total_amount"] += 1


def _workflow(change: Callable[[dict[str, Any]], None]) -> Plant:
    """Change the states of the workflow's definition."""

    def definition(original: Any, *args: Any, **kwargs: Any) -> Any:
        changed = copy.deepcopy(original(*args, **kwargs))
        change(changed["States"])
        return changed

    return _swap(shop, "_definition", definition)


def _paid_before_asked(states: dict[str, Any]) -> None:
    states["Payment"]["Choices"][1]["Condition"] = "{% $exists($states.input.payment) %}"


def _failed_as_completed(states: dict[str, Any]) -> None:
    states["OrderFailed"]["Arguments"]["Entries"][0]["DetailType"] = "Order Completed"


def _error_swallowed(states: dict[str, Any]) -> None:
    result = '{% $merge([$states.input, {"outcome": "COMPLETED", "mchid": "1900000001"}]) %}'
    states["ServiceEnded"]["Catch"] = [{"ErrorEquals": ["States.ALL"], "Output": result, "Next": "Outcome"}]


def _paid(original: Any, state: Any) -> Any:
    return original(replace(state, state="USER_PAID"))


def _ticket_quoted(original: Any, self: Any, error: Any) -> str:
    return f"{original(self, error)} (ticket {self._ticket})"


PLANTS: dict[str, Callable[[], Plant]] = {
    "trust an unsigned 200": _trust_unsigned,
    "do not check signatures": lambda: _pardoned(""),
    "take a wrong signature": lambda: _pardoned("wrong"),
    "believe a stale reply": lambda: patch.object(verification, "TOLERANCE_SECONDS", 10**9),
    "accept a reply for another order": lambda: patch.object(orders, "_require_same_order", lambda *_: None),
    "take no answer for accepted": lambda: _accepted_after(NoAnswer),
    "take a 5xx for accepted": lambda: _accepted_after(ServiceError),
    "skip the query after a refusal": lambda: _swap(Completion, "_after", _refusal_without_query),
    "forget the retry count": lambda: patch.object(Attempts, "of", classmethod(lambda cls, context: cls())),
    "resend with a new ticket after a timeout": lambda: _swap(
        Completion, "_while_open", _new_ticket_in_doubt
    ),
    "do not compare the amount": lambda: _as_asked(
        lambda verdict, asked: verdict is Verdict.CONFLICT and not asked["cancelling"]
    ),
    "take a cancelled order for finished": lambda: _as_asked(lambda _, asked: asked["state"] == "REVOKED"),
    "take an expired order for finished": lambda: _as_asked(lambda _, asked: asked["state"] == "EXPIRED"),
    "take an unconfirmed order for impossible": lambda: _changed(
        "STATES", "CREATED", finish=Verdict.IMPOSSIBLE
    ),
    "take an open order for cancelled": lambda: _changed("STATES", "USER_ACCEPTED", cancel=Verdict.AS_ASKED),
    "an unlisted refusal is final": lambda: _final(reply_rules.UNLISTED, doubtful=False),
    "a state error is final": lambda: _final("state does not allow it", doubtful=False),
    "a clock that differs is final": lambda: _final("the times: clocks differ"),
    "a refused ticket is final": lambda: _final("finish_ticket refused"),
    "a 5xx is final": lambda: _final("5xx, 3xx and all else", doubtful=False),
    "a later refusal is final": lambda: patch.object(finality.Finality, "allows", lambda self: True),
    "announce collecting as paid": lambda: _swap(payment, "_payment", _paid),
    "call every payment WeChat Pay's": lambda: patch.object(payment, "_paid_by", lambda state: "WECHAT_PAY"),
    "leave the discounts out": lambda: _parameters(_without_discounts),
    "charge a fen more": lambda: _parameters(_one_fen_more),
    "publish paid whatever a query says": lambda: _workflow(_paid_before_asked),
    "publish a failed order as completed": lambda: _workflow(_failed_as_completed),
    "catch every error as completed": lambda: _workflow(_error_swallowed),
    "quote the ticket in an error": lambda: _swap(Completion, "_saying", _ticket_quoted),
    "go on to the next host for ever": lambda: patch.object(client.Client, "next_host", lambda self: True),
}
