"""What orders go through. Each scenario says which truths are right, not how they come about."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from chaos.plan import (
    CANCEL,
    FINISH,
    OPEN,
    RISK_CAP,
    SILENT_SECONDS,
    Event,
    Maker,
    Planned,
    Scenario,
    Truth,
)

CANCELLED = Truth(CANCEL)


def _finished(order: Maker, name: str) -> Planned:
    event = order.finish()
    return order.planned(name, (order.arrival(event),), may_become={Truth(FINISH, order.amount)})


def _cancelled(order: Maker, name: str) -> Planned:
    return order.planned(name, (order.arrival(order.cancel()),), may_become={CANCELLED})


def _cancelled_unconfirmed(order: Maker, name: str) -> Planned:
    """The shopper never confirmed it: it is cancelled by the call for such orders, in every family."""
    opened = order.opened(state="CREATED")
    return order.planned(name, (order.arrival(order.cancel()),), may_become={CANCELLED}, opened=opened)


def _again_later(order: Maker, name: str) -> Planned:
    """The same event once more, the other way in, when all is done."""
    first = order.random.choice((order.finish, order.cancel))()
    waves = ((order.arrival(first),), (order.arrival(first, on_bus=not order.on_bus),))
    return order.planned(name, *waves, may_become={order.arrival(first).asks})


def _at_once(order: Maker, name: str) -> Planned:
    """The same event several times in the same moment, on both ways."""
    event = order.finish()
    copies = 10 if order.random.random() < 0.1 else order.random.randint(1, 3)
    wave = (order.arrival(event, copies=copies), order.arrival(event, copies=copies, on_bus=not order.on_bus))
    return order.planned(name, wave, may_become={Truth(FINISH, order.amount)})


def _other_amount_later(order: Maker, name: str) -> Planned:
    waves = ((order.arrival(order.finish()),), (order.arrival(order.finish(order.amount + 100)),))
    return order.planned(name, *waves, may_become={Truth(FINISH, order.amount)})


def _other_amount_at_once(order: Maker, name: str) -> Planned:
    """Two amounts race: one of them is charged, whichever, and the other is told of the conflict."""
    amounts = (order.amount, order.amount + 100) if order.amount < RISK_CAP - 100 else (order.amount, 1)
    wave = tuple(order.arrival(order.finish(amount)) for amount in amounts)
    return order.planned(name, wave, may_become={Truth(FINISH, amount) for amount in amounts})


def _flipped_later(order: Maker, name: str) -> Planned:
    events = [order.finish(), order.cancel()]
    order.random.shuffle(events)
    waves = [(order.arrival(event),) for event in events]
    return order.planned(name, *waves, may_become={waves[0][0].asks})


def _flipped_at_once(order: Maker, name: str) -> Planned:
    wave = (order.arrival(order.finish()), order.arrival(order.cancel()))
    return order.planned(name, wave, may_become={arrival.asks for arrival in wave})


def _settled_meanwhile(order: Maker, name: str) -> Planned:
    """Someone else settles it in the moment before our completion arrives: alike or otherwise."""
    event = order.finish()
    fault, truth = order.random.choice(
        (
            ("settled_same", Truth(FINISH, order.amount)),
            ("settled_amount", Truth(FINISH, order.amount + 100)),
            ("settled_cancelled", CANCELLED),
        )
    )
    # Until it took effect: a request that is refused for its signature uses up a fault, too.
    faults = (_once(fault, times=None),)
    return order.planned(name, (order.arrival(event),), may_become={truth}, faults=faults)


def _paid_late(order: Maker, name: str) -> Planned:
    """The shopper is charged only after the workflow has asked several times."""
    opened = order.opened(debit_after=2.0)
    wave = (order.arrival(order.finish(order.amount + 1)),)
    return order.planned(name, wave, may_become={Truth(FINISH, order.amount + 1)}, opened=opened)


def _never_paid(order: Maker, name: str) -> Planned:
    opened = order.opened(debit_after=None)
    wave = (order.arrival(order.finish()),)
    return order.planned(name, wave, may_become={Truth(FINISH, order.amount)}, opened=opened, paid=False)


def _settled_before(order: Maker, name: str) -> Planned:
    """It was settled by someone else before our event came: with our amount, or with another."""
    amount = order.amount + order.random.choice((0, 100))
    opened = order.opened(finish_type=FINISH, total_amount=amount)
    wave = (order.arrival(order.finish()),)
    return order.planned(name, wave, may_become={Truth(FINISH, amount)}, opened=opened)


def _above_cap(order: Maker, name: str) -> Planned:
    wave = (order.arrival(order.finish(RISK_CAP + 1)),)
    return order.planned(name, wave, may_become={OPEN})


def _corrected(order: Maker, name: str) -> Planned:
    """Refused for its amount, then asked for less."""
    waves = ((order.arrival(order.finish(RISK_CAP + 1)),), (order.arrival(order.finish()),))
    return order.planned(name, *waves, may_become={Truth(FINISH, order.amount)})


def _not_open(order: Maker, name: str) -> Planned:
    """It expired. (Unknown or unconfirmed ones are retried for longer than a run lasts.)"""
    opened = order.opened(state="EXPIRED")
    return order.planned(name, (order.arrival(order.finish()),), may_become={OPEN}, opened=opened)


def _invalid(order: Maker, name: str) -> Planned:
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
    return order.planned(name, (order.arrival(event, valid=False),), may_become={OPEN})


def _faulty(*faults: Mapping[str, Any]) -> Scenario:
    """An ordinary order that meets one of these faults."""

    def plan(order: Maker, name: str) -> Planned:
        event = order.random.choice((order.finish, order.finish, order.cancel))()
        arrival = order.arrival(event)
        chosen = (order.random.choice(faults),)
        return order.planned(name, (arrival,), may_become={arrival.asks}, faults=chosen)

    return Scenario(3, plan)


def _once(fault: str, operation: str = "complete", **options: Any) -> dict[str, Any]:
    return {"fault": fault, "operation": operation, **options}


SCENARIOS: Mapping[str, Scenario] = {
    "finished": Scenario(40, _finished),
    "cancelled": Scenario(10, _cancelled),
    "cancelled_unconfirmed": Scenario(3, _cancelled_unconfirmed),
    "again_later": Scenario(6, _again_later),
    "at_once": Scenario(5, _at_once),
    "other_amount_later": Scenario(4, _other_amount_later),
    "other_amount_at_once": Scenario(3, _other_amount_at_once),
    "flipped_later": Scenario(4, _flipped_later),
    "flipped_at_once": Scenario(3, _flipped_at_once),
    "settled_meanwhile": Scenario(6, _settled_meanwhile),
    "paid_late": Scenario(3, _paid_late),
    "never_paid": Scenario(1, _never_paid),
    "settled_before": Scenario(3, _settled_before),
    "above_cap": Scenario(2, _above_cap),
    "corrected": Scenario(2, _corrected),
    "not_open": Scenario(3, _not_open),
    "invalid": Scenario(3, _invalid),
    # Verdicts rather than accidents: thrown at random they would now and then be given twice in a row, and a
    # verdict given twice may stand. Given once it must not.
    "refused_unproven": _faulty(_once("unsigned_4xx"), _once("unsigned_4xx", "query")),
    "stale_ticket": _faulty(_once("stale_ticket")),
    # Two verified 404s end an order that nothing was sent for: another execution of it may not meet them.
    "lost_then_404": _faulty(_once("lost_then_404")),
    "signature_refused": _faulty(_once("sign_error"), _once("sign_error", "query")),
    "silent": _faulty(
        _once("silence", seconds=SILENT_SECONDS),
        _once("silence_applied", seconds=SILENT_SECONDS),
        _once("silence", "query", seconds=SILENT_SECONDS),
    ),
}

NOT_AT_RANDOM = frozenset({"unsigned_4xx", "lost_then_404"})
"""Kinds of fault that are thrown at random by default and that scenarios plan instead; see above."""

SLOWEST = "never_paid"
"""Followed for as long as the workflow waits for payment."""


def make(orders: int, seed: int, without: frozenset[str] = frozenset()) -> list[Planned]:
    """Return the plan: every scenario at least once where there are orders enough, then by weight."""
    draw = random.Random(f"{seed} scenarios")
    names = [name for name in SCENARIOS if name not in without]
    draw.shuffle(names)
    weights = [SCENARIOS[name].weight for name in names]
    chosen = [*names, *draw.choices(names, weights, k=max(0, orders - len(names)))][:orders]
    draw.shuffle(chosen)
    chosen.sort(key=lambda name: name != SLOWEST)  # to be done when the others are
    planned = []
    for index, name in enumerate(chosen):
        number = f"C{seed}-{index:05d}|{name[:8]}*"
        planned.append(SCENARIOS[name].plan(Maker(number, f"{seed} {index}"), name))
    return planned
