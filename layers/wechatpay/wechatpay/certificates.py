"""Platform certificates out of a reply of `GET /v3/certificates`: AEAD_AES_256_GCM with the APIv3 key.

Source: https://pay.weixin.qq.com/doc/v3/merchant/4012551764
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .keyring import load_certificate
from .reply_body import json_object
from .secret_rules import API_V3_KEY_BYTES

if TYPE_CHECKING:
    from cryptography import x509

CERTIFICATES_PATH = "/v3/certificates"
ALGORITHM = "AEAD_AES_256_GCM"


def decrypt(api_v3_key: bytes, *, nonce: str, associated_data: str, ciphertext: str) -> bytes:
    """Decrypt one encrypted part of a reply.

    Args:
        api_v3_key: 32 bytes. A shorter key would silently select a weaker cipher, so it is refused.
        nonce: as sent.
        associated_data: as sent; may be empty.
        ciphertext: base64 of ciphertext and tag.

    Raises:
        ValueError: the key has another length, or the text was not encrypted with it.
    """
    if len(api_v3_key) != API_V3_KEY_BYTES:
        raise ValueError(f"the APIv3 key must be {API_V3_KEY_BYTES} bytes")
    sealed = base64.b64decode(ciphertext, validate=True)
    try:
        return AESGCM(api_v3_key).decrypt(nonce.encode(), sealed, associated_data.encode())
    except InvalidTag as exc:
        raise ValueError("api_v3_key does not decrypt what WeChat Pay sent") from exc


def decrypted_certificates(body: bytes, api_v3_key: bytes) -> tuple[x509.Certificate, ...]:
    """Return the certificates of a reply of `GET /v3/certificates`.

    Raises:
        ValueError: the body has another shape, or the key does not decrypt it.
    """
    listed = json_object(body).get("data")
    if not isinstance(listed, list) or not listed:
        raise ValueError("the list of certificates is empty")
    certificates = []
    for entry in listed:
        sealed = entry.get("encrypt_certificate") if isinstance(entry, dict) else None
        if not isinstance(sealed, dict) or sealed.get("algorithm") != ALGORITHM:
            raise ValueError(f"a certificate is not encrypted with {ALGORITHM}")
        parts = [sealed.get(name) for name in ("nonce", "associated_data", "ciphertext")]
        nonce, associated_data, ciphertext = ("" if part is None else str(part) for part in parts)
        pem = decrypt(api_v3_key, nonce=nonce, associated_data=associated_data, ciphertext=ciphertext)
        certificates.append(load_certificate(pem.decode()))
    return tuple(certificates)
