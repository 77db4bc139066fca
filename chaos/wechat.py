"""The simulator as a process of its own, and its control over HTTP."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wechatpay_sandbox.client import Client
from wechatpay_sandbox.fault_kinds import KINDS

from chaos.plan import ChaosOrder
from chaos.scenarios import NOT_AT_RANDOM
from tools import process

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


def open_order(sandbox: Client, order: ChaosOrder) -> None:
    """Put the order in the sandbox, with the faults planned for it."""
    sandbox.open_order(order.number, **order.opened)
    for fault in order.faults:
        sandbox.script(order.number, **fault)


def ledger(sandbox: Client) -> list[dict[str, Any]]:
    """Return every order as it truly stands once all debits are due."""
    sandbox.advance(3600)
    return sandbox.ledger()


@contextmanager
def running() -> Iterator[tuple[Client, str]]:
    """Run the sandbox in a process of its own. Yields its control, and its hosts as a parameter."""
    command: list[str | Path] = [sys.executable, "-m", "wechatpay_sandbox", "--quiet", *_OPTIONS]
    with process.running(command) as started:
        yield Client(started.ready["control"]), ",".join(started.ready["hosts"])
