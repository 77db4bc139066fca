"""Part 4: how much one function instance settles, where its processor time goes, and if its memory grows."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.measured import Goal, Part, Times, say, table
from benchmarks.rig import Rig, function_command

MEGABYTE = 1_000_000
ORDERS = 100_000
# Memory is compared with what it is once caches, pools and the allocator have what they need.
SETTLED_IN_ORDERS = 2_000
READINGS = 10


@dataclass(frozen=True)
class Throughput:
    """What one function instance did.

    Attributes:
        times: of every order.
        cpu_ms: processor milliseconds of all orders.
        resident: (orders settled so far, resident bytes).
        parts, functions: samples of processor time by part and by innermost function.
    """

    times: Times
    cpu_ms: float
    resident: tuple[tuple[int, int], ...]
    parts: dict[str, int]
    functions: dict[str, int]

    @property
    def orders(self) -> int:
        """Orders settled and timed."""
        return len(self.times)

    @property
    def cpu_per_order(self) -> float:
        """Processor milliseconds of one order."""
        return self.cpu_ms / self.orders

    @property
    def per_second(self) -> float:
        """Orders settled in a second, one after the other."""
        return self.orders / (sum(self.times) / 1000)

    @property
    def growth(self) -> int:
        """Bytes by which memory grew from the first reading to the last."""
        return self.resident[-1][1] - self.resident[0][1]


def measure(
    orders: int = ORDERS,
    settled_in: int = SETTLED_IN_ORDERS,
    profiled: int = 3_000,
) -> Throughput:
    """Settle so many different orders one after the other in one function instance."""
    with Rig() as rig:
        environment = rig.function_environment(rig.answering(), distinct=True)
        function = rig.process(function_command("handler.py"), environment)
        first = function.ask(calls=settled_in)
        profile = function.ask(calls=profiled, profile=True)["profile"]
        resident = [(0, first["resident_bytes"])]
        milliseconds: list[float] = []
        cpu_ms = 0.0
        for reading in range(READINGS):
            answer = function.ask(calls=orders * (reading + 1) // READINGS - orders * reading // READINGS)
            milliseconds += answer["milliseconds"]
            cpu_ms += answer["cpu_ms"]
            resident.append((len(milliseconds), answer["resident_bytes"]))
            say(f"{len(milliseconds)} orders, {answer['resident_bytes'] / MEGABYTE:.1f} MB")
    return Throughput(Times(milliseconds), cpu_ms, tuple(resident), profile["parts"], profile["functions"])


def report(instance: Throughput) -> Part:
    """Put the figures into tables, and hold memory against its goal."""
    figures = table(
        ("one function instance, one order at a time", ""),
        [
            ("orders", f"{instance.orders:,}"),
            ("completions per second", f"{instance.per_second:.0f}"),
            ("time of one, p50", f"{instance.times.p50:.2f} ms"),
            ("time of one, p99", f"{instance.times.p99:.2f} ms"),
            ("processor time of one", f"{instance.cpu_per_order:.2f} ms"),
        ],
    )
    memory = table(
        ("orders settled", "resident MB"),
        [(f"{orders:,}", f"{size / MEGABYTE:.1f}") for orders, size in instance.resident],
    )
    text = "\n\n".join(
        (
            *(_INTRODUCTION, figures, _PROFILE, _shares(instance.parts, "part"), _FUNCTIONS),
            *(_shares(instance.functions, "function", sum(instance.parts.values())), _MEMORY, memory),
        )
    )
    grown = Goal(f"memory after {instance.orders:,} orders", 5.0, instance.growth / MEGABYTE, "MB more")
    return Part("Throughput of one function instance", text, (grown,))


def _shares(samples: dict[str, int], what: str, total: int | None = None) -> str:
    whole = total or sum(samples.values())
    ordered = sorted(samples.items(), key=lambda item: -item[1])
    return table((what, "share of CPU"), [(name, f"{100 * count / whole:.1f} %") for name, count in ordered])


_INTRODUCTION = """\
The handler settles different orders one after the other against `benchmarks/answering.py`, which accepts
all, signs every reply and does nothing else: the simulator's own work would count as waiting. No round trip
is added."""
_PROFILE = """\
Where the processor time goes, sampled at every millisecond of it:"""
_FUNCTIONS = "The functions it was in (what C code they called counts as theirs):"
_MEMORY = """\
Every order has its own number, so that whatever is kept for an order shows:"""
