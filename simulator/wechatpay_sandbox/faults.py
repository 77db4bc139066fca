"""Which call gets which fault: planned for an order, planned for any order, or drawn at random."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wechatpay_sandbox.fault import OPERATIONS, Fault
from wechatpay_sandbox.fault_kinds import KINDS
from wechatpay_sandbox.fault_options import from_json, make, to_json

type ChaosKind = str | Mapping[str, Any]


@dataclass
class Scripted:
    """A fault waiting for its calls. ``times`` None means until it is cleared."""

    out_order_no: str | None
    operation: str
    fault: Fault
    times: int | None

    def fits(self, out_order_no: str, operation: str) -> bool:
        return (
            self.out_order_no in (None, out_order_no)
            and self.operation in ("*", operation)
            and operation in self.fault.operations
        )


@dataclass(frozen=True)
class Chaos:
    """Faults at random. The draw depends only on seed, order, operation and how often it was called before,
    so neither concurrency nor the order of arrival changes who gets what."""

    rate: float
    seed: int
    kinds: tuple[Fault, ...]

    def draw(self, out_order_no: str, operation: str, call: int) -> Fault | None:
        kinds = [kind for kind in self.kinds if operation in kind.operations]
        seed = f"{self.seed}\n{out_order_no}\n{operation}\n{call}".encode()
        digest = hashlib.blake2b(seed, digest_size=16).digest()
        if not kinds or int.from_bytes(digest[:8]) / 2**64 >= self.rate:
            return None
        return kinds[int.from_bytes(digest[8:]) % len(kinds)]


class Misbehaviour:
    """Which fault a call gets: one scripted for its order, else one for any order, else chaos, else none."""

    def __init__(self) -> None:
        self._scripted: list[Scripted] = []
        self._chaos = Chaos(0.0, 0, ())
        self._calls: Counter[tuple[str, str]] = Counter()

    def script(self, out_order_no: str | None, operation: str, fault: Fault, times: int | None) -> None:
        if operation not in (*OPERATIONS, "*"):
            raise ValueError(f"operation must be one of {', '.join(OPERATIONS)} or *, not {operation!r}")
        if operation != "*" and operation not in fault.operations:
            raise ValueError(f"fault {fault.name!r} happens only on {', '.join(fault.operations)}")
        if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
            raise ValueError("times must be a positive number, or null for ever")
        self._scripted.append(Scripted(out_order_no, operation, fault, times))

    def clear(self, out_order_no: str | None = None) -> None:
        """Forget scripted faults: all, or one order's."""
        self._scripted = [s for s in self._scripted if out_order_no not in (None, s.out_order_no)]

    def pending(self) -> list[dict[str, Any]]:
        """The scripted faults that have not happened yet."""
        return [vars(each) | {"fault": each.fault.name} for each in self._scripted]

    def set_chaos(self, rate: float, seed: int, kinds: Iterable[ChaosKind] | None) -> list[str]:
        """Throw faults at this rate (0 to 1) from these kinds; by default every kind an order survives.

        A kind is a name, or an object with ``fault`` and options; one given twice is twice as likely.
        """
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise ValueError("rate must be a number between 0 and 1")
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ValueError("seed must be an integer")  # noqa: TRY004 - one error type
        if kinds is not None and (isinstance(kinds, str | Mapping) or not isinstance(kinds, Iterable)):
            raise ValueError("kinds must be a list")
        survivable = [kind for kind in KINDS.values() if kind.chaos]
        chosen = survivable if kinds is None else [_with_options(kind) for kind in kinds]
        self._chaos = Chaos(rate, seed, tuple(chosen))
        return [kind.name for kind in chosen]

    def to_json(self) -> dict[str, Any]:
        """What is planned, and what chaos would draw next, to be kept in a file."""
        return {
            "scripted": [vars(each) | {"fault": to_json(each.fault)} for each in self._scripted],
            "chaos": vars(self._chaos) | {"kinds": [to_json(kind) for kind in self._chaos.kinds]},
            "calls": [[*call, times] for call, times in self._calls.items()],
        }

    def restore(self, document: Mapping[str, Any]) -> None:
        """Plan what was kept."""
        scripted = [{**each, "fault": from_json(each["fault"])} for each in document["scripted"]]
        self._scripted = [Scripted(**each) for each in scripted]
        kinds = tuple(from_json(kind) for kind in document["chaos"]["kinds"])
        self._chaos = Chaos(**{**document["chaos"], "kinds": kinds})
        self._calls = Counter({(number, operation): times for number, operation, times in document["calls"]})

    def next_fault(self, out_order_no: str, operation: str) -> Fault | None:
        """The fault of this call, used up."""
        call = self._calls[out_order_no, operation]
        self._calls[out_order_no, operation] += 1
        waiting = [s for s in self._scripted if s.fits(out_order_no, operation)]
        if not waiting:
            return self._chaos.draw(out_order_no, operation, call)
        chosen = min(waiting, key=lambda s: s.out_order_no is None)
        if chosen.times is not None:
            chosen.times -= 1
            if chosen.times == 0:
                self._scripted.remove(chosen)
        return chosen.fault


def _with_options(kind: ChaosKind) -> Fault:
    if not isinstance(kind, str | Mapping):
        raise ValueError("a kind is a name, or an object with fault and options")  # noqa: TRY004 - one error type
    options = {"fault": kind} if isinstance(kind, str) else dict(kind)
    return make(str(options.pop("fault", "")), options)
