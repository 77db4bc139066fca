"""What orders go through. Each scenario names the truths that are right, not how they come about."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from wechatpay_sandbox.order import CANCEL, FINISH, RISK_CAP

from chaos.plan import OPEN, SILENT_SECONDS, ChaosOrder, Event, Maker, Truth

type Scenario = Callable[[Maker], ChaosOrder]


def _again_later(order: Maker) -> ChaosOrder:
    """The same event once more, the other way in, when all is done."""
    first = order.random.choice((order.finish, order.cancel))()
    return order.planned((order.arrival(first),), (order.arrival(first, on_bus=not order.on_bus),))


def _at_once(order: Maker) -> ChaosOrder:
    """The same event several times in the same moment, on both ways."""
    event = order.finish()
    copies = 10 if order.random.random() < 0.1 else order.random.randint(1, 3)
    ways = (order.on_bus, not order.on_bus)
    return order.planned(tuple(order.arrival(event, copies=copies, on_bus=on_bus) for on_bus in ways))


def _other_amount_later(order: Maker) -> ChaosOrder:
    first, later = order.finish(), order.finish(order.amount + 100)
    return order.planned((order.arrival(first),), (order.arrival(later),))


def _other_amount_at_once(order: Maker) -> ChaosOrder:
    """Two amounts race: one of them is charged, whichever, and the other ends in a conflict."""
    amounts = (order.amount, order.amount + 100) if order.amount < RISK_CAP - 100 else (order.amount, 1)
    return order.planned(tuple(order.arrival(order.finish(amount)) for amount in amounts))


def _flipped_later(order: Maker) -> ChaosOrder:
    events = [order.finish(), order.cancel()]
    order.random.shuffle(events)
    return order.planned(*((order.arrival(event),) for event in events))


def _flipped_at_once(order: Maker) -> ChaosOrder:
    return order.planned((order.arrival(order.finish()), order.arrival(order.cancel())))


def _settled_meanwhile(order: Maker) -> ChaosOrder:
    """Someone else settles it in the moment before our completion arrives: alike or otherwise."""
    event = order.finish()
    fault, truth = order.random.choice(
        (
            ("settled_same", Truth(FINISH, order.amount)),
            ("settled_amount", Truth(FINISH, order.amount + 100)),
            ("settled_cancelled", Truth(CANCEL)),
        )
    )
    # Until it took effect: a request that is refused for its signature uses up a fault, too.
    return order.once(event, may_become={truth}, faults=(_fault(fault, times=None),))


def _paid_late(order: Maker) -> ChaosOrder:
    """The shopper is charged only after the workflow has asked several times."""
    return order.once(order.finish(order.amount + 1), opened={"debit_after": 2.0})


def _settled_before(order: Maker) -> ChaosOrder:
    """It was settled by someone else before our event came: with our amount, or with another."""
    amount = order.amount + order.random.choice((0, 100))
    opened = {"finish_type": FINISH, "total_amount": amount}
    return order.once(order.finish(), may_become={Truth(FINISH, amount)}, opened=opened)


def _corrected(order: Maker) -> ChaosOrder:
    """Refused for its amount, then asked for less."""
    waves = ((order.arrival(order.finish(RISK_CAP + 1)),), (order.arrival(order.finish()),))
    return order.planned(*waves, may_become={Truth(FINISH, order.amount)})


def _invalid(order: Maker) -> ChaosOrder:
    event = order.finish()
    mistakes: tuple[Event, ...] = (
        {"total_amount": order.amount + 1},
        {"total_amount": True},
        {"total_amount": str(order.amount)},
        {"discount": []},
        {"cancel_reason": "与完结矛盾"},
        {"real_service_end_time": "20990101000000"},
        {"fees": [{"fee_name": "饮料\U0001f964", "fee_amount": order.amount}]},
    )
    event |= order.random.choice(mistakes)
    return order.planned((order.arrival(event, valid=False),), may_become={OPEN})


def _faulty(*faults: Mapping[str, Any]) -> Scenario:
    """An ordinary order that meets one of these faults."""

    def plan(order: Maker) -> ChaosOrder:
        event = order.random.choice((order.finish, order.finish, order.cancel))()
        return order.once(event, faults=(order.random.choice(faults),))

    return plan


def _fault(fault: str, operation: str = "complete", **options: Any) -> dict[str, Any]:
    return {"fault": fault, "operation": operation, **options}


_SILENT = _fault("silence", seconds=SILENT_SECONDS)

# How likely each is beside the others, and what it plans.
SCENARIOS: Mapping[str, tuple[int, Scenario]] = {
    "finished": (40, lambda order: order.once(order.finish())),
    "cancelled": (10, lambda order: order.once(order.cancel())),
    # By the call for orders that the shopper never confirmed, in every family.
    "cancelled_unconfirmed": (3, lambda order: order.once(order.cancel(), opened={"state": "CREATED"})),
    "again_later": (6, _again_later),
    "at_once": (5, _at_once),
    "other_amount_later": (4, _other_amount_later),
    "other_amount_at_once": (3, _other_amount_at_once),
    "flipped_later": (4, _flipped_later),
    "flipped_at_once": (3, _flipped_at_once),
    "settled_meanwhile": (6, _settled_meanwhile),
    "paid_late": (3, _paid_late),
    "never_paid": (1, lambda order: order.once(order.finish(), opened={"debit_after": None}, paid=False)),
    "settled_before": (3, _settled_before),
    "above_cap": (2, lambda order: order.once(order.finish(RISK_CAP + 1), may_become={OPEN})),
    "corrected": (2, _corrected),
    # Expired. Unknown or unconfirmed ones are retried for longer than a run lasts.
    "not_open": (3, lambda order: order.once(order.finish(), may_become={OPEN}, opened={"state": "EXPIRED"})),
    "invalid": (3, _invalid),
    # Verdicts rather than accidents: thrown at random they would now and then be given twice in a row, and a
    # verdict given twice may stand. Given once it must not.
    "refused_unproven": (3, _faulty(_fault("unsigned_4xx"), _fault("unsigned_4xx", "query"))),
    "stale_ticket": (3, _faulty(_fault("stale_ticket"))),
    # Two verified 404s end an order that nothing was sent for: another execution of it may not meet them.
    "lost_then_404": (3, _faulty(_fault("lost_then_404"))),
    "signature_refused": (3, _faulty(_fault("sign_error"), _fault("sign_error", "query"))),
    "silent": (
        3,
        _faulty(_SILENT, {**_SILENT, "fault": "silence_applied"}, {**_SILENT, "operation": "query"}),
    ),
}

NOT_AT_RANDOM = frozenset({"unsigned_4xx", "lost_then_404"})
"""Kinds of fault that are thrown at random by default and that scenarios plan instead; see above."""

SLOWEST = "never_paid"
"""Followed for as long as the workflow waits for payment."""


def make(orders: int, seed: int, without: frozenset[str] = frozenset()) -> list[ChaosOrder]:
    """Return the plan: every scenario at least once where there are orders enough, then by weight."""
    draw = random.Random(f"{seed} scenarios")
    names = [name for name in SCENARIOS if name not in without]
    draw.shuffle(names)
    weights = [SCENARIOS[name][0] for name in names]
    chosen = [*names, *draw.choices(names, weights, k=max(0, orders - len(names)))][:orders]
    draw.shuffle(chosen)
    chosen.sort(key=lambda name: name != SLOWEST)  # to be done when the others are
    planned = []
    for index, name in enumerate(chosen):
        number = f"C{seed}-{index:05d}|{name[:8]}*"
        planned.append(SCENARIOS[name][1](Maker(number, name, f"{seed} {index}")))
    return planned
