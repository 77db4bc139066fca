"""One order whose attempts are disturbed by a script: where each dies, and what its completion meets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import NamedTuple

from wechatpay_sandbox.fault import Fault
from wechatpay_sandbox.fault_kinds import KINDS

from simulation.fate import Fate
from simulation.network import HOSTS
from simulation.orders import Arrival, SimulatedOrder
from simulation.shop import Shop
from simulation.tally import Tally
from simulation.trace import Trace

NUMBER = "S0-0000000"
EVENT = {
    "out_order_no": NUMBER,
    "finish_type": 2,
    "fees": [{"fee_name": "商品信息", "fee_amount": 1200}],
    "total_amount": 1200,
    "order_api": "smartretail-orders",
}


class Disturbance(NamedTuple):
    """What happens to one attempt: what its completion meets, and where it dies."""

    fault: str | None
    point: int | None


type Script = Mapping[str, Sequence[Disturbance]]
NOTHING = Disturbance(None, None)


@dataclass
class Scripted(Fate):
    """Disturbs the attempts of each execution in turn.

    Attributes:
        script: by execution.
        attempts: how many each execution has made.
        points: how many points each attempt passed.
        states: the state that each attempt began in.
        state: returns the state that an attempt would begin in now.
        met_at: how many it had passed when it met the fault that was meant for it.
    """

    script: Script
    everywhere: dict[str, Fault] = field(default_factory=dict)
    attempts: Counter[str] = field(default_factory=Counter)
    points: Counter[tuple[str, int]] = field(default_factory=Counter)
    met_at: dict[tuple[str, int], int] = field(default_factory=dict)
    states: dict[tuple[str, int], str] = field(default_factory=dict)
    state: Callable[[], str] = lambda: ""

    def fault(self, number: str, operation: str, who: str) -> Fault | None:
        attempt, planned = (who, self.attempts[who]), self._planned(who)
        if operation != "complete" or planned.fault is None or attempt in self.met_at:
            return None
        self.met_at[attempt] = self.points[attempt]
        return KINDS[planned.fault]

    def dies_at(self, number: str, function: str, who: str) -> int | None:
        if function != "complete_order":
            return None
        self.attempts[who] += 1
        self.states[who, self.attempts[who]] = self.state()
        return self._planned(who).point

    def passes(self, who: str, point: str) -> None:
        self.points[who, self.attempts[who]] += 1

    def _planned(self, who: str) -> Disturbance:
        script, attempt = self.script.get(who, ()), self.attempts[who]
        return script[attempt - 1] if 0 < attempt <= len(script) else NOTHING


def run(script: Script) -> Scripted:
    """Run one order with an execution for each name in the script. Raises what the simulation finds."""
    fate = Scripted(script)
    shop = Shop(Random(1), Trace(), Tally(), fate=fate)
    arrivals = [Arrival(60.0 + 0.02 * index, EVENT) for index in range(len(script))]
    shop.plan(SimulatedOrder(NUMBER, 0.0, 1200, {"debit_after": 1.0}, arrivals))
    fate.state = partial(_state, shop)
    shop.settle()
    return fate


def _state(shop: Shop) -> str:
    """Return all that an attempt may find, but times."""
    order = shop.wechat.caught_up(NUMBER)
    planned = [
        (each["operation"], each["fault"], each["times"]) for each in shop.wechat.core.misbehaviour.pending()
    ]
    warm = [
        (bool(each.app.merchants), each.app.transport.failed_hosts.last(HOSTS))
        for each in shop.pools["complete_order"].idle
    ]
    executions = [(each.status, each.redrives > 0) for each in shop.executions.values()]
    errors = list(shop.tasks.last_error.values())
    known = (order.state, order.completion, order.accepted, bool(order.tickets), planned)
    return repr((known, warm, executions, errors))
