"""What an order is to every API family of WeChat Pay Score: its key, its acceptance, its state.

A family is one module with the functions of `OrderApi`; `order_apis` has the table of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .client import Client

SMART_RETAIL, PAY_AFTER = "smartretail-orders", "payafter-orders"


@dataclass(frozen=True)
class OrderKey:
    """What names one order to WeChat Pay. Every reply is checked against it.

    Attributes:
        order_api: the API family the order was created with: the segment of its path.
    """

    mchid: str
    appid: str
    service_id: str
    out_order_no: str
    order_api: str = SMART_RETAIL


@dataclass(frozen=True)
class Accepted:
    """A verified 200 to a completion or a cancellation: accepted, not yet paid."""

    order_id: str
    request_id: str


@dataclass(frozen=True)
class OrderState:
    """A verified answer to a query.

    Attributes:
        state: one of the family's states.
        finish_ticket: needed to complete; only in USER_ACCEPTED. Opaque, never logged.
        finish_type: 1 cancelled, 2 finished; None before.
        total_amount: fen; None before the order is finished.
        finish_transaction_id, pay_succ_time: only of a paid order; missing when it was paid elsewhere.
        pay_type: how it was paid; `MchChannelPayType`: not by WeChat Pay, the merchant has synced it.
    """

    state: str
    finish_ticket: str | None = field(default=None, repr=False)
    finish_type: int | None = None
    total_amount: int | None = None
    finish_transaction_id: str | None = None
    pay_succ_time: str | None = None
    pay_type: str | None = None
    request_id: str = ""

    def __str__(self) -> str:
        return f"state {self.state}, finish_type {self.finish_type}, total_amount {self.total_amount}"


class OrderApi(Protocol):
    """One API family. Each function raises any kind of `WeChatPayError`, see `errors`."""

    def complete(self, client: Client, key: OrderKey, parameters: Mapping[str, Any]) -> Accepted:
        """Complete an order, or cancel one that the shopper has confirmed. Returning means accepted."""

    def cancel(self, client: Client, key: OrderKey, reason: str) -> Accepted:
        """Cancel an order that the shopper has not confirmed. Returning means accepted."""

    def query(self, client: Client, key: OrderKey) -> OrderState:
        """Ask what state an order is in."""
