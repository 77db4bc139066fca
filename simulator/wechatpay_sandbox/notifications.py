"""WeChat Pay's notifications (回调通知), in both known shapes, well or badly made.

The serviceorder shape is from https://pay.weixin.qq.com/doc/v3/merchant/4012587960; the smart-retail shape is
inferred from its query.
"""

import http.client
import json
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, get_args

from wechatpay_sandbox import service_order
from wechatpay_sandbox.fault import Signature
from wechatpay_sandbox.keys import Keys
from wechatpay_sandbox.order import USER_CONFIRM, USER_PAID, Order
from wechatpay_sandbox.signing import ReplySigner, seal
from wechatpay_sandbox.times import shanghai

type Shape = Literal["serviceorder", "smartretail"]
type Flaw = Literal[
    "wrong-signature", "signtest", "stale", "early", "unknown-serial", "unsigned", "other-key"
]

SHAPES: tuple[Shape, ...] = get_args(Shape.__value__)
FLAWS: tuple[Flaw, ...] = get_args(Flaw.__value__)
ANSWER_SECONDS = 5.0
"""Seconds after which WeChat Pay takes a notification for failed."""
_OFFSETS: Mapping[str | None, int] = {"stale": -301, "early": 310}
_SIGNATURES: Mapping[str | None, Signature] = {
    "unsigned": "absent",
    "wrong-signature": "wrong",
    "signtest": "signtest",
    "unknown-serial": "unknown-serial",
}


@dataclass(frozen=True)
class Notification:
    """One notification as it goes onto the wire. Sent again it is a replay; a retry is ``signed_again``."""

    headers: Mapping[str, str]
    body: bytes

    def send(self, url: str, *, seconds: float = ANSWER_SECONDS) -> tuple[int, bytes]:
        """POST it and return status and body of the answer; TimeoutError when there is none in time."""
        parts = urllib.parse.urlsplit(url)
        connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = connect(parts.netloc, timeout=seconds)
        try:
            connection.request("POST", parts.path, self.body, dict(self.headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


class Notifier:
    """Makes notifications about orders, with the keys of one simulated merchant."""

    def __init__(self, keys: Keys, signer: ReplySigner, random: Random) -> None:
        self._keys = keys
        self._signer = signer
        self._random = random

    def paid(
        self,
        order: Order,
        shape: Shape = "smartretail",
        *,
        flaw: Flaw | None = None,
        event_type: str = USER_PAID,
        **changes: Any,
    ) -> Notification:
        """A notification that an order is paid; ``changes`` replace fields of its resource."""
        resource = {**(_serviceorder(order) if shape == "serviceorder" else _smart_retail(order)), **changes}
        return self.of(resource, flaw=flaw, event_type=event_type)

    def confirmed(self, order: Order) -> Notification:
        """A notification that the shopper has confirmed an order."""
        resource = {**_common(order), "state": "DOING", "state_description": "USER_CONFIRM"}
        del resource["total_amount"]
        return self.of(resource, event_type=USER_CONFIRM)

    def of(
        self, resource: Mapping[str, Any], *, flaw: Flaw | None = None, event_type: str = USER_PAID
    ) -> Notification:
        """A notification of any resource."""
        key = self._random.randbytes(16).hex() if flaw == "other-key" else self._keys.api_v3_key
        plain = json.dumps(resource, ensure_ascii=False).encode()
        envelope = self._envelope(plain, key, event_type)
        return self.signed(json.dumps(envelope, ensure_ascii=False).encode(), flaw)

    def signed_again(self, notification: Notification) -> Notification:
        """The same notification sent once more by WeChat Pay itself: same id and content, new signature."""
        return self.signed(notification.body)

    def signed(self, body: bytes, flaw: Flaw | None = None) -> Notification:
        """Any bytes, signed like a notification."""
        headers = {"Content-Type": "application/json", "User-Agent": "Mozilla/4.0"}
        signature = _SIGNATURES.get(flaw, "valid")
        key = self._keys.signing_key(None)
        headers |= self._signer.headers(key, body, signature, offset=_OFFSETS.get(flaw, 0))
        return Notification(headers, body)

    def _envelope(self, plain: bytes, api_v3_key: str, event_type: str) -> dict[str, Any]:
        nonce, ciphertext = seal(plain, api_v3_key, "payscore", self._random)
        return {
            "id": f"EV-{self._random.randbytes(16).hex()}",
            "create_time": shanghai(self._signer.clock(), "%Y-%m-%dT%H:%M:%S+08:00"),
            "resource_type": "encrypt-resource",
            "event_type": event_type,
            "summary": "支付成功" if event_type == USER_PAID else "用户确认成功",
            "resource": {
                "original_type": "payscore",
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": ciphertext,
                "associated_data": "payscore",
                "nonce": nonce,
            },
        }


def _common(order: Order) -> dict[str, Any]:
    return {
        **order.identity(),
        "openid": order.openid,
        "order_id": order.order_id,
        "service_introduction": "智能柜购物",
        "total_amount": order.charged,
    }


def _smart_retail(order: Order) -> dict[str, Any]:
    return {
        **_common(order),
        "state": "USER_PAID",
        "finish_transaction_id": f"42{order.order_id[2:]}",
        "pay_succ_time": shanghai(order.paid_at),
    }


def _serviceorder(order: Order) -> dict[str, Any]:
    shown = service_order.collection(order)
    if not order.payments:  # asked for before anything was paid: it says so all the same
        shown |= {"state": "USER_PAID", "paying_amount": 0, "paid_amount": order.amount}
    return {**_common(order), "state": "DONE", "need_collection": True, "collection": shown}
