"""What the console asks of the local WeChat Pay sandbox, over its control API."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_SECONDS = 10


class SandboxError(RuntimeError):
    """The sandbox refused or does not answer; the message says why."""


class Sandbox:
    """Calls one sandbox on this machine.

    Args:
        url: of its control API.
    """

    def __init__(self, url: str) -> None:
        if urlsplit(url).hostname != "127.0.0.1":
            raise ValueError("SIMULATOR_CONTROL must be on 127.0.0.1")
        self._url = url

    def open_order(self, event: Mapping[str, Any]) -> None:
        """Open the order of an event, as the cabinet did when its door was opened."""
        known = {name: event[name] for name in ("appid", "service_id", "finish_ticket") if name in event}
        self._call("PUT", f"/orders/{quote(str(event['out_order_no']), safe='')}", known)

    def strike(self, out_order_no: str, fault: str) -> None:
        """Plan a fault for the order's next completion."""
        self._call("POST", "/faults", {"fault": fault, "out_order_no": out_order_no, "operation": "complete"})

    def ledger(self) -> dict[str, dict[str, Any]]:
        """Return every order as WeChat Pay has it, by its number."""
        return {entry["out_order_no"]: entry for entry in self._call("GET", "/ledger")}

    def _call(self, method: str, path: str, document: object = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(  # noqa: S310 - loopback, checked above
            f"{self._url}{path}", body, {"Content-Type": "application/json"} if body else {}, method=method
        )
        try:
            with _DIRECT.open(request, timeout=_SECONDS) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as refused:
            with refused:
                raise SandboxError(refused.read().decode(errors="replace")) from refused
        except OSError as exc:
            raise SandboxError(f"the sandbox does not answer: {exc}") from exc
