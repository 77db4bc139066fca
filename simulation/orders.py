"""What happens to one order outside the product: drawn once, so that it can be replayed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from wechatpay_sandbox import SERVICE_ID
from wechatpay_sandbox.order import APIS, CANCEL, FINISH, RISK_CAP
from wechatpay_sandbox.times import shanghai

Event = dict[str, Any]
HOUR = 3600.0
BEGAN = 1_800_000_000.0
"""UNIX seconds at which virtual time begins; seconds "from the beginning" are counted from there."""
SERVICE_ORDER = "serviceorder"
APPID = "wx1234567890abcdef"
BUSY = 6 * HOUR
"""Orders come, and things go wrong, for so long."""


@dataclass(frozen=True)
class Arrival:
    """A service-ended event comes in."""

    at: float
    event: Event


@dataclass
class SimulatedOrder:
    """One order.

    Attributes:
        settings: of the sandbox's order, see `wechatpay_sandbox.orders.Orders.open`.
        purse: fen in the shopper's purse; None: no end.
        acts: what shopper and merchant do beside: seconds from the beginning, and what.
        possible_at: seconds from the beginning, before which it cannot be settled.
    """

    number: str
    opened_at: float
    amount: int
    settings: dict[str, Any]
    arrivals: list[Arrival] = field(default_factory=list)
    purse: int | None = None
    acts: list[tuple[float, str]] = field(default_factory=list)
    possible_at: float = 0.0

    @property
    def wishes(self) -> set[tuple[int, int]]:
        """What its events ask for: finish_type, and fen."""
        return {(each.event["finish_type"], each.event["total_amount"]) for each in self.arrivals}


class Maker:
    """Draws one order."""

    def __init__(self, random: Random, number: str) -> None:
        self.random = random
        self.api = random.choices(APIS, (6, 2, 4))[0]
        opened_at = random.uniform(0, BUSY)
        self.order = SimulatedOrder(number, opened_at, random.randint(1, 400) * 10, {"api": self.api})
        self.at = opened_at + random.uniform(5, 600)
        self.order.settings["debit_after"] = random.choice((0.5, 2.0, 4.0, 60.0, 400.0))

    def draw(self) -> SimulatedOrder:
        """Draw how it ends."""
        kinds, weights = zip(*((make, weight) for weight, make in KINDS), strict=True)
        self.random.choices(kinds, weights)[0](self)
        return self.order

    def finish(self, amount: int | None = None, **more: Any) -> Event:
        """Return an event that finishes the order."""
        amount = self.order.amount if amount is None else amount
        off = self.random.choice((0, 0, 0, 50))
        fees = [{"fee_name": "商品信息", "fee_desc": "矿泉水", "fee_amount": amount + off}]
        event: Event = {"finish_type": FINISH, "fees": fees, "total_amount": amount}
        if off:
            event["discounts"] = [{"discount_name": "会员优惠", "discount_amount": off}]
        return self._common(event | more)

    def cancel(self) -> Event:
        """Return an event that cancels the order."""
        return self._common({"finish_type": CANCEL, "cancel_reason": "用户未取货", "total_amount": 0})

    def arrives(self, event: Event, after: float = 0.0) -> None:
        """Let an event come in; now and then twice, and late."""
        copies = 1 if self.random.random() < 0.85 else self.random.randint(2, 3)
        for copy in range(copies):
            late = 0.0 if copy == 0 else self.random.choice((0.0, 0.05, 1.0, 30.0, 2 * HOUR))
            self.order.arrivals.append(Arrival(self.at + after + late, event))

    def _common(self, event: Event) -> Event:
        event = {"out_order_no": self.order.number, **event}
        if self.random.random() < 0.6:
            event |= {"appid": APPID, "service_id": SERVICE_ID}
        if self.random.random() < 0.6:
            event["order_api"] = self.api
        if self.random.random() < 0.4 and ("order_api" in event or self.api != SERVICE_ORDER):
            ticket = self.order.settings.setdefault("finish_ticket", f"{self.random.getrandbits(400):0100x}")
            event["finish_ticket"] = ticket
        if self.random.random() < 0.3:
            ahead = self.random.choice((-3, 0, 0, 1, 3, 20, 200))
            event["real_service_end_time"] = shanghai(BEGAN + self.at + ahead)
            self.order.possible_at = max(self.order.possible_at, self.at + ahead)
        return event


def _finished(make: Maker) -> None:
    make.arrives(make.finish())


def _cancelled(make: Maker) -> None:
    make.order.settings["cancelled_state"] = make.random.choice(("REVOKED", "FINISHED"))
    make.arrives(make.cancel())


def _nothing_to_pay(make: Maker) -> None:
    make.order.amount = 0
    make.arrives(make.finish())


def _two_amounts(make: Maker) -> None:
    make.arrives(make.finish())
    make.arrives(make.finish(make.order.amount + 100), after=make.random.choice((0.0, 0.02, 10.0, HOUR)))


def _flipped(make: Maker) -> None:
    events = [make.finish(), make.cancel()]
    make.random.shuffle(events)
    make.arrives(events[0])
    make.arrives(events[1], after=make.random.choice((0.0, 0.02, 10.0, HOUR)))


def _unconfirmed(make: Maker) -> None:
    make.order.settings["state"] = "CREATED"
    make.order.settings.pop("finish_ticket", None)
    event = make.random.choice((make.finish, make.finish, make.cancel))()
    make.order.settings.pop("finish_ticket", None)
    event.pop("finish_ticket", None)
    make.arrives(event)
    if make.random.random() < 0.7 or make.api == SERVICE_ORDER:  # which expires after a month only
        make.order.possible_at = max(make.order.opened_at, make.at + make.random.uniform(-300, 1200))
        make.order.acts.append((make.order.possible_at, "confirm"))
    else:
        make.order.possible_at = make.order.opened_at + HOUR + 10  # WeChat Pay's clock may be behind


def _above_cap(make: Maker) -> None:
    make.arrives(make.finish(RISK_CAP + 10))


def _invalid(make: Maker) -> None:
    wrong: Event = make.random.choice(
        ({"total_amount": make.order.amount + 1}, {"discount": []}, {"fees": "x"})
    )
    make.arrives(make.finish(**wrong))


def _without_end(make: Maker) -> None:
    make.order.settings["service_end_time"] = None
    make.arrives(make.finish(real_service_end_time=shanghai(BEGAN + make.at)))


def _settled_elsewhere(make: Maker) -> None:
    make.arrives(make.finish())
    what = make.random.choice(("finished the same", "finished for more", "cancelled"))
    make.order.acts.append((make.at + make.random.uniform(-30, 30), what))


def _poor(make: Maker) -> None:
    """The shopper has no money, and then pays by hand, or at the counter, or has some, or never."""
    make.order.purse = make.random.randint(0, make.order.amount - 1)
    make.order.settings["debit_every"] = 6 * HOUR
    make.arrives(make.finish())
    what = make.random.choice(("pays by hand", "pays at the counter", "has money", "never"))
    at = make.at + make.random.choice((20.0, 600.0, 9 * HOUR))
    if make.api == SERVICE_ORDER and make.random.random() < 0.5:
        make.order.acts.append((at - 10, "pays a part by hand"))
    make.order.acts.append((at, what))


def _lowered(make: Maker) -> None:
    make.order.settings["debit_after"] = None
    make.arrives(make.finish())
    what = make.random.choice(("lowered", "waived")) if make.api == SERVICE_ORDER else "lowered"
    make.order.acts.append((make.at + make.random.uniform(10, 900), what))
    make.order.acts.append((make.at + 2 * HOUR, "pays by hand"))


KINDS: tuple[tuple[int, Callable[[Maker], None]], ...] = (
    (60, _finished),
    (8, _cancelled),
    (2, _nothing_to_pay),
    (4, _two_amounts),
    (3, _flipped),
    (3, _unconfirmed),
    (1, _above_cap),
    (1, _invalid),
    (2, _without_end),
    (5, _settled_elsewhere),
    (4, _poor),
    (2, _lowered),
)
