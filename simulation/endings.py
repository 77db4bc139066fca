"""The end of a shop: how every order must have ended, and within which bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulation.audit import LOST, NEVER, SECRETS, Violation
from simulation.orders import BEGAN, HOUR, SimulatedOrder

if TYPE_CHECKING:
    from simulation.shop import Shop

SETTLED_WITHIN = 1.5 * HOUR
"""After the world has healed: a retry or an operator (half an hour), ten minutes, two retries more."""
MOST_CALLS_SINCE = 60
"""Requests of one execution after the world has healed, until its order is final."""


def finish(shop: Shop) -> None:
    """Require that every order has ended as it must, and count."""
    tally, audit = shop.tally, shop.audit
    try:
        for planned in shop.planned.values():
            order = shop.wechat.caught_up(planned.number)
            _require_final(shop, planned)
            audit.ends(order.ledger_entry(), planned.wishes)
        audit.examined[SECRETS] += shop.sink.lines
        if shop.sink.leaks:
            raise Violation(SECRETS, "a text", shop.sink.leaks[0][:300])
    finally:
        tally.orders += len(shop.planned)
        tally.executions += len(shop.executions)
        tally.environments += sum(pool.made for pool in shop.pools.values())
        tally.virtual_days += (shop.kernel.now - BEGAN) / 86400
        tally.calls += shop.wechat.calls
        tally.faults += shop.wechat.faults
        tally.late += shop.network.late
        tally.fen += audit.fen
        tally.examined += audit.examined
        tally.most_calls = max(tally.most_calls, *shop.tasks.calls.values(), 0)
        tally.most_calls_since = max(tally.most_calls_since, *shop.tasks.calls_since.values(), 0)


def _require_final(shop: Shop, planned: SimulatedOrder) -> None:
    number, final = planned.number, shop.tasks.final
    shop.audit.examined.update((LOST, NEVER))
    own = [each for each in shop.executions.values() if each.input["out_order_no"] == number]
    if len(own) < len(planned.arrivals):
        raise Violation(LOST, number, f"{len(own)} executions of {len(planned.arrivals)} events")
    if number not in shop.operators.uncorrected:
        settled = any(each.status == "SUCCEEDED" or each.state == "Failed" for each in own)
        running = next((each for each in own if each.status == "RUNNING"), None)
        if running is not None or not settled:
            ends = [f"{each.status} {each.state} {each.error}" for each in own]
            raise Violation(NEVER if running else LOST, number, "; ".join(ends))
    late = max((final[each.arn] for each in own if each.arn in final), default=0.0)
    late -= shop.settles_from(number)
    shop.tally.slowest = max(shop.tally.slowest, late)
    if late > SETTLED_WITHIN:
        raise Violation(NEVER, number, f"settled only {late:.0f} s after the world had healed")
    since = max(shop.tasks.calls_since[each.arn] for each in own)
    if since > MOST_CALLS_SINCE:
        raise Violation(NEVER, number, f"{since} requests after the world had healed")
