"""What the console asks of the local WeChat Pay sandbox, by the client of its control API."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from wechatpay_sandbox.client import Client, ControlError

from life.masking import Veil
from life.reading import parsed

SandboxError = ControlError
RECENT = 30
_SECONDS = 10.0
_LONGEST = 64 * 1024
# What the shop knows of an order when the door is opened: its name in the event, and the setting here.
_OF_THE_SHOP = {
    "appid": "appid",
    "service_id": "service_id",
    "finish_ticket": "finish_ticket",
    "order_api": "api",
}


@dataclass(frozen=True)
class World:
    """The sandbox at one moment.

    Attributes:
        settings: hosts, clocks, keys and purses, as `Client.settings` tells them.
        faults: those planned that have not struck yet.
        orders: the newest ledger entries, newest first.
        count: how many orders there are.
        requests: the newest requests, newest first, with every secret masked.
    """

    settings: Mapping[str, Any]
    faults: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    count: int
    requests: list[dict[str, Any]]


class Sandbox:
    """Calls one sandbox on this machine.

    Args:
        url: of its control API.
    """

    def __init__(self, url: str) -> None:
        if urlsplit(url).hostname != "127.0.0.1":
            raise ValueError("SIMULATOR_CONTROL must be on 127.0.0.1")
        self.client = Client(url, timeout=_SECONDS)
        self._lock = threading.Lock()
        self._recent: deque[dict[str, Any]] = deque(maxlen=RECENT)

    def open_order(self, event: Mapping[str, Any]) -> None:
        """Open the order of an event, as the cabinet did when its door was opened."""
        self.client.open_order(str(event["out_order_no"]), **settings_of(event))

    def wire(self, out_order_no: str) -> list[dict[str, Any]]:
        """Return what went over the wire about an order, oldest first, with every secret masked."""
        return [_exchanged(each) for each in self.client.requests(out_order_no)]

    def ledger(self) -> dict[str, dict[str, Any]]:
        """Return every order as WeChat Pay has it, by its number."""
        return {entry["out_order_no"]: entry for entry in self.client.ledger()}

    def world(self) -> World:
        """Return how the sandbox is set and what has happened in it lately."""
        ledger = self.client.ledger()
        return World(
            settings=self.client.settings(),
            faults=self.client.pending_faults(),
            orders=ledger[: -RECENT - 1 : -1],
            count=len(ledger),
            requests=self._requests(),
        )

    def _requests(self) -> list[dict[str, Any]]:
        """Return the newest requests; those that had no answer when they were read are read again."""
        with self._lock:
            while self._recent and self._recent[-1]["status"] is None:
                self._recent.pop()
            after = self._recent[-1]["number"] if self._recent else 0
            self._recent.extend(_exchanged(each) for each in self.client.requests(after=after)[-RECENT:])
            return list(self._recent)[::-1]


def settings_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the order of an event is opened with in the sandbox."""
    return {setting: event[name] for name, setting in _OF_THE_SHOP.items() if name in event}


def _exchanged(record: Mapping[str, Any]) -> dict[str, Any]:
    refused, reply = record["refused"], record["reply"]
    bodies = [_body(message["body"]) for message in (record, reply) if message]
    # A ticket is masked wherever it turns up: an error may repeat what it was given.
    veil = Veil(bodies)
    return {
        "number": record["number"],
        "out_order_no": record["out_order_no"],
        "at": datetime.fromtimestamp(record["time"], UTC),
        "method": record["method"],
        "operation": record["operation"] or "?",
        "status": record["status"] if reply else None,
        "fault": record["fault"],
        "verified": record["verified"],
        "refused": f"{refused['rule']}: {refused['reason']} ({refused['source']})" if refused else "",
        "request": _masked(f"{record['method']} {record['target']}", record, bodies[0], veil),
        "reply": _masked(f"HTTP {record['status']}", reply, bodies[1], veil) if reply else None,
    }


def _body(text: str) -> Any:
    """Return a body as JSON; the length of one that is too long, or no JSON and may hold half a ticket."""
    value = parsed(text) if len(text) <= _LONGEST else None
    if isinstance(value, dict | list):
        return value
    why = "no JSON" if len(text) <= _LONGEST else "too long to show"
    return f"({len(text)} characters, {why})" if text else ""


def _masked(line: str, message: Mapping[str, Any], body: Any, veil: Veil) -> dict[str, Any]:
    """Return headers and body without secrets."""
    masked: dict[str, Any] = veil.value({"line": line, "headers": message["headers"], "body": body})
    return masked
