"""A merchant's secret: read from its JSON, checked field by field, and never printed.

Format: section 5 of the contract; how to store one is in the README.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from .errors import MerchantMisconfigured
from .keyring import BadKey, load_certificate, load_public_key
from .signature import Signer

if TYPE_CHECKING:
    from cryptography import x509

API_V3_KEY_BYTES = 32
_MINIMUM_BITS = 2048
_KEY_ID_RULE = "must start with PUB_KEY_ID_ and hold only letters, digits and _"


@dataclass(frozen=True)
class Credentials:
    """One version of a merchant's secret: key and serial always come from the same one.

    Attributes:
        signer: signs as this merchant.
        api_v3_key: decrypts downloaded platform certificates; 32 bytes.
        public_key_id: id of the WeChat Pay public key, None for a merchant of platform certificates.
        public_key: that key.
        certificates: platform certificates kept in the secret.
        appid, service_id: defaults for orders that name none.
        certificate_expires: last day of the merchant's own certificate, None when the secret does not say.
    """

    signer: Signer
    api_v3_key: bytes = field(repr=False)
    public_key_id: str | None = None
    public_key: RSAPublicKey | None = field(default=None, repr=False)
    certificates: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    appid: str | None = None
    service_id: str | None = None
    certificate_expires: date | None = None
    order_api: str | None = None
    unmanned_retail: bool = True

    def __repr__(self) -> str:
        return f"Credentials(mchid={self.signer.mchid!r}, ***)"


def parse(secret: str, mchid: str) -> Credentials:
    """Read the secret of one merchant.

    Args:
        secret: the secret's string: JSON.
        mchid: the merchant it must belong to.

    Raises:
        MerchantMisconfigured: names every field that is wrong and how, never a value.
    """
    try:
        found = json.loads(secret)
    except (ValueError, RecursionError):
        # `from None`: a JSON error quotes the text it stumbled over.
        raise MerchantMisconfigured(f"secret of merchant {mchid}: not JSON") from None
    if not isinstance(found, dict):
        raise MerchantMisconfigured(f"secret of merchant {mchid}: must be a JSON object")
    form = _Form(found)
    if form.text("mchid", r"[0-9]{1,32}", "must be digits") not in (mchid, ""):
        form.wrong("mchid", "belongs to another merchant")
    serial_no = form.text("merchant_serial_no", r"[0-9A-Fa-f]{8,64}", "must be hexadecimal")
    private_key = form.loaded("merchant_private_key", load_private_key)
    api_v3_key = form.text("api_v3_key", r"(?s).*", "").encode("utf-8", "replace")
    if api_v3_key and len(api_v3_key) != API_V3_KEY_BYTES:
        form.wrong("api_v3_key", f"must be {API_V3_KEY_BYTES} bytes, is {len(api_v3_key)}")
    key_id = public_key = None
    if "wechatpay_public_key" in found or "wechatpay_public_key_id" in found:
        key_id = form.text("wechatpay_public_key_id", r"PUB_KEY_ID_[0-9A-Za-z_]{1,64}", _KEY_ID_RULE)
        public_key = form.loaded("wechatpay_public_key", load_public_key)
    certificates = form.each_loaded("wechatpay_certificates", load_certificate)
    names = {
        name: form.text(name, r"[0-9A-Za-z_-]{1,32}", "must be 1-32 letters, digits, _ or -")
        for name in ("appid", "service_id")
        if name in found
    }
    expires = form.day("merchant_certificate_expires")
    if form.problems or private_key is None:
        raise MerchantMisconfigured(f"secret of merchant {mchid}: {'; '.join(form.problems)}")
    return Credentials(
        signer=Signer(mchid, serial_no.upper(), private_key),
        api_v3_key=api_v3_key,
        public_key_id=key_id,
        public_key=public_key,
        certificates=certificates,
        certificate_expires=expires,
        appid=names.get("appid"),
        service_id=names.get("service_id"),
    )


def load_private_key(pem: str) -> RSAPrivateKey:
    """Load a merchant's private key (`apiclient_key.pem`).

    Raises:
        BadKey: not an unencrypted PEM private key, not RSA, shorter than 2048 bits, or not one that signs.
    """
    try:
        # OpenSSL's own check proves p and q prime at every cold start; `_signs` is 40 times cheaper.
        key = load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # `from None`: what could not be parsed is a private key.
        raise BadKey("not an unencrypted private key in PEM (-----BEGIN PRIVATE KEY-----)") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _MINIMUM_BITS:
        raise BadKey(f"must be an RSA key of at least {_MINIMUM_BITS} bits")
    if not _signs(key):
        raise BadKey("its parts do not belong together: it makes no valid signature")
    return key


def _signs(key: RSAPrivateKey) -> bool:
    try:
        made = key.sign(b"pairwise consistency", PKCS1v15(), SHA256())
        key.public_key().verify(made, b"pairwise consistency", PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


class _Form:
    """Takes fields out of a secret and collects what is wrong, so that one look tells everything."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self._found = found
        self.problems: list[str] = []

    def wrong(self, name: str, rule: str) -> None:
        self.problems.append(f"{name}: {rule}")

    def text(self, name: str, pattern: str, rule: str) -> str:
        value = self._found.get(name)
        if not isinstance(value, str) or not value:
            self.wrong(name, "required, text" if name not in self._found else "must be non-empty text")
            return ""
        if not re.fullmatch(pattern, value):
            self.wrong(name, rule)
        return value

    def day(self, name: str) -> date | None:
        if name not in self._found:
            return None
        try:
            return date.fromisoformat(str(self._found[name]))
        except ValueError:
            self.wrong(name, "must be a date, yyyy-MM-dd")
            return None

    def loaded[T](self, name: str, load: Callable[[str], T]) -> T | None:
        text = self.text(name, r"(?s).*", "")
        return self._load(name, text, load) if text else None

    def each_loaded[T](self, name: str, load: Callable[[str], T]) -> tuple[T, ...]:
        values = self._found.get(name, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            self.wrong(name, "must be a list of certificates in PEM")
            return ()
        loaded = [self._load(f"{name}[{index}]", value, load) for index, value in enumerate(values)]
        return tuple(each for each in loaded if each is not None)

    def _load[T](self, name: str, text: str, load: Callable[[str], T]) -> T | None:
        try:
            return load(text)
        except BadKey as exc:
            self.wrong(name, str(exc))
            return None
