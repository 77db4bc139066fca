"""WeChat Pay's notices of payment (支付成功回调通知), in both known shapes, well or badly made.

It shares no code with what it tests. The serviceorder shape is from
https://pay.weixin.qq.com/doc/v3/merchant/4012587960; the smart-retail shape is inferred from its query.
"""

import base64
import http.client
import json
import secrets
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wechatpay_sandbox import signing
from wechatpay_sandbox.keys import Keys
from wechatpay_sandbox.orders import SHANGHAI, Order, shanghai

type Shape = Literal["serviceorder", "smartretail"]
type Flaw = Literal[
    "wrong-signature", "signtest", "stale", "early", "unknown-serial", "unsigned", "other-key"
]

USER_PAID = "PAYSCORE.USER_PAID"
ANSWER_SECONDS = 5.0
"""Seconds after which WeChat Pay takes a notice for failed."""
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
_STALE = 301
_OFFSETS = {"stale": -_STALE, "early": _STALE}
_PROBE = "WECHATPAY/SIGNTEST/"


@dataclass(frozen=True)
class Notice:
    """One notice as it goes onto the wire. Sent again it is a replay; ``signed_again`` is what a retry is."""

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
    """Makes notices about orders, with the keys of one simulated merchant."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def paid(
        self,
        order: Order,
        shape: Shape = "smartretail",
        *,
        flaw: Flaw | None = None,
        event_type: str = USER_PAID,
        **changes: Any,
    ) -> Notice:
        """A notice that an order is paid; ``changes`` replace fields of its resource."""
        resource = {**(_serviceorder(order) if shape == "serviceorder" else _smart_retail(order)), **changes}
        return self.of(resource, flaw=flaw, event_type=event_type)

    def of(
        self, resource: Mapping[str, Any], *, flaw: Flaw | None = None, event_type: str = USER_PAID
    ) -> Notice:
        """A notice of any resource."""
        key = secrets.token_hex(16) if flaw == "other-key" else self._keys.api_v3_key
        plain = json.dumps(resource, ensure_ascii=False).encode()
        return self.signed(json.dumps(_envelope(plain, key, event_type), ensure_ascii=False).encode(), flaw)

    def signed_again(self, notice: Notice) -> Notice:
        """The same notice sent once more by WeChat Pay itself: same id and content, new signature."""
        return self.signed(notice.body)

    def signed(self, body: bytes, flaw: Flaw | None = None) -> Notice:
        """Any bytes, signed like a notice."""
        headers = {"Content-Type": "application/json", "User-Agent": "Mozilla/4.0"}
        if flaw == "unsigned":
            return Notice(headers, body)
        covered = body + b" " if flaw == "wrong-signature" else body
        key = self._keys.signing_key(None)
        headers |= signing.reply_headers(key, covered, offset=_OFFSETS.get(flaw or "", 0))
        if flaw == "signtest":
            headers["Wechatpay-Signature"] = _PROBE + headers["Wechatpay-Signature"][len(_PROBE) :]
        if flaw == "unknown-serial":
            headers["Wechatpay-Serial"] = f"{secrets.randbits(158) | 1 << 158:040X}"
        return Notice(headers, body)


def with_header(notice: Notice, name: str, value: str) -> Notice:
    """The same notice with one more header."""
    return replace(notice, headers={**notice.headers, name: value})


def _envelope(plain: bytes, api_v3_key: str, event_type: str) -> dict[str, Any]:
    nonce = secrets.token_hex(6)
    sealed = AESGCM(api_v3_key.encode()).encrypt(nonce.encode(), plain, b"payscore")
    return {
        "id": f"EV-{secrets.token_hex(16)}",
        "create_time": datetime.now(SHANGHAI).isoformat(timespec="seconds"),
        "resource_type": "encrypt-resource",
        "event_type": event_type,
        "summary": "支付成功",
        "resource": {
            "original_type": "payscore",
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": base64.b64encode(sealed).decode(),
            "associated_data": "payscore",
            "nonce": nonce,
        },
    }


def _common(order: Order) -> dict[str, Any]:
    return {
        "appid": order.appid,
        "mchid": order.mchid,
        "out_order_no": order.out_order_no,
        "service_id": order.service_id,
        "openid": OPENID,
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
    detail = {
        "seq": 1,
        "amount": order.charged,
        "paid_type": "NEWTON",
        "paid_time": shanghai(order.paid_at),
        "transaction_id": f"42{order.order_id[2:]}",
    }
    collection = {
        "state": "USER_PAID",
        "total_amount": order.charged,
        "paying_amount": 0,
        "paid_amount": order.charged,
        "details": [detail],
    }
    return {**_common(order), "state": "DONE", "need_collection": True, "collection": collection}
