"""`make chaos ORDERS=2000 RATE=0.3 SEED=1`: exit status 1 when a count that must be zero is not."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from chaos import scenarios
from chaos.plan import ChaosOrder
from chaos.report import Report
from chaos.run import Conditions, run
from local import foreground

AT_A_TIME = 16


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chaos that the command line asks for. Returns the exit status."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.orders < 1 or asked.at_a_time < 1:
        parser.error("ORDERS, and how many at a time, must be 1 or more")
    if not 0 <= asked.rate <= 1:
        parser.error("RATE must be from 0 to 1")
    foreground.end_on_signals()
    plan = scenarios.make(asked.orders, asked.seed)
    return judged(plan, Conditions(rate=asked.rate, seed=asked.seed, at_a_time=asked.at_a_time))


def judged(plan: Sequence[ChaosOrder], conditions: Conditions) -> int:
    """Run a plan, print what it came to, and return the exit status."""
    report = Report()

    def work() -> int:
        with report.progress(len(plan)) as progress:
            outcome = run(plan, conditions, progress)
        report.outcome(outcome)
        return 0 if outcome.ok else 1

    return foreground.status_of(work, report.console)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chaos", description="orders under fire, audited")
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=0.3, help="share of calls that go wrong, 0 to 1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-a-time", type=int, default=AT_A_TIME, help="orders under way at once")
    return parser


if __name__ == "__main__":
    sys.exit(main())
