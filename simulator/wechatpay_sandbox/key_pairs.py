"""One pair of keys: a merchant's API certificate, or what WeChat Pay signs with."""

import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

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


def new_private_key() -> RSAPrivateKey:
    """An RSA key of the size WeChat Pay asks for [V: RSA-2048]."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(key: RSAPublicKey) -> str:
    """A public key as PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def load_public(pem: str) -> RSAPublicKey:
    """The RSA key of a PEM. Raises ValueError for anything else."""
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - one error for a file that was changed
    return key


def load_private(pem: str) -> RSAPrivateKey:
    """The RSA key of a PEM without a password. Raises ValueError for anything else."""
    key = load_pem_private_key(pem.encode(), None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - one error for a file that was changed
    return key


@dataclass(frozen=True)
class KeyPair:
    """A private key under its serial; ``certificate`` None: a WeChat Pay public key, its id the serial."""

    serial: str
    private_key: RSAPrivateKey
    certificate: x509.Certificate | None = None

    @classmethod
    def certified(cls, common_name: str) -> Self:
        """A new key with a certificate of its own."""
        key = new_private_key()
        serial = 1 << 158 | secrets.randbits(158)  # 40 hex digits: reads the same with and without padding
        now = datetime.now(UTC).replace(microsecond=0)
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, common_name),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "WeChat Pay simulator"),
                x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            ]
        )
        valid = now - timedelta(days=1), now + timedelta(days=5 * 365)
        builder = x509.CertificateBuilder(name, name, key.public_key(), serial, *valid)
        return cls(f"{serial:040X}", key, builder.sign(key, hashes.SHA256()))

    @classmethod
    def wechatpay_public_key(cls, mchid: str) -> Self:
        """A new WeChat Pay public key of a merchant."""
        digits = "".join(secrets.choice(string.digits) for _ in range(18))
        return cls(f"PUB_KEY_ID_01{mchid:0>10}{digits}", new_private_key())

    @classmethod
    def from_pem(cls, certificate_pem: str, private_pem: str) -> Self:
        """A certificate with its key."""
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        return cls(f"{certificate.serial_number:040X}", load_private(private_pem), certificate)

    @property
    def pem(self) -> str:
        """The public half as WeChat Pay hands it out: a certificate, or a bare public key."""
        if self.certificate is not None:
            return self.certificate.public_bytes(Encoding.PEM).decode()
        return public_pem(self.private_key.public_key())

    @property
    def private_pem(self) -> str:
        """The private key as PKCS#8 without a password."""
        return self.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
