"""Every key of the simulated world, generated afresh for each simulator."""

import functools
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

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

type Mode = Literal["public_key", "certificate", "both"]
MODES: tuple[Mode, ...] = ("public_key", "certificate", "both")


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


def _public_pem(key: RSAPublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _load_public(pem: str) -> RSAPublicKey:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - one error for a file that was changed
    return key


def _load(pem: str) -> RSAPrivateKey:
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
        return _public_pem(self.private_key.public_key())

    def to_json(self) -> dict[str, str]:
        """A platform certificate with its key, to be kept in a file."""
        return {"certificate": self.pem, "key": private_pem(self.private_key)}

    @classmethod
    def from_json(cls, kept: Mapping[str, str]) -> "PlatformKey":
        """A platform certificate kept in a file."""
        certificate = x509.load_pem_x509_certificate(kept["certificate"].encode())
        return cls(f"{certificate.serial_number:040X}", _load(kept["key"]), certificate)


class Keys:
    """The merchant's keys and the platform's, and which of the platform's are live.

    ``mode`` is where the merchant stands in WeChat Pay's migration: ``certificate`` (platform certificates
    only), ``both`` (as the request's ``Wechatpay-Serial`` asks), ``public_key`` (the public key only).
    """

    def __init__(self, mchid: str, mode: Mode) -> None:
        self.mchid = mchid
        self.api_v3_key = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(32))
        self.merchant = MerchantKey.generate(mchid)
        self._accepted: dict[str, RSAPublicKey] = {}
        self._accept_only_current()
        self.set_mode(mode)

    @functools.cached_property
    def public_key(self) -> PlatformKey:
        """The WeChat Pay public key, generated when a mode first needs it."""
        return PlatformKey.generate_public_key(self.mchid)

    @functools.cached_property
    def certificates(self) -> list[PlatformKey]:
        """The platform certificates, oldest first; the first is generated when a mode needs it."""
        return [PlatformKey.generate_certificate()]

    @functools.cached_property
    def foreign(self) -> RSAPrivateKey:
        """A key of another merchant's world: whoever trusts what it signs trusts anybody."""
        return generate_private_key(public_exponent=65537, key_size=2048)

    def set_mode(self, mode: Mode) -> None:
        """Move the merchant to another stage of the migration."""
        if mode not in MODES:
            raise ValueError(f"keys must be one of {', '.join(MODES)}, not {mode!r}")
        self.mode: Mode = mode
        live = self.certificates if mode == "certificate" else [self.public_key]
        if mode == "both":
            live = [*self.certificates, self.public_key]
        self._live = {key.serial.upper(): key for key in live}

    def merchant_key(self, serial: str) -> RSAPublicKey | None:
        """The public half of the merchant's key with this serial, when it is accepted."""
        return self._accepted.get(serial.upper())

    def signing_key(self, wanted_serial: str | None) -> PlatformKey:
        """The key a reply is signed with: the one the request names when it is live, else the mode's own."""
        wanted = self._live.get((wanted_serial or "").upper())
        if wanted is not None:
            return wanted
        return self.public_key if self.mode == "public_key" else self.certificates[-1]

    def rotate_merchant(self, *, keep_old: bool = False) -> None:
        """Give the merchant a new API certificate; the old serial is refused from now on unless kept."""
        self.merchant = MerchantKey.generate(self.mchid)
        if keep_old:
            self._accepted[self.merchant.serial] = self.merchant.private_key.public_key()
        else:
            self._accept_only_current()

    def drop_old_merchant_keys(self) -> None:
        """Refuse every merchant key but the newest from now on."""
        self._accept_only_current()

    def rotate_platform_certificate(self) -> str:
        """Issue a further platform certificate, preferred from now on; returns its serial."""
        self.certificates.append(PlatformKey.generate_certificate())
        self.set_mode(self.mode)
        return self.certificates[-1].serial

    def drop_oldest_platform_certificate(self) -> None:
        """Sign with the oldest platform certificate no more: it has expired."""
        if len(self.certificates) == 1:
            raise ValueError("the last platform certificate cannot be dropped")
        self.certificates.pop(0)
        self.set_mode(self.mode)

    def secret(self, appid: str, service_id: str) -> dict[str, Any]:
        """What the merchant keeps in its secret now."""
        secret: dict[str, Any] = {
            "mchid": self.mchid,
            "merchant_serial_no": self.merchant.serial,
            "merchant_private_key": self.merchant.private_pem,
            "api_v3_key": self.api_v3_key,
            "appid": appid,
            "service_id": service_id,
        }
        if self.mode != "certificate":
            secret["wechatpay_public_key_id"] = self.public_key.serial
            secret["wechatpay_public_key"] = self.public_key.pem
        if self.mode != "public_key":
            secret["wechatpay_certificates"] = [key.pem for key in self.certificates]
        return secret

    def to_json(self) -> dict[str, Any]:
        """What makes merchant and WeChat Pay the same ones after the next start."""
        certificates = self.certificates if "certificates" in self.__dict__ else []
        return {
            "mchid": self.mchid,
            "api_v3_key": self.api_v3_key,
            "merchant_key": self.merchant.private_pem,
            "merchant_certificate": self.merchant.certificate_pem,
            "accepted": {serial: _public_pem(key) for serial, key in self._accepted.items()},
            "platform_certificates": [each.to_json() for each in certificates],
            "public_key_id": self.public_key.serial,
            "public_key": private_pem(self.public_key.private_key),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any], mchid: str, mode: Mode) -> "Keys":
        """The merchant that was kept. ValueError when it is another one than asked for."""
        if kept["mchid"] != mchid:
            raise ValueError(f"the state is of merchant {kept['mchid']}, not {mchid}")
        keys = cls.__new__(cls)
        keys.mchid, keys.api_v3_key = mchid, kept["api_v3_key"]
        certificate = x509.load_pem_x509_certificate(kept["merchant_certificate"].encode())
        serial = f"{certificate.serial_number:040X}"
        keys.merchant = MerchantKey(serial, _load(kept["merchant_key"]), certificate)
        keys.public_key = PlatformKey(kept["public_key_id"], _load(kept["public_key"]), None)
        keys._accepted = {number: _load_public(pem) for number, pem in kept["accepted"].items()}
        if kept["platform_certificates"]:  # else the first is made when a mode needs it
            keys.certificates = [PlatformKey.from_json(each) for each in kept["platform_certificates"]]
        keys.set_mode(mode)
        return keys

    def _accept_only_current(self) -> None:
        self._accepted = {self.merchant.serial: self.merchant.private_key.public_key()}
