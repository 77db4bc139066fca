"""What the console asks of the local WeChat Pay sandbox, by the client of its control API."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from wechatpay_sandbox.client import Client, ControlError

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

    def ledger(self) -> dict[str, dict[str, Any]]:
        """Return every order as WeChat Pay has it, by its number."""
        return {entry["out_order_no"]: entry for entry in self._client.ledger()}
