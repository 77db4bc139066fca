"""The merchants whose notifications may arrive. Anybody may call the address: a stranger can cause little."""

import time
from collections.abc import Callable
from http import HTTPStatus

from wechatpay.errors import SettlementError
from wechatpay.merchant import Merchant, Merchants

from payment_notification.request import Refused

PAUSE_SECONDS = 5.0


class KnownMerchants:
    """Gives the merchant of a number, and after a secret that could not be read no new one for a while.

    So made-up merchant numbers neither storm Secrets Manager nor fill the memory.

    Args:
        merchants: the merchants met so far.
        clock: UNIX seconds. Not the monotonic clock, which stands still while Lambda freezes a function.
    """

    def __init__(self, merchants: Merchants, clock: Callable[[], float] = time.time) -> None:
        self._merchants = merchants
        self._clock = clock
        self._failed_at = float("-inf")

    def find(self, mchid: str) -> Merchant:
        """Return a merchant whose secret is at hand.

        Raises:
            Refused: there is no such secret now, or asking has to wait.
        """
        if mchid not in self._merchants and 0 <= self._clock() - self._failed_at < PAUSE_SECONDS:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "no new merchant's secret is read just now")
        merchant = self._merchants[mchid]
        try:
            _ = merchant.credentials
        except SettlementError as exc:
            del self._merchants[mchid]
            self._failed_at = self._clock()
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, f"no secret: {type(exc).__name__}") from exc
        return merchant
