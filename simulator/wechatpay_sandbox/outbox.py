"""Notifications that WeChat Pay sends of its own accord, and sends again until they are answered. No I/O."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from wechatpay_sandbox.notifications import Notification, Notifier, Shape
from wechatpay_sandbox.order import USER_CONFIRM
from wechatpay_sandbox.orders import Orders

AGAIN_AFTER = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)
"""Seconds from one attempt to the next [V: 15s/15s/30s/3m/10m/20m/30m/30m/30m/60m/3h/3h/3h/6h/6h]."""


@dataclass
class Outgoing:
    """One notification on its way: when its next attempt is due (None: no more), and what was answered."""

    out_order_no: str
    event_type: str
    url: str
    notification: Notification
    due_at: float | None
    attempts: int = 0
    answered: int | None = None

    def entry(self) -> dict[str, Any]:
        """What the record says of it."""
        return {
            "out_order_no": self.out_order_no,
            "event_type": self.event_type,
            "url": self.url,
            "attempts": self.attempts,
            "answered": self.answered,
            "waiting": self.due_at is not None,
        }


class Outbox:
    """What is to be sent and when. Only addresses on this machine are sent to, unless ``anywhere``."""

    def __init__(self, orders: Orders, notifier: Notifier) -> None:
        self._orders = orders
        self._notifier = notifier
        self.anywhere = False
        self.sent: list[Outgoing] = []
        self._waiting: list[Outgoing] = []

    def due(self, now: float) -> list[Outgoing]:
        """The notifications to send now, signed now. Tell ``answered`` about each."""
        self._write_up(now)
        self._waiting = [each for each in self._waiting if each.due_at is not None]
        due = [each for each in self._waiting if each.due_at is not None and each.due_at <= now]
        for outgoing in due:
            if outgoing.attempts:
                outgoing.notification = self._notifier.signed_again(outgoing.notification)
            pause = AGAIN_AFTER[outgoing.attempts] if outgoing.attempts < len(AGAIN_AFTER) else None
            outgoing.due_at = None if pause is None else now + pause
            outgoing.attempts += 1
        return due

    def answered(self, outgoing: Outgoing, status: int | None) -> None:
        """An attempt was answered with a status, or not at all; 200 and 204 end it."""
        outgoing.answered = status
        if status in (200, 204):
            outgoing.due_at = None

    def next_at(self) -> float | None:
        """When there is something to do next; None: when something happens."""
        if self._orders.events:
            return 0.0
        moments = [each.due_at for each in self._waiting if each.due_at is not None]
        debit = self._orders.next_event_at()
        return min([*moments, *([debit] if debit is not None else [])], default=None)

    def to_json(self, now: float) -> list[dict[str, Any]]:
        """What was sent and what still is to be, to be kept in a file."""
        self._write_up(now)
        return [
            {**each.entry(), "due_at": each.due_at, "body": each.notification.body.decode()}
            for each in self.sent
        ]

    def restore(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Go on sending what was kept, signed anew."""
        for each in documents:
            notification = self._notifier.signed(each["body"].encode())
            number, event_type, url, due_at = (
                each[name] for name in ("out_order_no", "event_type", "url", "due_at")
            )
            self.sent.append(
                Outgoing(number, event_type, url, notification, due_at, each["attempts"], each["answered"])
            )
        self._waiting = [each for each in self.sent if each.due_at is not None]

    def _write_up(self, now: float) -> None:
        """Make a notification of each event."""
        self._orders.catch_up_notified(now)
        for event_type, order in self._orders.events:
            shape: Shape = "serviceorder" if order.api == "serviceorder" else "smartretail"
            if event_type == USER_CONFIRM:
                notification = self._notifier.confirmed(order)
            else:
                notification = self._notifier.paid(order, shape)
            url = order.notify_url or ""
            due_at = now if self.anywhere or on_this_machine(url) else None
            outgoing = Outgoing(order.out_order_no, event_type, url, notification, due_at)
            self.sent.append(outgoing)
            self._waiting.append(outgoing)
        self._orders.events.clear()


def on_this_machine(url: str) -> bool:
    """Tell whether an address is on this machine."""
    try:
        place = urlsplit(url)
        host, _ = place.hostname or "", place.port
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
