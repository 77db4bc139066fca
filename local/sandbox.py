"""The simulator's control, for the commands that use the running stack; `make fault` plans one fault."""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from wechatpay_sandbox.client import Client, ControlError, UnreachableError
from wechatpay_sandbox.fault_kinds import KINDS

from console.sandbox import settings_of
from local import foreground, running
from operations.errors import CommandError

_SECONDS = 10


@contextlib.contextmanager
def control(environment: Mapping[str, str]) -> Iterator[Client]:
    """Yield a client of the running simulator; what it refuses or does not answer is a `CommandError`."""
    if "SIMULATOR_CONTROL" not in environment:
        raise CommandError("the local stack runs without the simulator: WECHATPAY_HOSTS is set")
    try:
        yield Client(environment["SIMULATOR_CONTROL"], timeout=_SECONDS)
    except UnreachableError as exc:
        raise CommandError(f"{exc}: make down, then make up") from exc
    except ControlError as exc:
        raise CommandError(f"the simulator refuses {exc}") from exc


def open_order(environment: Mapping[str, str], event: Mapping[str, Any]) -> None:
    """Open the shopper's order, as the cabinet did at its door; one that exists stays as it is."""
    with control(environment) as client:
        client.open_order(event["out_order_no"], **settings_of(event))


def plan_fault(environment: Mapping[str, str], out_order_no: str, fault: str) -> str:
    """Let the next completion of an order meet a fault, once. Returns what that means."""
    with control(environment) as client:
        client.script(out_order_no, fault=fault)
    return f"The next completion of {out_order_no} meets {fault}: {KINDS[fault].meaning}."


def require_fault(fault: str) -> None:
    """Raise `CommandError`, with a list of the faults there are, when this is none."""
    if fault not in KINDS:
        raise CommandError(f"there is no fault {fault!r} 没有这种故障. {_listing()}")


def _listing() -> str:
    return "\n".join(["FAULT= is one of", *(f"  {name:22} {kind.meaning}" for name, kind in KINDS.items())])


def main() -> int:
    """Plan the fault named second for the order named first; list the faults when none is named."""
    order, fault = (*sys.argv[1:], "", "")[:2]
    if not fault:
        print(_listing())
        if order:
            print(f"No FAULT= was given: nothing was set for {order} 未指定 FAULT=，未设置任何故障")
        return 0
    if not order:
        raise CommandError("which order? make fault ORDER=SR-20251001-0001 FAULT=silence_applied")
    require_fault(fault)
    print(plan_fault(running.read_environment(), order, fault))
    return 0


if __name__ == "__main__":
    foreground.run(main)
