"""One pair of keys each: a merchant's API certificate, and what WeChat Pay signs with."""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509.oid import NameOID


def _new_serial() -> int:
    """A serial of exactly 40 hex digits, so that it reads the same with and without padding."""
    return (1 << 158) | secrets.randbits(158)


def _certificate(key: RSAPrivateKey, common_name: str, serial: int) -> x509.Certificate:
    now = datetime.now(UTC).replace(microsecond=0)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "WeChat Pay simulator"),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
        ]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=5 * 365))
        .sign(key, hashes.SHA256())
    )


def private_pem(key: RSAPrivateKey) -> str:
    """A private key as PKCS#8 without a password."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: RSAPublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def load_public(pem: str) -> RSAPublicKey:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - one error for a file that was changed
    return key


def load_private(pem: str) -> RSAPrivateKey:
    key = load_pem_private_key(pem.encode(), None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - one error for a file that was changed
    return key


@dataclass(frozen=True)
class MerchantKey:
    """The merchant's API certificate and its private key."""

    serial: str
    private_key: RSAPrivateKey
    certificate: x509.Certificate

    @classmethod
    def generate(cls, mchid: str) -> "MerchantKey":
        key = generate_private_key(public_exponent=65537, key_size=2048)
        serial = _new_serial()
        return cls(f"{serial:040X}", key, _certificate(key, mchid, serial))

    @property
    def private_pem(self) -> str:
        return private_pem(self.private_key)

    @property
    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()


@dataclass(frozen=True)
class PlatformKey:
    """A key WeChat Pay signs replies with: a platform certificate's, or the WeChat Pay public key's."""

    serial: str
    private_key: RSAPrivateKey
    certificate: x509.Certificate | None

    @classmethod
    def generate_certificate(cls) -> "PlatformKey":
        key = generate_private_key(public_exponent=65537, key_size=2048)
        serial = _new_serial()
        return cls(f"{serial:040X}", key, _certificate(key, "Tenpay.com sign", serial))

    @classmethod
    def generate_public_key(cls, mchid: str) -> "PlatformKey":
        key = generate_private_key(public_exponent=65537, key_size=2048)
        digits = "".join(secrets.choice(string.digits) for _ in range(18))
        return cls(f"PUB_KEY_ID_01{mchid:0>10}{digits}", key, None)

    @property
    def pem(self) -> str:
        """The public half as WeChat Pay hands it out."""
        if self.certificate is not None:
            return self.certificate.public_bytes(Encoding.PEM).decode()
        return public_pem(self.private_key.public_key())

    def to_json(self) -> dict[str, str]:
        """A platform certificate with its key, to be kept in a file."""
        return {"certificate": self.pem, "key": private_pem(self.private_key)}

    @classmethod
    def from_json(cls, kept: Mapping[str, str]) -> "PlatformKey":
        """A platform certificate kept in a file."""
        certificate = x509.load_pem_x509_certificate(kept["certificate"].encode())
        return cls(f"{certificate.serial_number:040X}", load_private(kept["key"]), certificate)
