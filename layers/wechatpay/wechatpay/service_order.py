"""The calls that settle an order of serviceorder (微信支付分 公共API), the successor of smart retail.

Sources: https://pay.weixin.qq.com/doc/v3/merchant/4012587900 (创建) and its neighbours, 4012587902 (查询).
"""

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import Any, NamedTuple

from .answer import Answer
from .client import Client
from .orders import (
    PAID_TO_THE_MERCHANT,
    SERVICE_ORDER,
    Accepted,
    OrderKey,
    OrderState,
    Transaction,
    get,
    post,
    require_same_wish,
)

TAKES_TICKET = False
SYNC = SERVICE_ORDER

CANCEL = 1
_PAYMENT = {"fee_name": "name", "fee_amount": "amount", "fee_desc": "description", "fee_count": "count"}
_DISCOUNT = {"discount_name": "name", "discount_amount": "amount", "discount_desc": "description"}
_TIMES = {"real_service_start_time": "start_time", "real_service_end_time": "end_time"}
_PLACES = {"real_service_end_location": "end_location"}
_SAME = ("total_amount", "profit_sharing", "goods_tag", "device")


class Collected(Enum):
    """What `collection` and `need_collection` say together."""

    ALL = auto()
    PART = auto()  # nothing included
    NOTHING_TO_COLLECT = auto()


class StateReading(NamedTuple):
    """One row: what a query says, and what that is called in smart retail.

    Attributes:
        description: `state_description`; None for any.
        collected: None for any.
        finish_type: 2 once it was completed; nothing else tells it here.
    """

    state: str
    description: str | None
    collected: Collected | None
    means: str
    finish_type: int | None
    source: str


STATES = (
    StateReading("CREATED", None, None, "CREATED", None, "V: not confirmed"),
    StateReading("DOING", "USER_CONFIRM", None, "USER_ACCEPTED", None, "V: confirmed, to be completed"),
    StateReading("DOING", "MCH_COMPLETE", None, "FINISHED", 2, "V: completed, not paid"),
    StateReading("DONE", None, Collected.ALL, "USER_PAID", 2, "V: collection.state USER_PAID"),
    StateReading("DONE", None, Collected.NOTHING_TO_COLLECT, "USER_PAID", 2, "V: need_collection false"),
    StateReading("DONE", None, Collected.PART, "FINISHED", 2, "D: partly paid is not paid yet"),
    StateReading("REVOKED", None, None, "REVOKED", None, "V: cancelled"),
    StateReading("EXPIRED", None, None, "EXPIRED", None, "V: 30 days"),
)


def complete(client: Client, key: OrderKey, parameters: Mapping[str, Any]) -> Accepted:
    """Complete an order (完结支付分订单), or cancel it when finish_type is 1. Both are re-entrant.

    What this API has no field for is left out. Cancelling waives what is owed of a completed order, or is
    refused (the sources disagree): ask for its state first.

    Raises:
        WeChatPayError: any of its kinds, see `errors`. Only this function returning means accepted.
    """
    if parameters["finish_type"] == CANCEL:
        return cancel(client, key, str(parameters["cancel_reason"]))
    answer = post(client, key, "complete", body(parameters))
    require_same_wish(answer, parameters)
    if "state" in answer.body and _reading(answer).means not in ("FINISHED", "USER_PAID"):
        raise answer.unexpected("state is none of a completed order")
    return Accepted(answer.text("order_id"), answer.request_id)


def cancel(client: Client, key: OrderKey, reason: str) -> Accepted:
    """Cancel an order (取消支付分订单) that is CREATED or DOING/USER_CONFIRM; again only for the same reason.

    The reply has no state (V); one that has may not contradict (D).

    Raises as `complete`.
    """
    answer = post(client, key, "cancel", {"reason": reason})
    if "state" in answer.body and _reading(answer).means != "REVOKED":
        raise answer.unexpected("state is none of a cancelled order")
    return Accepted(answer.text("order_id"), answer.request_id)


def query(client: Client, key: OrderKey) -> OrderState:
    """Ask what state an order is in (查询支付分订单).

    Raises:
        WeChatPayError: any of its kinds. A verified 404 is a `ServiceError`.
    """
    answer = get(client, key)
    reading, transactions = _reading(answer), _transactions(answer)
    by_merchant = bool(transactions) and all(each.paid_type == "MCH" for each in transactions)
    paid = reading.means == "USER_PAID"
    return OrderState(
        state=reading.means,
        finish_type=reading.finish_type,
        total_amount=_total(answer),
        finish_transaction_id=_last(each.transaction_id for each in transactions) if paid else None,
        pay_succ_time=_last(each.paid_time for each in transactions) if paid else None,
        pay_type=PAID_TO_THE_MERCHANT if by_merchant else None,
        transactions=transactions,
        request_id=answer.request_id,
        reported="/".join(part for part in (reading.state, reading.description) if part),
    )


def body(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a completion's parameters under the names of this API."""
    sent = {
        "post_payments": [_renamed(fee, _PAYMENT) for fee in parameters.get("fees", ())],
        "post_discounts": [_renamed(each, _DISCOUNT) for each in parameters.get("discounts", ())],
        **{name: parameters[name] for name in _SAME if name in parameters},
        "time_range": _renamed(parameters, _TIMES),
        "location": _renamed(parameters, _PLACES),
    }
    return {name: value for name, value in sent.items() if value not in ([], {})}


def _renamed(entry: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names[name]: value for name, value in entry.items() if name in names}


def _reading(answer: Answer) -> StateReading:
    """Return the row that fits, judged by state, state_description and collection together."""
    state, description = answer.text("state"), answer.optional("state_description", str)
    collected = _collected(answer)
    for row in STATES:
        if (
            row.state == state
            and row.description in (None, description)
            and row.collected in (None, collected)
        ):
            return row
    raise answer.unexpected("state and state_description are none that are documented")


def _collected(answer: Answer) -> Collected:
    """Say what was collected. Amounts of `details` that do not add up are a reader behind the writer (D)."""
    total = _total(answer)
    if answer.optional("need_collection", bool) is False or total == 0:
        return Collected.NOTHING_TO_COLLECT
    collection = _collection(answer)
    if collection.optional("state", str) != "USER_PAID" or total is None:
        return Collected.PART
    transactions = _transactions(answer)
    paid = sum(each.amount for each in transactions) if transactions else total
    return Collected.ALL if paid == total else Collected.PART


def _total(answer: Answer) -> int | None:
    total = answer.optional("total_amount", int)
    to_collect = _collection(answer).optional("total_amount", int)
    if total is not None and to_collect is not None and total != to_collect:
        raise answer.unexpected("total_amount is not the one of the collection")
    return to_collect if total is None else total


def _collection(answer: Answer) -> Answer:
    return Answer(answer.optional("collection", dict) or {}, answer.request_id)


def _transactions(answer: Answer) -> tuple[Transaction, ...]:
    details = _collection(answer).optional("details", list) or []
    if not all(isinstance(detail, dict) for detail in details):
        raise answer.unexpected("collection.details must be objects")
    return tuple(_transaction(Answer(detail, answer.request_id)) for detail in details)


def _transaction(detail: Answer) -> Transaction:
    amount = detail.optional("amount", int)
    if amount is None:
        raise detail.unexpected("collection.details.amount is missing")
    return Transaction(
        amount,
        detail.optional("paid_type", str) or None,
        detail.optional("paid_time", str) or None,
        detail.optional("transaction_id", str) or None,
    )


def _last(values: Iterable[str | None]) -> str | None:
    known = [value for value in values if value]
    return known[-1] if known else None
