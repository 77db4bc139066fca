"""Verifying a reply: four headers, three lines, the key the reply names, 300 seconds both ways.

WeChat Pay sends wrong signatures on purpose (`WECHATPAY/SIGNTEST/...`) to see whether merchants verify. They
need no branch of their own: they fail like any other wrong signature.

Source: https://pay.weixin.qq.com/doc/v3/merchant/4013053249
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

TOLERANCE_SECONDS = 300
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
# One line: with a line break in it, the start of a genuine body could pass for the end of a nonce.
_NONCE = re.compile(r"[\x21-\x7e]+")


class NotVerified(Exception):
    """The reply is not proven to come from WeChat Pay. The message is the reason, safe to log."""


@dataclass(frozen=True)
class SignedMessage:
    """A reply or a notification as far as its headers go: fresh and well formed, not yet proven.

    Attributes:
        serial: names the key it claims to be signed with.
    """

    serial: str
    _message: bytes = field(repr=False)
    _signature: str = field(repr=False)

    @classmethod
    def parse(cls, headers: Mapping[str, str], body: bytes, now: float) -> SignedMessage:
        """Read what is signed, by which key, and when.

        Args:
            headers: the reply's headers, looked up without regard to case.
            body: the raw body, before any decoding.
            now: UNIX seconds.

        Raises:
            NotVerified: a header is missing or malformed, or the time is off.
        """
        timestamp = _header(headers, "Wechatpay-Timestamp")
        nonce = _header(headers, "Wechatpay-Nonce")
        serial = _header(headers, "Wechatpay-Serial")
        signature = _header(headers, "Wechatpay-Signature")
        if not _TIMESTAMP.fullmatch(timestamp):
            raise NotVerified("Wechatpay-Timestamp is not a number of seconds")
        if not _NONCE.fullmatch(nonce):
            raise NotVerified("Wechatpay-Nonce is not one line of printable ASCII")
        if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
            raise NotVerified(f"Wechatpay-Timestamp is more than {TOLERANCE_SECONDS} s away from this clock")
        return cls(serial, f"{timestamp}\n{nonce}\n".encode("ascii") + body + b"\n", signature)

    def verify(self, key: RSAPublicKey | None) -> None:
        """Prove that the owner of this key signed it.

        Args:
            key: the key of `serial`, None when there is no such key.

        Raises:
            NotVerified: the serial is unknown or the signature is wrong.
        """
        if key is None:
            raise NotVerified("Wechatpay-Serial is unknown")
        try:
            signature = base64.b64decode(self._signature, validate=True)
            key.verify(signature, self._message, PKCS1v15(), SHA256())
        except (InvalidSignature, binascii.Error, ValueError) as exc:
            raise NotVerified("Wechatpay-Signature is wrong") from exc


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise NotVerified(f"{name} is missing")
    return value
