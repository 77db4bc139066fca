"""`make chaos ORDERS=2000 RATE=0.3 SEED=1`: exit status 1 when a count that must be zero is not."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from local.aws import EmbeddedAwsError
from local.chaos import scenarios
from local.chaos.plan import Planned
from local.chaos.report import Report
from local.chaos.run import Conditions, run
from local.stack import StackError

AT_A_TIME = 16


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chaos that the command line asks for. Returns the exit status."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.orders < 1 or asked.at_a_time < 1:
        parser.error("ORDERS, and how many at a time, must be 1 or more")
    if not 0 <= asked.rate <= 1:
        parser.error("RATE must be from 0 to 1")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    plan = scenarios.make(asked.orders, asked.seed)
    return judged(plan, Conditions(rate=asked.rate, seed=asked.seed, at_a_time=asked.at_a_time))


def judged(plan: Sequence[Planned], conditions: Conditions) -> int:
    """Run a plan, print what it came to, and return the exit status."""
    report = Report()
    try:
        with report.progress(len(plan)) as progress:
            outcome = run(plan, conditions, progress)
    except KeyboardInterrupt:
        report.console.print("Interrupted: everything that was started is stopped.")
        return 130
    except (EmbeddedAwsError, StackError) as exc:
        report.console.print(str(exc), markup=False)
        return 1
    report.outcome(outcome)
    return 0 if outcome.ok else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.chaos", description="orders under fire, audited")
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=0.3, help="share of calls that go wrong, 0 to 1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-a-time", type=int, default=AT_A_TIME, help="orders under way at once")
    return parser


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
