"""The simulator as a process of its own, and its control over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Self

from wechatpay_sandbox.client import Client
from wechatpay_sandbox.fault_kinds import KINDS

from chaos.plan import Planned
from chaos.scenarios import NOT_AT_RANDOM
from tools.sam import ROOT

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


class WeChat:
    """WeChat Pay for this run, as a context manager: ``python -m wechatpay_sandbox`` and its control."""

    def __init__(self, *, keys: str = "certificate", debit_after: float = 0.05) -> None:
        self._command = ["--quiet", "--keys", keys, "--debit-after", str(debit_after)]
        self._process: subprocess.Popen[str] | None = None
        self.control = Client("")
        self.hosts: list[str] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "wechatpay_sandbox", *self._command],
            cwd=ROOT,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches us alone
        )
        assert self._process.stdout is not None
        ready = json.loads(self._process.stdout.readline())
        self.hosts, self.control = ready["hosts"], Client(ready["control"])
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()

    def open(self, order: Planned) -> None:
        """Put the order in the world, with the faults planned for it."""
        if order.opened is not None:
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
