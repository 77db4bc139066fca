"""Every operation of the control as a method, for a program that runs the sandbox in a thread of its own."""

from collections.abc import Coroutine, Iterable
from typing import Any

from wechatpay_sandbox import Mode
from wechatpay_sandbox.control import Control
from wechatpay_sandbox.faults import ChaosKind
from wechatpay_sandbox.notifications import Flaw, Notification, Shape


class InProcess:
    """What a program may do to the simulated world. A subclass holds the control and runs its work."""

    _control: Control

    def _run[T](self, work: Coroutine[Any, Any, T]) -> T:
        raise NotImplementedError

    def open_order(self, out_order_no: str, *, replace: bool = False, **settings: Any) -> dict[str, Any]:
        """Put an order in the world, USER_ACCEPTED by default; ``Orders.open`` has the settings."""
        return self._run(self._control.open_order(out_order_no, replace=replace, **settings))

    def order(self, out_order_no: str) -> dict[str, Any]:
        """One order as it truly stands."""
        return self._run(self._control.order(out_order_no))

    def settle_elsewhere(
        self, out_order_no: str, *, finish_type: int = 2, total_amount: int = 0
    ) -> dict[str, Any]:
        """Someone else finishes (2) or cancels (1) the order now."""
        return self._run(
            self._control.settle_elsewhere(out_order_no, finish_type=finish_type, total_amount=total_amount)
        )

    def paid_notification(
        self,
        out_order_no: str,
        shape: Shape = "smartretail",
        *,
        flaw: Flaw | None = None,
        **changes: Any,
    ) -> Notification:
        """A notification that the order is paid, to be sent: ``notification.send(url)``."""
        return self._run(self._control.paid_notification(out_order_no, shape, flaw=flaw, **changes))

    def confirm(self, out_order_no: str) -> dict[str, Any]:
        """The shopper confirms a CREATED order."""
        return self._run(self._control.confirm(out_order_no))

    def pay(self, out_order_no: str, amount: int | None = None) -> dict[str, Any]:
        """The shopper pays by hand: all, or of a serviceorder a part in fen."""
        return self._run(self._control.pay(out_order_no, amount=amount))

    def purse(self, openid: str, balance: int | None) -> dict[str, Any]:
        """Set what a shopper's purse holds, in fen (None: no end); returns the purses that have an end."""
        return self._run(self._control.purse(openid, balance=balance))

    def notifications(self, out_order_no: str | None = None) -> list[dict[str, Any]]:
        """What WeChat Pay sent of its own accord, with the attempts made and the last answer."""
        return self._run(self._control.notifications(out_order_no))

    def tickets(self) -> list[str]:
        """Every finish_ticket that is valid or was."""
        return self._run(self._control.tickets())

    def ledger(self) -> list[dict[str, Any]]:
        """Every order as it truly stands."""
        return self._run(self._control.ledger())

    def requests(self, out_order_no: str | None = None, *, after: int = 0) -> list[dict[str, Any]]:
        """The latest requests that arrived, oldest first, with their answers; numbered above ``after``."""
        return self._run(self._control.requests(out_order_no, after))

    def script(
        self,
        out_order_no: str | None = None,
        operation: str = "complete",
        *,
        fault: str,
        times: int | None = 1,
        **options: Any,
    ) -> None:
        """Plan a named fault (``fault_kinds.KINDS``) for the next calls on an order, or any order."""
        self._run(self._control.script(out_order_no, operation, fault=fault, times=times, **options))

    def pending_faults(self) -> list[dict[str, Any]]:
        """The planned faults that have not happened yet."""
        return self._run(self._control.pending_faults())

    def clear_faults(self, out_order_no: str | None = None) -> None:
        """Forget planned faults: all, or one order's."""
        self._run(self._control.clear_faults(out_order_no))

    def chaos(self, rate: float, seed: int = 0, kinds: Iterable[ChaosKind] | None = None) -> None:
        """Throw faults at random at this rate; 0 stops it."""
        self._run(self._control.chaos(rate, seed, kinds))

    def set_keys(self, mode: Mode) -> dict[str, Any]:
        """Move the merchant along the key migration; returns the secret to store."""
        return self._run(self._control.set_keys(mode))

    def rotate_merchant_key(self, *, keep_old: bool = False) -> dict[str, Any]:
        """A new merchant key; returns the secret to store. The old serial is refused at once unless kept."""
        return self._run(self._control.rotate_merchant_key(keep_old=keep_old))

    def drop_old_merchant_keys(self) -> dict[str, Any]:
        """Refuse every serial but the newest; returns the secret."""
        return self._run(self._control.drop_old_merchant_keys())

    def rotate_platform_certificate(self) -> dict[str, Any]:
        """A further platform certificate, preferred from now on; returns the secret to store."""
        return self._run(self._control.rotate_platform_certificate())

    def drop_oldest_platform_certificate(self) -> dict[str, Any]:
        """The oldest platform certificate has expired: nothing is signed with it any more."""
        return self._run(self._control.drop_oldest_platform_certificate())

    def tolerate(self, *rules: str) -> list[str]:
        """Lift these rules and no others: names, or patterns; returns the names lifted."""
        tolerated: list[str] = self._run(self._control.tolerate(rules))["tolerated"]
        return tolerated

    def secret(self) -> dict[str, Any]:
        """The merchant's secret."""
        return self._run(self._control.secret())

    def merchant_certificate(self) -> str:
        """The merchant's API certificate as PEM."""
        return self._run(self._control.merchant_certificate())

    def set_host(self, index: int, *, up: bool) -> None:
        """Let a host listen, or refuse connections."""
        self._run(self._control.set_host(index, up=up))

    def set_latency(self, seconds: float) -> None:
        """Delay every reply by so many seconds."""
        self._run(self._control.set_latency(seconds))

    def advance(self, seconds: float) -> dict[str, Any]:
        """Move the orders' clock forward, so that debits become due without waiting."""
        return self._run(self._control.advance(seconds))

    def set_clock(self, skew: float) -> None:
        """Let WeChat Pay's own clock be so many seconds ahead of the machine's, or behind."""
        self._run(self._control.set_clock(skew))
