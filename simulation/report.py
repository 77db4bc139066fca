"""What a run of the simulation prints: figures, faults, zeros, and last the hash of its trace."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from simulation.audit import ZEROS
from simulation.endings import MOST_CALLS_SINCE, SETTLED_WITHIN
from simulation.keys import material
from simulation.run import Run
from simulation.tally import Tally
from simulation.tasks import MOST_CALLS_OF_EXECUTION


def lines(run: Run) -> Iterator[str]:
    """Print a run, line by line."""
    yield from run.life
    if run.life:
        yield ""
    yield from figures(run.tally, run.seconds)
    if run.failed is not None:
        yield f"FAILED {run.failed}"
    yield from zeros(run.tally)
    yield f"trace sha256: {run.sha256}"


def figures(tally: Tally, seconds: float) -> Iterator[str]:
    """Print what happened, and in how many seconds of the processor."""
    for name, value in _figures(tally, seconds):
        yield f"{name:<36}{value}"
    yield "faults by kind"
    faults = sorted((tally.faults + tally.windows).items())
    for begin in range(0, len(faults), 3):
        yield "  " + "".join(f"{kind:<30}{times:>6}  " for kind, times in faults[begin : begin + 3]).rstrip()


def zeros(tally: Tally) -> Iterator[str]:
    """Print what must be none, and how often it was looked for."""
    for name in ZEROS:
        yield f"{name:<36}{tally.wrong[name]:<8}looked for {tally.examined[name]} times"


def _figures(tally: Tally, seconds: float) -> Iterator[tuple[str, object]]:
    orders, calls = max(tally.orders, 1), tally.calls.total()
    yield "orders", f"{tally.orders} ({_by_name(tally.families)})"
    yield "virtual days", f"{tally.virtual_days:.0f}"
    yield "executions", tally.executions
    yield "invocations, environments", f"{tally.invocations}, {tally.environments}"
    yield "killed", tally.killed
    yield "calls of WeChat Pay", f"{calls} ({_by_name(tally.calls)})"
    yield "calls an order", f"{calls / orders:.1f}"
    yield "most calls of one execution", f"{tally.most_calls}, bound {MOST_CALLS_OF_EXECUTION}"
    yield "  after the world has healed", f"{tally.most_calls_since}, bound {MOST_CALLS_SINCE}"
    yield "requests that came late", tally.late
    yield "accepted", f"¥{tally.fen / 100:.2f}"
    yield "outcomes", _by_name(tally.outcomes)
    yield "beside", _by_name(tally.acts) or "-"
    yield "operators", _by_name(tally.operators) or "-"
    slowest = f"{max(tally.slowest, 0):.0f} s at most, bound {SETTLED_WITHIN:.0f} s"
    yield "settled after the world has healed", slowest
    yield "faults of single calls", tally.faults.total()
    yield "processor time an order", f"{seconds / orders * 1000:.1f} ms"
    yield "of that, RSA", f"{100 * calls * _rsa_of_a_call() / max(seconds, 1e-9):.0f} %"


def _by_name(counts: Counter[str]) -> str:
    return ", ".join(f"{times} {name}" for name, times in sorted(counts.items()))


def _rsa_of_a_call() -> float:
    """Return the seconds that two signatures and two verifications take."""
    key, times = material().foreign, 20
    began = time.process_time()
    for _ in range(times):
        signature = key.sign(b"x", PKCS1v15(), SHA256())
        key.public_key().verify(signature, b"x", PKCS1v15(), SHA256())
    return 2 * (time.process_time() - began) / times
