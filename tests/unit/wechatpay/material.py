"""Keys, certificates, secrets and signed replies, generated for this run by nothing of the layer's own."""

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from requests.structures import CaseInsensitiveDict

MCHID = "1900000001"
MERCHANT_SERIAL = "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C"
PUBLIC_KEY_ID = "PUB_KEY_ID_0119000000012024101100397200000006"
API_V3_KEY = "a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb"
NOW = 1_722_850_421.0


@cache
def rsa_key(owner: str) -> RSAPrivateKey:
    """One key for each owner and run."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(key: Any) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: Any) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def certificate(
    owner: str,
    serial: int,
    *,
    now: float = NOW,
    days_before: float = 1,
    days_after: float = 365,
    key: Any = None,
) -> x509.Certificate:
    """A self-signed certificate, valid from so many days before `now` to so many days after."""
    key = key or rsa_key(owner)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com sign")])
    moment = datetime.fromtimestamp(now, UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), serial)
    builder = builder.not_valid_before(moment - timedelta(days=days_before))
    return builder.not_valid_after(moment + timedelta(days=days_after)).sign(key, SHA256())


def certificate_pem(each: x509.Certificate) -> str:
    return each.public_bytes(Encoding.PEM).decode()


def secret(**changes: Any) -> dict[str, Any]:
    """A sound secret of a public-key merchant, with changes; `...` leaves a field out."""
    fields = {
        "mchid": MCHID,
        "merchant_serial_no": MERCHANT_SERIAL,
        "merchant_private_key": private_pem(rsa_key("merchant")),
        "api_v3_key": API_V3_KEY,
        "wechatpay_public_key_id": PUBLIC_KEY_ID,
        "wechatpay_public_key": public_pem(rsa_key("platform")),
        "appid": "wxd678efh567hg6787",
        "service_id": "500001",
    } | changes
    return {name: value for name, value in fields.items() if value is not ...}


def signature(owner: str, message: bytes) -> str:
    return base64.b64encode(rsa_key(owner).sign(message, PKCS1v15(), SHA256())).decode()


def is_signed_by(key: RSAPublicKey, text: str, message: bytes) -> None:
    """Raise unless the text is the key's signature of the message."""
    key.verify(base64.b64decode(text, validate=True), message, PKCS1v15(), SHA256())


def signed_headers(
    body: bytes,
    *,
    owner: str = "platform",
    serial: str = PUBLIC_KEY_ID,
    timestamp: str = str(int(NOW)),
    nonce: str = "d824f2e086d3c1df967785d13fcd22ef",
) -> CaseInsensitiveDict[str]:
    """The headers of a genuine reply."""
    message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
    return CaseInsensitiveDict(
        {
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": serial,
            "Wechatpay-Signature": signature(owner, message),
        }
    )


def sealed(plaintext: bytes, key: str = API_V3_KEY, **changes: Any) -> dict[str, Any]:
    """An `encrypt_certificate` of a reply of GET /v3/certificates."""
    nonce, associated_data = "61f9c719728a", "certificate"
    ciphertext = AESGCM(key.encode()).encrypt(nonce.encode(), plaintext, associated_data.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": nonce,
        "associated_data": associated_data,
        "ciphertext": base64.b64encode(ciphertext).decode(),
    } | changes


def certificates_body(*sealed_parts: Any) -> bytes:
    return json.dumps({"data": [{"encrypt_certificate": part} for part in sealed_parts]}).encode()
