"""A cabinet to try the local stack with: close its door, and Service Ended goes onto the bus.

The order is opened in the sandbox first, as a cabinet's backend does when the door opens.
"""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.sandbox import Sandbox
from operations.order_event import CABINET, emit
from operations.target import Target

EVENTS = Path(__file__).resolve().parents[1] / "events"
AT_ONCE = 20
_MOST = 20


class NotAnOrder(ValueError):
    """What was asked for cannot be bought; the message says why."""


@dataclass(frozen=True)
class Good:
    """Something in the cabinet; its price in fen."""

    field: str
    name: str
    price: int


GOODS: Sequence[Good] = (
    Good("water", "矿泉水 550ml", 200),
    Good("sandwich", "鸡蛋火腿三明治", 850),
    Good("bag", "购物袋", 50),
)
# Names of the sandbox's faults, and what they are to somebody who tries them.
FAULTS: Mapping[str, tuple[str, str]] = {
    "reset_after": ("applied, but the reply is lost", "已受理，但应答丢失"),
    "system_error_applied": ("500, yet applied", "返回 500，但已受理"),
    "unavailable": ("503, nothing applied", "返回 503，未受理"),
    "wrong_signature": ("the reply's signature is wrong", "应答签名错误"),
    "rate_limited": ("429, too many requests", "返回 429，限流"),
    "no_auth": ("403, the merchant lacks the permission", "返回 403，商户无权限"),
}


def presets() -> list[str]:
    """Return the names of the orders in events/."""
    return sorted(path.stem for path in EVENTS.glob("*.json"))


def bought(counts: Mapping[str, str]) -> dict[str, Any]:
    """Return the order event for the goods taken; nothing taken cancels the order.

    Raises:
        NotAnOrder: a count is none.
    """
    fees: list[dict[str, Any]] = []
    for good in GOODS:
        text = counts.get(good.field) or "0"
        if not (text.isascii() and text.isdigit() and int(text) <= _MOST):
            raise NotAnOrder(f"{good.name}: 0-{_MOST}")
        if count := int(text):
            fees.append({"fee_name": good.name, "fee_count": count, "fee_amount": count * good.price})
    number = f"CAB-{secrets.token_hex(8)}"
    if not fees:
        return {"out_order_no": number, "finish_type": 1, "cancel_reason": "未取走商品"}
    total = sum(fee["fee_amount"] for fee in fees)
    return {"out_order_no": number, "finish_type": 2, "fees": fees, "total_amount": total}


def preset(name: str) -> dict[str, Any]:
    """Return an order of events/."""
    if name not in presets():
        raise NotAnOrder(name)
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event


def crowd() -> Iterator[dict[str, Any]]:
    """Tell the orders of twenty shoppers."""
    for each in range(AT_ONCE):
        yield bought({"water": str(1 + each % 3), "sandwich": str(each % 2)})


def close_doors(target: Target, sandbox: Sandbox, events: Sequence[dict[str, Any]], fault: str) -> None:
    """Open these orders in the sandbox and put Service Ended of each onto the stack's bus.

    Args:
        fault: strikes each of them once; empty for none.
    """
    if fault and fault not in FAULTS:
        raise NotAnOrder(fault)
    for event in events:
        sandbox.open_order(event)
        if fault:
            sandbox.client.script(event["out_order_no"], "complete", fault=fault)
    source = target.parameters.get("TriggerSource") or CABINET
    emit(target.client("events"), target.outputs["EventBusName"], events, source)
