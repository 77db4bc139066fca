"""A merchant's files as WeChat Pay hands them out, checked before anything is written.

Every rule is reported at once, by the field of the secret, the file it came from, and what to do. No message
holds a part of a key.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.x509.oid import NameOID
from wechatpay.keyring import BadKey, load_certificate, load_public_key
from wechatpay.secret_rules import load_private_key

from operations.errors import CommandError

# The names under which the merchant platform and WeChat Pay's certificate tool save these files.
KEY_FILE = "apiclient_key.pem"
CERTIFICATE_FILE = "apiclient_cert.pem"
PUBLIC_KEY_FILE = "pub_key.pem"

_PEM_KIND = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
_KINDS = {
    "CERTIFICATE": "a certificate",
    "PUBLIC KEY": "a public key",
    "PRIVATE KEY": "a private key",
    "RSA PRIVATE KEY": "a private key",
    "ENCRYPTED PRIVATE KEY": "an encrypted private key",
}
_LARGEST_BYTES = 1 << 16


@dataclass(frozen=True)
class MerchantCertificate:
    """What the merchant's API certificate (商户API证书) says."""

    mchid: str
    serial_no: str
    expires: datetime


@dataclass
class Checker:
    """Reads files and collects what is wrong with them.

    Args:
        now: the time certificates must be valid at.
    """

    now: datetime
    problems: list[str] = field(default_factory=list)

    def wrong(self, name: str, rule: str) -> None:
        """Note that a field breaks a rule."""
        self.problems.append(f"{name}: {rule}")

    def private_key(self, path: Path) -> tuple[str, RSAPrivateKey | None]:
        """Read the merchant's private key. Returns its text and the key, None when it is unusable."""
        return self._loaded("merchant_private_key", path, "PRIVATE KEY", load_private_key)

    def public_key(self, path: Path) -> tuple[str, RSAPublicKey | None]:
        """Read the WeChat Pay public key (微信支付公钥)."""
        hint = {"CERTIFICATE": "; a platform certificate goes to PLATFORM_CERTIFICATE"}
        return self._loaded("wechatpay_public_key", path, "PUBLIC KEY", load_public_key, hint)

    def platform_certificate(self, path: Path) -> str:
        """Read one of WeChat Pay's platform certificates (平台证书)."""
        name = "wechatpay_certificates"
        text, certificate = self._loaded(name, path, "CERTIFICATE", load_certificate)
        if certificate is not None:
            if common_name(certificate).isdigit():
                self.wrong(
                    name, f"{path.name} is the merchant's own certificate, not WeChat Pay's 应为平台证书"
                )
            self._check_validity(name, path, certificate)
        return text

    def merchant_certificate(
        self, path: Path, key: RSAPrivateKey | None, mchid: str | None
    ) -> MerchantCertificate | None:
        """Read the merchant's certificate: it must be the merchant's, valid, and the pair of its key."""
        name = "merchant_serial_no"
        _, certificate = self._loaded(name, path, "CERTIFICATE", load_certificate)
        if certificate is None:
            return None
        owner = common_name(certificate)
        if not owner.isdigit():
            self.wrong(name, _not_a_merchants(path, owner))
            return None
        if mchid and owner != mchid:
            self.wrong(
                "mchid",
                f"{path.name} belongs to merchant {owner}, not to {mchid}: take the files of one merchant",
            )
        if key is not None and key.public_key() != certificate.public_key():
            self.wrong(
                "merchant_private_key",
                f"is not the key of {path.name}: the two must come from one download 私钥与证书不匹配",
            )
        self._check_validity(name, path, certificate)
        return MerchantCertificate(owner, serial_of(certificate), certificate.not_valid_after_utc)

    def _check_validity(self, name: str, path: Path, certificate: x509.Certificate) -> None:
        if self.now > certificate.not_valid_after_utc:
            self.wrong(
                name,
                f"{path.name} expired on {certificate.not_valid_after_utc:%Y-%m-%d}: apply for a new one at "
                "商户平台 → 账户中心 → API安全 证书已过期",
            )
        if self.now < certificate.not_valid_before_utc:
            self.wrong(
                name,
                f"{path.name} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC: "
                "check this machine's clock 证书尚未生效",
            )

    def _loaded[T](
        self, name: str, path: Path, kind: str, load: Callable[[str], T], hints: dict[str, str] | None = None
    ) -> tuple[str, T | None]:
        text = self._text(name, path)
        if text is None:
            return "", None
        kind_line = _PEM_KIND.search(text)
        actual = kind_line[1] if kind_line else ""
        if actual != kind and actual.removeprefix("RSA ") != kind:
            what = _KINDS.get(actual, "not PEM (the .p12 holds the same things, take the .pem)")
            self.wrong(name, f"{path.name} holds {what}, not {_KINDS[kind]}{(hints or {}).get(actual, '')}")
            return "", None
        try:
            return text, load(text)
        except BadKey as exc:
            self.wrong(name, f"{path.name} is {exc}" if str(exc).startswith("not") else f"{path.name} {exc}")
            return "", None

    def _text(self, name: str, path: Path) -> str | None:
        try:
            with path.open("rb") as file:
                return (
                    file.read(_LARGEST_BYTES).decode("ascii", "replace").replace("\r\n", "\n").strip() + "\n"
                )
        except OSError as exc:
            self.wrong(name, f"{path} cannot be read: {exc.strerror}")
            return None

    def raise_if_wrong(self) -> None:
        """Raise `CommandError` with every problem found."""
        if self.problems:
            raise CommandError(
                "nothing was written 未写入任何内容\n" + "\n".join(f"  {each}" for each in self.problems)
            )


def common_name(certificate: x509.Certificate) -> str:
    """Return the subject's common name: the mchid on a merchant's certificate."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def serial_of(certificate: x509.Certificate) -> str:
    """Return the serial as openssl and the merchant platform show it: whole bytes in upper-case hex."""
    number = certificate.serial_number
    return number.to_bytes((number.bit_length() + 7) // 8).hex().upper()


def _not_a_merchants(path: Path, owner: str) -> str:
    if "tenpay" in owner.lower():
        return (
            f"{path.name} is WeChat Pay's own certificate ({owner}: 平台证书), not the merchant's: "
            f"the merchant's is {CERTIFICATE_FILE}, and its subject's CN is the mchid 应为商户API证书"
        )
    return (
        f"{path.name} is not a merchant's certificate: its subject's CN is {owner[:64]!r}, "
        "and must be the mchid"
    )


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)
