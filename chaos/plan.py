"""The orders of a run: what arrives of each, when, and what WeChat Pay's ledger may say of it in the end.

The plan depends on the seed and the number of orders alone. To cover something new, add a scenario.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from wechatpay_sandbox import APPID, SERVICE_ID
from wechatpay_sandbox.order import APIS, CANCEL, FINISH, RISK_CAP

type Event = dict[str, Any]

SMART_RETAIL, SERVICE_ORDER = "smartretail-orders", "serviceorder"
SILENT_SECONDS = 60.0
"""Longer than any timeout of the function: it always gives up first."""


@dataclass(frozen=True)
class Truth:
    """How an order stands at WeChat Pay: settled how (None: not at all), for how many fen."""

    finish_type: int | None
    amount: int = 0


OPEN = Truth(None)


@dataclass(frozen=True)
class Arrival:
    """An order event as it comes in: how often at once, and over the bus or by StartExecution."""

    event: Event
    on_bus: bool = False
    copies: int = 1
    valid: bool = True

    @property
    def asks(self) -> Truth:
        """What the order becomes when this is done as it says."""
        return Truth(self.event["finish_type"], self.event.get("total_amount", 0))


@dataclass(frozen=True)
class ChaosOrder:
    """One order.

    Attributes:
        scenario: the name of what it goes through.
        order_api: the API it is created with at WeChat Pay.
        waves: arrivals; each wave begins when the executions of the one before have ended.
        may_become: every truth that is right in the end; more than one only where arrivals race.
        opened: settings of the order at WeChat Pay (`Orders.open`).
        faults: planned for this order's calls, besides those thrown at random.
        paid: whether WeChat Pay collects what the order becomes.
    """

    number: str
    scenario: str
    order_api: str
    waves: tuple[tuple[Arrival, ...], ...]
    may_become: frozenset[Truth]
    opened: Mapping[str, Any] = MappingProxyType({})
    faults: tuple[Mapping[str, Any], ...] = ()
    paid: bool = True

    @property
    def arrivals(self) -> tuple[Arrival, ...]:
        """All of its arrivals."""
        return tuple(arrival for wave in self.waves for arrival in wave)


class Maker:
    """Makes the parts of one order from its own stream of random numbers."""

    def __init__(self, number: str, scenario: str, seed: str) -> None:
        self.number = number
        self.scenario = scenario
        self.random = random.Random(seed)
        self.amount = self.random.choice(
            (0, 1, self.random.randint(2, 9_999), self.random.randint(2, RISK_CAP))
        )
        self.on_bus = self.random.random() < 0.5
        ticket = base64.b64encode(self.random.randbytes(96)).decode()
        self.ticket = ticket if self.random.random() < 0.5 else None
        # Where the event names them, a verified 404 may end an order; from the secret it never does.
        named = self.random.random() < 0.5
        self.identifiers: Event = {"appid": APPID, "service_id": SERVICE_ID} if named else {}
        families = random.Random(f"{seed} family")
        self.order_api = families.choice(APIS)
        if families.random() < 0.5:
            self.identifiers["order_api"] = self.order_api
        elif self.order_api == SERVICE_ORDER:
            self.ticket = None  # whoever has a ticket, and names no API, says that it is not this one

    def finish(self, amount: int | None = None) -> Event:
        """Ask for this many fen, by default the order's own amount."""
        total = self.amount if amount is None else amount
        off = self.random.choice((0, 0, self.random.randint(1, 500)))
        first = self.random.randint(0, total + off)
        fees: list[Event] = [
            {"fee_name": "矿泉水", "fee_count": self.random.randint(1, 9), "fee_amount": first},
            {"fee_name": "坚果|混合*", "fee_amount": total + off - first, "fee_desc": "每袋"},
        ]
        event = self._event(FINISH) | {"fees": fees, "total_amount": total}
        if off:
            event["discounts"] = [{"discount_name": "新客立减", "discount_amount": off}]
        if self.random.random() < 0.3:
            event["real_service_end_location"] = "南山科技园 3 号柜"
        return event

    def cancel(self) -> Event:
        """Ask for nothing: the shopper took nothing."""
        return self._event(CANCEL) | {"cancel_reason": "用户未取商品"}

    def arrival(self, event: Event, **changes: Any) -> Arrival:
        """Return the event as it comes in on this order's way."""
        return Arrival(event, **{"on_bus": self.on_bus, **changes})

    def once(self, event: Event, **rest: Any) -> ChaosOrder:
        """Return the order, for which one event comes in, once."""
        return self.planned((self.arrival(event),), **rest)

    def planned(
        self,
        *waves: tuple[Arrival, ...],
        may_become: set[Truth] | None = None,
        opened: Mapping[str, Any] = MappingProxyType({}),
        **rest: Any,
    ) -> ChaosOrder:
        """Return the order: by default it becomes what its first wave asks for.

        Args:
            waves: its arrivals.
            may_become: every truth that is right in the end.
            opened: settings at WeChat Pay beside its API; a ticket that events carry is valid there.
            rest: see `ChaosOrder`.
        """
        asked = may_become or {arrival.asks for arrival in waves[0]}
        ticket = {"finish_ticket": self.ticket} if self.ticket else {}
        settings = {**ticket, **opened, "api": self.order_api}
        return ChaosOrder(
            self.number, self.scenario, self.order_api, waves, frozenset(asked), opened=settings, **rest
        )

    def _event(self, finish_type: int) -> Event:
        event: Event = {
            "out_order_no": self.number,
            "finish_type": finish_type,
            "real_service_start_time": "20251001183012",
            "real_service_end_time": "20251001183147",
            "metadata": {"cabinet": "SZ-NS-003", "note": "第 3 号柜", "shelf": self.random.randint(1, 9)},
            **self.identifiers,
        }
        return event | {"finish_ticket": self.ticket} if self.ticket else event
