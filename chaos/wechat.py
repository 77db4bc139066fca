"""The simulator as a process of its own, and its control over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from wechatpay_sandbox.client import Client
from wechatpay_sandbox.fault_kinds import KINDS

from chaos.plan import Planned
from chaos.scenarios import NOT_AT_RANDOM
from tools.sam import ROOT

_OPTIONS = ("--keys", "certificate", "--debit-after", "0.05")
# Costly kinds that are not thrown by default, made affordable; what they stand for stays as it is: a body
# above the function's limit of 1 MiB, a drip longer than its timeout, a host gone for a moment.
_ALSO: tuple[dict[str, Any], ...] = (
    {"fault": "oversized_body", "size": 2 << 20},
    {"fault": "oversized_chunked", "size": 2 << 20},
    {"fault": "oversized_gzip", "size": 2 << 20},
    {"fault": "slow_body", "seconds": 15, "interval": 0.25},
    {"fault": "slow_headers", "seconds": 15, "interval": 0.25},
    {"fault": "host_down", "seconds": 0.1},
)


def at_random() -> list[dict[str, Any]]:
    """Every kind of fault, with its options, that may happen to any call of any order."""
    usual = [name for name, kind in KINDS.items() if kind.chaos and name not in NOT_AT_RANDOM]
    return [*({"fault": name} for name in usual), *_ALSO]


@dataclass(frozen=True)
class WeChat:
    """WeChat Pay for this run.

    Attributes:
        hosts: base URLs, main host first.
        control: the sandbox's control over HTTP.
    """

    hosts: list[str]
    control: Client

    def open(self, order: Planned) -> None:
        """Put the order in the world, with the faults planned for it."""
        self.control.open_order(order.number, **order.opened)
        for fault in order.faults:
            self.control.script(order.number, **fault)

    def throw(self, rate: float, seed: int) -> None:
        """Throw faults of every kind an order must survive, at this rate of all calls."""
        self.control.chaos(rate, seed, at_random())

    def ledger(self) -> list[dict[str, Any]]:
        """Every order as it truly stands once all debits are due."""
        self.control.advance(3600)
        return self.control.ledger()


@contextmanager
def running() -> Iterator[WeChat]:
    """Run the sandbox in a process of its own."""
    command = [sys.executable, "-m", "wechatpay_sandbox", "--quiet", *_OPTIONS]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches us alone
    ) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            yield WeChat(ready["hosts"], Client(ready["control"]))
        finally:
            process.terminate()
