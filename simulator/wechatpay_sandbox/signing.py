"""APIv3 signatures, written from WeChat Pay's description and sharing nothing with the code under test.

Source: https://pay.weixin.qq.com/doc/v3/merchant/4012365336 (requests) and /4013053249 (replies).
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from wechatpay_sandbox.fault import Signature
from wechatpay_sandbox.key_pairs import KeyPair

SCHEME = "WECHATPAY2-SHA256-RSA2048"
_PROBE = "WECHATPAY/SIGNTEST/"
"""What WeChat Pay's probes (应答签名探测) begin with: signatures that are wrong on purpose."""


def sign(key: RSAPrivateKey, text: bytes) -> str:
    """RSA PKCS#1 v1.5 with SHA-256, in base64."""
    return base64.b64encode(key.sign(text, PKCS1v15(), SHA256())).decode()


def fits(key: RSAPublicKey, signature: str, text: bytes) -> bool:
    """Tell whether a signature in base64 is of this text by this key."""
    try:
        key.verify(base64.b64decode(signature, validate=True), text, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error):
        return False
    return True


def seal(plain: bytes, api_v3_key: str, associated_data: str, random: Random) -> tuple[str, str]:
    """AEAD_AES_256_GCM by the merchant's APIv3 key: the nonce, and the ciphertext in base64."""
    nonce = random.randbytes(6).hex()
    sealed = AESGCM(api_v3_key.encode()).encrypt(nonce.encode(), plain, associated_data.encode())
    return nonce, base64.b64encode(sealed).decode()


@dataclass(frozen=True)
class ReplySigner:
    """Signs what WeChat Pay says. ``clock`` is its own, ``random`` makes the nonces."""

    clock: Callable[[], float]
    random: Random

    def headers(
        self, key: KeyPair, body: bytes, signature: Signature = "valid", *, offset: int = 0
    ) -> dict[str, str]:
        """The five headers of a signed reply, none when it is ``absent``; ``offset`` moves its timestamp."""
        if signature == "absent":
            return {}
        timestamp = str(int(self.clock()) + offset)
        nonce = self.random.randbytes(16).hex()
        covered = body + b" " if signature == "wrong" else body
        headers = {
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": sign(
                key.private_key, f"{timestamp}\n{nonce}\n".encode() + covered + b"\n"
            ),
            "Wechatpay-Serial": key.serial,
            "Wechatpay-Signature-Type": SCHEME,
        }
        if signature == "signtest":
            headers["Wechatpay-Signature"] = _PROBE + headers["Wechatpay-Signature"][len(_PROBE) :]
        if signature == "unknown-serial":
            headers["Wechatpay-Serial"] = f"{self.random.getrandbits(158) | 1 << 158:040X}"
        return headers


def encrypted_certificate(key: KeyPair, api_v3_key: str, random: Random) -> Mapping[str, Any]:
    """One entry of ``GET /v3/certificates``."""
    if key.certificate is None:
        raise ValueError("a WeChat Pay public key has no certificate to download")
    nonce, ciphertext = seal(key.pem.encode(), api_v3_key, "certificate", random)
    return {
        "serial_no": key.serial,
        "effective_time": key.certificate.not_valid_before_utc.isoformat(),
        "expire_time": key.certificate.not_valid_after_utc.isoformat(),
        "encrypt_certificate": {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": nonce,
            "associated_data": "certificate",
            "ciphertext": ciphertext,
        },
    }
