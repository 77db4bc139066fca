"""What an order is to every API family of WeChat Pay Score: its key, its acceptance, its state.

A family is one module with the functions of `OrderApi`; `order_apis` has the table of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, urlencode

from .answer import Answer
from .client import QUERY_RESERVE_SECONDS, Client
from .forms import ORDER_API

SMART_RETAIL, PAY_AFTER, SERVICE_ORDER = ORDER_API.words
ROOT = "/v3/payscore"
# T: `pay_type` of an order that was paid elsewhere and synced. I: it may never get a transaction.
PAID_TO_THE_MERCHANT = "MchChannelPayType"


class OrderKey(NamedTuple):
    """What names one order to WeChat Pay. Every reply is checked against it.

    Attributes:
        order_api: the API family the order was created with: the segment of its path.
    """

    mchid: str
    appid: str
    service_id: str
    out_order_no: str
    order_api: str = SMART_RETAIL

    def in_families(self, order_apis: Iterable[str]) -> "list[OrderKey]":
        """Return this key, and those of the order in the other families of `order_apis`."""
        return [self, *(self._replace(order_api=api) for api in order_apis if api != self.order_api)]


class Accepted(NamedTuple):
    """A verified 200 to a completion or a cancellation: accepted, not yet paid."""

    order_id: str
    request_id: str


class Transaction(NamedTuple):
    """One sum that was collected of an order.

    Attributes:
        amount: fen.
        paid_type: `NEWTON` by WeChat Pay, `MCH` by other means.
        paid_time: as WeChat Pay writes it.
        transaction_id: WeChat Pay's number of the payment, which a refund needs; None when it has none.
    """

    amount: int
    paid_type: str | None = None
    paid_time: str | None = None
    transaction_id: str | None = None


@dataclass(frozen=True)
class OrderState:
    """A verified answer to a query, in the words of smart retail whatever the family.

    Attributes:
        state: CREATED, USER_ACCEPTED, FINISHED, USER_PAID, REVOKED or EXPIRED.
        finish_ticket: needed to complete; only in USER_ACCEPTED. Opaque, never logged.
        finish_type: 1 cancelled, 2 finished; None before.
        total_amount: fen; None before the order is finished.
        finish_transaction_id, pay_succ_time: only of a paid order; missing when it was paid elsewhere.
        pay_type: how it was paid; `MchChannelPayType`: not by WeChat Pay, the merchant has synced it.
        transactions: what was collected one by one, where the family tells it.
        start_location: where the service began, where an end at the same place is refused.
        reported: what the family calls this state, when it has other words.
    """

    state: str
    finish_ticket: str | None = field(default=None, repr=False)
    finish_type: int | None = None
    total_amount: int | None = None
    finish_transaction_id: str | None = None
    pay_succ_time: str | None = None
    pay_type: str | None = None
    transactions: tuple[Transaction, ...] = ()
    start_location: str | None = None
    request_id: str = ""
    reported: str = ""

    def __str__(self) -> str:
        shown = f"state {self.state}, finish_type {self.finish_type}, total_amount {self.total_amount}"
        return f"{shown} ({self.reported})" if self.reported else shown


class OrderApi(Protocol):
    """One API family. Each function raises any kind of `WeChatPayError`, see `errors`.

    Attributes:
        TAKES_TICKET: a completion, or the cancellation of a confirmed order, carries a finish_ticket. Where
            none does, nothing but a query keeps a cancellation from waiving what is owed already.
        SYNC: the family at whose path an order is reported as paid elsewhere.
    """

    TAKES_TICKET: bool
    SYNC: str

    def complete(self, client: Client, key: OrderKey, parameters: Mapping[str, Any]) -> Accepted:
        """Complete an order, or cancel one that the shopper has confirmed. Returning means accepted.

        Args:
            client: signs, sends and verifies.
            key: the order.
            parameters: the fields of an order event; amounts in fen. What the family has no field for is left
                out.
        """

    def cancel(self, client: Client, key: OrderKey, reason: str) -> Accepted:
        """Cancel an order that the shopper has not confirmed. Returning means accepted."""

    def query(self, client: Client, key: OrderKey) -> OrderState:
        """Ask what state an order is in."""


def post(client: Client, key: OrderKey, call: str, body: Mapping[str, Any], ticket: str = "") -> Answer:
    """Make a call that changes an order, and return a verified answer that is about this order.

    Args:
        client: signs, sends and verifies.
        key: the order.
        call: the last segment of the path.
        body: what follows appid and service_id.
        ticket: a finish_ticket in the body, which no error may quote.

    Raises:
        WeChatPayError: any of its kinds, see `errors`.
    """
    target = f"{ROOT}/{key.order_api}/{quote(key.out_order_no, safe='')}/{call}"
    parameters = {"appid": key.appid, "service_id": key.service_id, **body}
    answer = client.post(target, parameters, reserve=QUERY_RESERVE_SECONDS, secret=ticket)
    _require_same_order(answer, key, ("mchid", "appid", "service_id", "out_order_no"))
    return answer


def get(client: Client, key: OrderKey) -> Answer:
    """Query an order, and return a verified answer that is about this order.

    Raises:
        WeChatPayError: any of its kinds. A verified 404 is a `ServiceError`.
    """
    names = {"service_id": key.service_id, "out_order_no": key.out_order_no, "appid": key.appid}
    answer = client.get(f"{ROOT}/{key.order_api}?{urlencode(names, quote_via=quote, safe='')}")
    _require_same_order(answer, key, ("out_order_no",))
    return answer


def require_same_wish(answer: Answer, parameters: Mapping[str, Any]) -> None:
    """Refuse a genuine 200 that contradicts what was asked (D).

    Raises:
        UnexpectedReply: it names another amount or finish_type.
    """
    for name in ("total_amount", "finish_type"):
        if name in answer.body and name in parameters and answer.body[name] != parameters[name]:
            raise answer.unexpected(f"{name} is not the one asked for")


def _require_same_order(answer: Answer, key: OrderKey, required: tuple[str, ...]) -> None:
    """Refuse a genuine reply that speaks of another order: a signature covers the reply, not the question."""
    for name in ("mchid", "appid", "service_id", "out_order_no"):
        if (name in answer.body or name in required) and answer.body.get(name) != getattr(key, name):
            raise answer.unexpected(f"{name} is not the one asked for")
