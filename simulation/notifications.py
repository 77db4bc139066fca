"""WeChat Pay's notifications on their way: late, lost, repeated, early, forged, after the end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from wechatpay_sandbox import MCHID
from wechatpay_sandbox.notifications import FLAWS, Notification, Shape

from simulation.environments import Invocation
from simulation.stepper import TaskError

if TYPE_CHECKING:
    from simulation.shop import Shop


class Notifications:
    """Delivers what the sandbox sends of its own accord."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._next = float("inf")

    def look_after(self) -> None:
        """Wake up when something is due."""
        shop = self._shop
        over = shop.healed and not any(e.status == "RUNNING" for e in shop.executions.values())
        if not shop.notified or over:  # an empty purse would be debited for ever
            return
        due = shop.wechat.core.outbox.next_at()
        if due is None:
            return
        at = max(due - shop.wechat.core.clock_skew, shop.kernel.now) + 0.001  # or it is not due by a rounding
        if at < self._next or self._next <= shop.kernel.now:
            self._next = at
            shop.kernel.at(at, self._send)

    def stray(self, number: str) -> None:
        """Let a notification of payment come that nobody meant: before the payment, or forged."""
        order = self._shop.wechat.caught_up(number)
        flaw = self._shop.random.choice((None, *FLAWS))
        shape: Shape = "serviceorder" if order.api == "serviceorder" else "smartretail"
        notification = self._shop.wechat.core.notifier.paid(order, shape, flaw=flaw)
        self._shop.kernel.spawn(partial(self._deliver, number, notification, f"stray {flaw}"))

    def _send(self) -> None:
        shop = self._shop
        if shop.kernel.now >= self._next:
            self._next = float("inf")
        for outgoing in shop.wechat.core.outbox.due(shop.wechat.core.now()):
            shop.kernel.spawn(partial(self._notify, outgoing))
        self.look_after()

    def _notify(self, outgoing: Any) -> None:
        number, how = outgoing.out_order_no, self._shop.fate.platform(outgoing.out_order_no, "notification")
        status = None
        if how != "before":
            status = self._deliver(number, outgoing.notification, outgoing.event_type)
        self._shop.wechat.core.outbox.answered(outgoing, None if how == "after" else status)
        self.look_after()

    def _deliver(self, number: str, notification: Notification, kind: str) -> int | None:
        """Return the status that the function answers; None: there was no answer."""
        shop = self._shop
        shop.kernel.sleep(shop.random.uniform(0.005, 0.2))
        request = {
            "pathParameters": {"mchid": MCHID},
            "headers": dict(notification.headers),
            "body": notification.body.decode(),
        }
        invocation = Invocation("notification", shop.fate.dies_at(number, "payment_notification", "notice"))
        shop.tally.invocations += 1
        status: int | None = None
        try:
            status = shop.pools["payment_notification"].invoke(invocation, request)["statusCode"]
        except TaskError as exc:
            shop.sink.examine(exc.cause)
        shop.trace.add(shop.kernel.now, number, "notification", kind, status)
        return status
