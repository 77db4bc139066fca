"""The simulator's control, for the commands that use the running stack; `make fault` plans one fault."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

from wechatpay_sandbox.fault_kinds import KINDS

from local import running

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_SECONDS = 10
_KNOWN_TO_THE_SHOP = ("appid", "service_id", "finish_ticket")


class SandboxError(RuntimeError):
    """The simulator refused, or does not answer; the message says why."""


def control(environment: Mapping[str, str]) -> str:
    """Return the address of the simulator's control. Raises `SandboxError` when there is no simulator."""
    try:
        return environment["SIMULATOR_CONTROL"]
    except KeyError:
        raise SandboxError("the local stack runs without the simulator: WECHATPAY_HOSTS is set") from None


def open_order(address: str, event: Mapping[str, Any]) -> None:
    """Open the shopper's order, as the cabinet did at its door; one that exists stays as it is."""
    number = urllib.parse.quote(event["out_order_no"], safe="")
    known = {name: event[name] for name in _KNOWN_TO_THE_SHOP if name in event}
    call("PUT", f"{address}/orders/{number}", known)


def plan_fault(environment: Mapping[str, str], out_order_no: str, fault: str) -> str:
    """Let the next completion of an order meet a fault, once. Returns what that means."""
    require_fault(fault)
    call("POST", f"{control(environment)}/faults", {"out_order_no": out_order_no, "fault": fault})
    return f"The next completion of {out_order_no} meets {fault}: {KINDS[fault].meaning}."


def require_fault(fault: str) -> None:
    """Raise `SandboxError`, with a list of the faults there are, when this is none."""
    if fault not in KINDS:
        kinds = "\n".join(f"  {name:22} {kind.meaning}" for name, kind in KINDS.items())
        raise SandboxError(f"there is no fault {fault!r} 没有这种故障. FAULT= is one of\n{kinds}")


def call(method: str, url: str, document: object = None) -> Any:
    """Make one call and return what it answers. Raises `SandboxError`."""
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
    try:
        with _DIRECT.open(request, timeout=_SECONDS) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as refused:
        with refused:
            raise SandboxError(f"the simulator refuses: {_reason(refused.read())}") from refused
    except OSError as exc:
        raise SandboxError(f"the simulator does not answer ({exc}): make down, then make up") from exc


def _reason(body: bytes) -> str:
    text = body.decode(errors="replace")
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return text


def main() -> int:
    """Plan the fault named second for the order named first. Returns the exit status."""
    order, fault = (*sys.argv[1:], "", "")[:2]
    if not order:
        print("which order? make fault ORDER=SR-20251001-0001 FAULT=silence_applied", file=sys.stderr)
        return 1
    try:
        require_fault(fault)
        print(plan_fault(running.read_environment(), order, fault))
    except (SandboxError, running.NotRunningError) as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
