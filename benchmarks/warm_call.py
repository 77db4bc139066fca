"""Part 1: one order through a warm function, beside the least it could cost and beside other SDKs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.measured import Goal, Part, Times, say, table
from benchmarks.rig import SERVICE_ORDER, SIDES, Rig, WeChatPay, function_command
from tools import node
from tools.process import Process

ROUND_TRIPS = (0.0, 10.0, 30.0)
HANDLER, FLOOR, WECHATPAYV3 = "handler", "floor", "wechatpayv3"
SUCCESSOR = "handler, serviceorder"
AXIOS, AXIOS_KEPT = "wechatpay-axios-plugin", "wechatpay-axios-plugin, keep-alive"
WARM_UP_CALLS = 20
# Calls in a row before it is another side's turn: enough for caches to be one's own, as in a busy function.
TURN = 5


@dataclass
class Side:
    """One side at one distance, and what it took."""

    process: Process
    milliseconds: list[float] = field(default_factory=list)
    cpu_ms: float = 0.0

    def take_turn(self, calls: int) -> None:
        """Make so many calls and keep the times."""
        turn = self.process.ask(calls=calls)
        self.milliseconds += turn["milliseconds"]
        self.cpu_ms += turn["cpu_ms"]

    @property
    def times(self) -> Times:
        """Times of all calls so far."""
        return Times(self.milliseconds)

    @property
    def cpu_per_call(self) -> float:
        """Processor milliseconds of one call."""
        return self.cpu_ms / len(self.milliseconds)


def measure(calls: int, round_trips: Sequence[float] = ROUND_TRIPS) -> dict[float, dict[str, Side]]:
    """Make so many calls by every side at every distance, the sides in turns."""
    node.install()
    distances = {}
    for round_trip in round_trips:
        with Rig() as rig:
            sides = _start(rig, rig.farther(rig.simulator(), round_trip))
            for side in sides.values():
                side.process.ask(calls=min(WARM_UP_CALLS, calls))
            for made in range(0, calls, TURN):
                for side in sides.values():
                    side.take_turn(min(TURN, calls - made))
        distances[round_trip] = sides
        say(f"{round_trip:.0f} ms: handler p50 {sides[HANDLER].times.p50:.2f} ms")
    return distances


def report(distances: dict[float, dict[str, Side]]) -> Part:
    """Put the figures into a table for each distance, and hold them against the goals."""
    texts = [_INTRODUCTION]
    for round_trip, sides in distances.items():
        floor = sides[FLOOR].times
        rows = [
            (
                name,
                *(f"{number:.2f}" for number in (side.times.p50, side.times.p90, side.times.p99)),
                f"{side.times.p50 / floor.p50:.2f}",
                f"{side.cpu_per_call:.2f}",
            )
            for name, side in sides.items()
        ]
        head = ("side", "p50 ms", "p90 ms", "p99 ms", "p50 / floor", "CPU ms")
        calls = len(sides[FLOOR].milliseconds)
        texts.append(f"Round trip {round_trip:.0f} ms, {calls} calls each:\n\n{table(head, rows)}")
    return Part("Warm call", "\n\n".join(texts), tuple(_goals(distances)))


def _goals(distances: dict[float, dict[str, Side]]) -> list[Goal]:
    goals = []
    for round_trip, limit in ((0.0, 1.25), (30.0, 1.05)):
        if round_trip in distances:
            handler, floor = distances[round_trip][HANDLER].times, distances[round_trip][FLOOR].times
            at = f"at {round_trip:.0f} ms"
            goals.append(Goal(f"handler p50 / floor p50 {at}", limit, handler.p50 / floor.p50))
            goals.append(Goal(f"handler p99 / floor p99 {at}", 1.5, handler.p99 / floor.p99))
    if 30.0 in distances:
        ours, theirs = (distances[30.0][name].times.p50 for name in (HANDLER, WECHATPAYV3))
        goals.append(Goal("handler p50 / wechatpayv3 p50 at 30 ms", 0.5, ours / theirs))
    return goals


def _start(rig: Rig, wechatpay: WeChatPay) -> dict[str, Side]:
    trusting = {"REQUESTS_CA_BUNDLE": wechatpay.ca_file, "NODE_EXTRA_CA_CERTS": wechatpay.ca_file}
    peer = rig.side_environment(wechatpay) | trusting
    kept = rig.side_environment(wechatpay, keep_alive=True) | trusting
    function = rig.function_environment(wechatpay)
    modules = {"NODE_PATH": str(node.MODULES)}
    started = {
        HANDLER: rig.process(function_command("handler.py"), function),
        SUCCESSOR: rig.process(
            function_command("handler.py"), rig.function_environment(wechatpay, event=SERVICE_ORDER)
        ),
        FLOOR: rig.process(function_command("floor.py"), function),
        WECHATPAYV3: rig.process([sys.executable, SIDES / "wechatpayv3_sdk.py"], peer),
        AXIOS: rig.process([node.NODE, SIDES / "axios_plugin.cjs"], peer | modules),
        AXIOS_KEPT: rig.process([node.NODE, SIDES / "axios_plugin.cjs"], kept | modules),
    }
    return {name: Side(process) for name, process in started.items()}


_INTRODUCTION = """\
The order is of `smartretail-orders` and carries its `finish_ticket`, so that it is one call;
`payafter-orders` differs in the path alone, and *handler, serviceorder* settles the same order at the
successor. The *handler* is what `sam build` built, in a process of its own on the interpreter and the paths
that Lambda gives it, logs and metrics included. The *floor* is the least that the same libraries allow
(`benchmarks/sides/floor.py`): one kept session, sign, send, verify. All sides call the simulator over TLS
in a process of its own; it verifies every request and signs every reply. A proxy adds the round trip, to a
TCP handshake too. The sides take turns of 5 calls, so that noise of the machine meets all alike."""
