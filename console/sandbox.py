"""What the console asks of the local WeChat Pay sandbox, by the client of its control API."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from wechatpay_sandbox.client import Client, ControlError

from life.masking import Veil
from life.reading import parsed

SandboxError = ControlError
_SECONDS = 10.0


class Sandbox:
    """Calls one sandbox on this machine.

    Args:
        url: of its control API.
    """

    def __init__(self, url: str) -> None:
        if urlsplit(url).hostname != "127.0.0.1":
            raise ValueError("SIMULATOR_CONTROL must be on 127.0.0.1")
        self._client = Client(url, timeout=_SECONDS)

    def open_order(self, event: Mapping[str, Any]) -> None:
        """Open the order of an event, as the cabinet did when its door was opened."""
        known = {name: event[name] for name in ("appid", "service_id", "finish_ticket") if name in event}
        self._client.open_order(str(event["out_order_no"]), **known)

    def strike(self, out_order_no: str, fault: str) -> None:
        """Plan a fault for the order's next completion."""
        self._client.fault(fault, out_order_no=out_order_no, operation="complete")

    def wire(self, out_order_no: str) -> list[dict[str, Any]]:
        """Return what went over the wire about an order, oldest first, with every secret masked."""
        return [_exchanged(each) for each in self._client.requests(out_order_no)]

    def ledger(self) -> dict[str, dict[str, Any]]:
        """Return every order as WeChat Pay has it, by its number."""
        return {entry["out_order_no"]: entry for entry in self._client.ledger()}


def _exchanged(record: Mapping[str, Any]) -> dict[str, Any]:
    refused, reply = record["refused"], record["reply"]
    return {
        "at": datetime.fromtimestamp(record["time"], UTC),
        "method": record["method"],
        "operation": record["operation"],
        "status": record["status"] if reply else None,
        "fault": record["fault"],
        "verified": record["verified"],
        "refused": f"{refused['rule']}: {refused['reason']} ({refused['source']})" if refused else "",
        "request": _masked(f"{record['method']} {record['target']}", record),
        "reply": _masked(f"HTTP {record['status']}", reply) if reply else None,
    }


def _masked(line: str, message: Mapping[str, Any]) -> dict[str, Any]:
    """Return headers and body without secrets; a body that is no JSON may hold half a ticket: its length."""
    body = message["body"]
    value = parsed(body)
    shown = value if isinstance(value, dict | list) else f"({len(body)} characters, no JSON)" if body else ""
    found: dict[str, Any] = Veil(None).value({"line": line, "headers": message["headers"], "body": shown})
    return found
