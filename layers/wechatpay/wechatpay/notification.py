"""What WeChat Pay sends by itself (回调通知): an envelope in JSON around a sealed resource.

Prove its signature with `verification.SignedMessage` before reading it here.

Source: https://pay.weixin.qq.com/doc/v3/merchant/4012587960 (支付成功回调通知)
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .certificates import ALGORITHM, decrypt
from .reply_body import JSON, Malformed, json_object

_LONGEST_ID = 64


@dataclass(frozen=True)
class Notification:
    """One notification, its resource still sealed.

    Attributes:
        id: the same for every time it is sent.
        event_type: such as `PAYSCORE.USER_PAID`.
    """

    id: str
    event_type: str
    _sealed: JSON = field(repr=False)

    @classmethod
    def parse(cls, body: bytes) -> Notification:
        """Read the envelope.

        Raises:
            Malformed: not the JSON of a notification.
        """
        envelope = json_object(body)
        sealed = envelope.get("resource")
        if not isinstance(sealed, dict):
            raise Malformed("resource is missing")
        return cls(_text(envelope, "id")[:_LONGEST_ID], _text(envelope, "event_type"), sealed)

    def opened(self, api_v3_key: bytes) -> JSON:
        """Return the resource. It may hold an openid: nothing of it belongs into a log as it is.

        Raises:
            ValueError: sealed with another key, or in another way.
        """
        if self._sealed.get("algorithm") != ALGORITHM:
            raise Malformed(f"the resource is not encrypted with {ALGORITHM}")
        nonce, ciphertext = _text(self._sealed, "nonce"), _text(self._sealed, "ciphertext")
        associated_data = self._sealed.get("associated_data") or ""
        if not isinstance(associated_data, str):
            raise Malformed("associated_data is not text")
        plain = decrypt(api_v3_key, nonce=nonce, associated_data=associated_data, ciphertext=ciphertext)
        return json_object(plain)


def _text(fields: JSON, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(f"{name} is missing")
    return value
