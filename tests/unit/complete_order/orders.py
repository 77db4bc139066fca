"""Orders of 1200 fen as the function is asked to settle them, and what arrived of them at WeChat Pay."""

from typing import Any

from tests.function import Function

FEES = [{"fee_name": "无糖乌龙茶 500ml", "fee_count": 3, "fee_amount": 1300}]
DISCOUNTS = [{"discount_name": "新客立减", "discount_amount": 100}]

Event = dict[str, Any]


def finish(order_no: str, **more: Any) -> Event:
    """An event that finishes an order with 1200 fen."""
    wish = {"finish_type": 2, "fees": FEES, "discounts": DISCOUNTS, "total_amount": 1200}
    return {"out_order_no": order_no, **wish, **more}


def cancel(order_no: str, **more: Any) -> Event:
    """An event that cancels an order."""
    return {"out_order_no": order_no, "finish_type": 1, "cancel_reason": "用户未取商品", **more}


def opened(function: Function, order_no: str, **settings: Any) -> str:
    """Open an order at WeChat Pay; returns a finish_ticket of it."""
    ticket = function.simulator.open_order(order_no, **settings)["finish_ticket"]
    function.tickets.add(ticket)
    return str(ticket)


def arrived(function: Function, order_no: str | None = None) -> list[str]:
    """The operations that arrived at WeChat Pay, oldest first."""
    return [str(request["operation"]) for request in function.simulator.requests(order_no)]


def reads(function: Function) -> int:
    """How often the secret was read."""
    return len(function.secrets_manager.reads)
