"""Signing a request: five lines, RSA PKCS#1 v1.5 with SHA-256.

Source: https://pay.weixin.qq.com/doc/v3/merchant/4012365342
"""

import base64
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

SCHEME = "WECHATPAY2-SHA256-RSA2048"


@dataclass(frozen=True)
class Signer:
    """Signs as one merchant. The key never shows in `repr`.

    Attributes:
        mchid: merchant number.
        serial_no: serial number of the merchant certificate that belongs to the key, upper-case hex.
        private_key: the merchant's RSA key.
    """

    mchid: str
    serial_no: str
    private_key: RSAPrivateKey = field(repr=False)

    def sign(self, message: bytes) -> str:
        """Return the base64 signature of exactly these bytes."""
        return base64.b64encode(self.private_key.sign(message, PKCS1v15(), SHA256())).decode("ascii")

    def authorization(self, method: str, target: str, body: bytes, *, timestamp: int, nonce: str) -> str:
        """Return the Authorization header for one attempt.

        Args:
            method: HTTP method, upper case.
            target: path and query exactly as they go onto the wire, already percent-encoded.
            body: the bytes that will be sent; empty for GET.
            timestamp: UNIX seconds; new for every attempt.
            nonce: random text; new for every attempt.
        """
        message = f"{method}\n{target}\n{timestamp}\n{nonce}\n".encode("ascii") + body + b"\n"
        return (
            f'{SCHEME} mchid="{self.mchid}",nonce_str="{nonce}",timestamp="{timestamp}",'
            f'serial_no="{self.serial_no}",signature="{self.sign(message)}"'
        )
