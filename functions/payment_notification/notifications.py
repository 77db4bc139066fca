"""Handles one notification: proves it, reads it, asks WeChat Pay by a signed query, wakes the execution.

A notification publishes nothing and decides nothing. It ends a wait early; the workflow then asks by itself,
and it alone publishes that an order is paid. A lost notification costs time, and one sent twice a query.
"""

import time
from collections.abc import Callable, Sequence
from http import HTTPStatus

from wechatpay.client import Client
from wechatpay.deadline import Deadline
from wechatpay.errors import ServiceError, SettlementError
from wechatpay.find_order import find_order
from wechatpay.merchant import Merchant
from wechatpay.notification import Notification
from wechatpay.platform_certificates import PlatformCertificates
from wechatpay.signed_transport import SignedTransport
from wechatpay.verification import NotVerified, SignedMessage

from payment_notification.merchants import KnownMerchants
from payment_notification.paid_order import USER_PAID, PaidOrder
from payment_notification.request import Refused, Request
from payment_notification.waiting_orders import WaitingOrder, WaitingOrders

WOKEN, ENDED, NOT_WAITING, NOT_ABOUT_PAYMENT = "WOKEN", "ENDED", "NOT_WAITING", "NOT_ABOUT_PAYMENT"


class NotificationHandler:
    """Handles notifications within the time of one invocation.

    Args:
        merchants, waiting: who they are for, and what is waited for.
        signed_transport: makes attempts on the wire for a merchant.
        hosts: base URLs of WeChat Pay, main host first.
        deadline: the time everything here shares.
        proven: receives the id and the order of a proven notification, for the log.
        clock: UNIX seconds.
    """

    def __init__(
        self,
        merchants: KnownMerchants,
        waiting: WaitingOrders,
        *,
        signed_transport: Callable[[Merchant], SignedTransport],
        hosts: Sequence[str],
        deadline: Deadline,
        proven: Callable[[str, str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._merchants = merchants
        self._waiting = waiting
        self._signed_transport = signed_transport
        self._hosts = hosts
        self._deadline = deadline
        self._log_proven = proven
        self._clock = clock

    def handle(self, request: Request) -> str:
        """Return the outcome of a notification, a name above: WeChat Pay need not send it again.

        Raises:
            Refused: not proven, not well formed, not what was accepted, or not now.
        """
        merchant, signed_transport = self._proven(request)
        try:
            notification = Notification.parse(request.body)
            if notification.event_type != USER_PAID:  # such as USER_CONFIRM, sent to the same address
                return NOT_ABOUT_PAYMENT
            paid = PaidOrder.parse(notification.opened(merchant.credentials.api_v3_key))
        except ValueError as exc:
            raise Refused(HTTPStatus.BAD_REQUEST, str(exc)) from exc
        if paid.key.mchid != request.mchid:
            raise Refused(HTTPStatus.CONFLICT, "mchid is not the one of this address")
        self._log_proven(notification.id, paid.key.out_order_no)
        order = self._waiting.find(request.mchid, paid.key.out_order_no)
        if order is None:
            return NOT_WAITING
        _require_as_accepted(paid, order)
        self._require_collected(order, signed_transport)
        return WOKEN if self._waiting.wake(order) else ENDED

    def _proven(self, request: Request) -> tuple[Merchant, SignedTransport]:
        """Prove who sent it; a secret is read, and a key learned, only for what could be genuine."""
        try:
            signed = SignedMessage.parse(request.headers, request.body, self._clock())
            merchant = self._merchants.find(request.mchid)
            signed_transport = self._signed_transport(merchant)
            keys = PlatformCertificates(signed_transport, self._hosts, self._deadline)
            signed.verify(keys.find(signed.serial))
        except NotVerified as exc:
            raise Refused(HTTPStatus.UNAUTHORIZED, str(exc)) from exc
        return merchant, signed_transport

    def _require_collected(self, order: WaitingOrder, signed_transport: SignedTransport) -> None:
        try:
            state = find_order(Client(signed_transport, self._hosts, self._deadline), order.key)
        except (SettlementError, ServiceError) as exc:
            reason = f"the query gave no answer: {type(exc).__name__}"
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, reason) from exc
        if state.state != "USER_PAID":
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, f"a query says {state.state}")


def _require_as_accepted(paid: PaidOrder, order: WaitingOrder) -> None:
    notified = (paid.key.appid, paid.key.service_id, paid.total_amount)
    accepted = (order.key.appid, order.key.service_id, order.total_amount)
    names = ("appid", "service_id", "total_amount")
    wrong = [name for name, a, b in zip(names, notified, accepted, strict=True) if a != b]
    if wrong:
        raise Refused(HTTPStatus.CONFLICT, f"{', '.join(wrong)}: not what was accepted")
