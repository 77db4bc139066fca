"""Every point at which a function can die times every class of fault, for one order: `make simulate-all`.

A disturbance is a pair: the point at which an attempt is killed, or none, and the fault that its completion
meets, or none. One execution gets every sequence of three, two executions of one order every pair. What makes
no difference is counted without being run: a fault that was never met because the function had died.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from wechatpay_sandbox.fault_kinds import KINDS, Fault

from simulation.disturbances import Fate
from simulation.orders import Arrival, Planned
from simulation.shop import Shop, known_secrets
from simulation.tally import Tally
from simulation.trace import Sink, Trace

FAULTS = (
    "reset_before",
    "reset_after",
    "silence_applied",
    "unsigned",
    "forged_accepted_unsigned",
    "system_error_applied",
    "conflict_409_applied",
    "unlisted_code",
    "stale_ticket",
    "lost_then_404",
)
POINTS = 10
"""An attempt that goes well passes ten: invoked, the secret, the query and the completion, the end."""
NUMBER = "S0-0000000"


class Disturbance(NamedTuple):
    """What happens to one attempt: where it dies, and what its completion meets."""

    point: int | None
    fault: str | None


NOTHING = Disturbance(None, None)
EVERY = tuple(Disturbance(point, fault) for point in (None, *range(POINTS)) for fault in (None, *FAULTS))


@dataclass
class Scripted(Fate):
    """Disturbs the attempts of each execution in turn.

    Attributes:
        attempts: how many attempts each execution has made.
        met: which attempts met the fault that was meant for them.
    """

    script: dict[str, Sequence[Disturbance]]
    attempts: Counter[str] = field(default_factory=Counter)
    met: set[tuple[str, int]] = field(default_factory=set)

    def fault(self, number: str, operation: str, who: str) -> Fault | None:
        attempt = self.attempts[who]
        planned = self._planned(who)
        if operation != "complete" or planned.fault is None or (who, attempt) in self.met:
            return None
        self.met.add((who, attempt))
        return KINDS[planned.fault]

    def dies_at(self, number: str, function: str, who: str) -> int | None:
        if function != "complete_order":
            return None
        self.attempts[who] += 1
        return self._planned(who).point

    def _planned(self, who: str) -> Disturbance:
        script, attempt = self.script.get(who, ()), self.attempts[who]
        return script[attempt - 1] if attempt <= len(script) else NOTHING


def run(scripts: Sequence[Sequence[Disturbance]]) -> Scripted:
    """Run one order with an execution for each script. Raises what the simulation finds."""
    fate = Scripted({str(index): script for index, script in enumerate(scripts)})
    sink = Sink(known_secrets())
    with contextlib.redirect_stdout(sink), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shop = Shop(Random(1), Trace(), sink, Tally(), fate=fate, quiet=True)
        event = {
            "out_order_no": NUMBER,
            "finish_type": 2,
            "fees": [{"fee_name": "商品信息", "fee_amount": 1200}],
            "total_amount": 1200,
        }
        arrivals = [Arrival(60.0 + 0.02 * index, event) for index in range(len(scripts))]
        shop.plan(Planned(NUMBER, 0.0, 1200, {"debit_after": 1.0}, arrivals))
        shop.kernel.run()
        shop.finish()
    return fate


def one_execution(depth: int) -> Iterator[tuple[list[Disturbance], int]]:
    """Run every sequence of so many disturbances; yield each that was run, and how many it stands for."""

    def deeper(prefix: list[Disturbance]) -> Iterator[tuple[list[Disturbance], int]]:
        level = len(prefix) + 1
        below = len(EVERY) ** (depth - level)
        dead: set[int | None] = set()
        for each in EVERY:
            if each.point in dead:
                continue
            script = [*prefix, each]
            fate = run([script])
            met = ("0", level) in fate.met
            same = 1
            if each.fault is not None and not met:  # it died before, so that no other fault is met either
                dead.add(each.point)
                same = len(FAULTS)
            if (
                fate.attempts["0"] <= level or level == depth
            ):  # settled: what was planned for later never comes
                yield script, same * below
            elif each.fault is None or met:
                yield from deeper(script)
            else:
                # The same as with no fault at all, which has been followed to its end above.
                yield script, same * below

    yield from deeper([])


def two_executions(every: Sequence[Disturbance] = EVERY) -> Iterator[tuple[Disturbance, Disturbance]]:
    """Run every pair of disturbances: one for the first attempt of each of two executions of one order."""
    for one, other in itertools.product(every, every):
        run([[one], [other]])
        yield one, other


def main() -> int:
    """Explore, and print how many sequences were covered and how many runs that took."""
    depth = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    runs = covered = 0
    for _, stands_for in one_execution(depth):
        runs, covered = runs + 1, covered + stands_for
    whole = len(EVERY) ** depth
    print(f"one execution, depth {depth}: {covered} of {whole} sequences, in {runs} runs")
    if covered != whole:
        return 1
    if depth > 1:
        pairs = sum(1 for _ in two_executions())
        print(f"two executions, depth 2: {pairs} of {len(EVERY) ** 2} pairs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
