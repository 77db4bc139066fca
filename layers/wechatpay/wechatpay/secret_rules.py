"""The fields of a merchant's secret as data, each rule with its source: section 5 of the contract."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from .fields import Entries, FieldRule
from .forms import ORDER_API, BrokenRule, Matching, kind
from .keyring import BadKey, load_certificate, load_public_key

API_V3_KEY_BYTES = 32
HELP = "or let `make secret` write it"
_MINIMUM_BITS = 2048


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


class _Loaded[T](NamedTuple):
    """A key or certificate in PEM."""

    load: Callable[[str], T]

    def read(self, value: Any) -> T:
        """Return the key or certificate."""
        if not isinstance(value, str):
            raise BrokenRule(f"must be text, is {kind(value)}")
        try:
            return self.load(value)
        except BadKey as bad:
            hint = ""
            if "\\n" in value:
                hint = f"; it has the two characters \\n where line breaks belong: escape them once, {HELP}"
            # `from None`: what could not be parsed may be a private key.
            raise BrokenRule(f"{bad}{hint}") from None


class _Key:
    """The APIv3 key: text of 32 bytes."""

    def read(self, value: Any) -> bytes:
        """Return its bytes."""
        if not isinstance(value, str):
            raise BrokenRule(f"must be text, is {kind(value)}")
        key = value.encode("utf-8", "replace")
        if len(key) != API_V3_KEY_BYTES:
            raise BrokenRule(f"must be {API_V3_KEY_BYTES} bytes, is {len(key)}")
        return key


class _Day:
    """A date."""

    def read(self, value: Any) -> date:
        """Return the date."""
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            raise BrokenRule("must be a date, yyyy-MM-dd") from None


class _Switch:
    """True or false, as text too: the console's form of keys and values writes nothing but text."""

    def read(self, value: Any) -> bool:
        """Return it."""
        if isinstance(value, bool):
            return value
        if value not in ("true", "false"):
            raise BrokenRule("must be true or false")
        return bool(value == "true")


_IDENTIFIER = Matching(r"[0-9A-Za-z_-]{1,32}", "1-32 letters, digits, _ or -")
SECRET = (
    FieldRule("mchid", Matching(r"[0-9]{1,32}", "digits"), "V: 商户号, digits", required=True),
    FieldRule(
        "merchant_serial_no",
        Matching(r"[0-9A-Fa-f]{8,64}", "8-64 hexadecimal digits"),
        "V: 商户API证书序列号, hexadecimal",
        required=True,
    ),
    FieldRule("merchant_private_key", _Loaded(load_private_key), "V: apiclient_key.pem", required=True),
    FieldRule("api_v3_key", _Key(), "V: 32 bytes", required=True),
    FieldRule(
        "wechatpay_public_key_id",
        Matching(r"PUB_KEY_ID_[0-9A-Za-z_]{1,64}", "PUB_KEY_ID_ and letters, digits or _"),
        "V: 微信支付公钥ID, PUB_KEY_ID_...",
    ),
    FieldRule("wechatpay_public_key", _Loaded(load_public_key), "V: pub_key.pem"),
    FieldRule("wechatpay_certificates", Entries(_Loaded(load_certificate)), "V: 微信支付平台证书"),
    FieldRule("appid", _IDENTIFIER, "V: at most 32 characters"),
    FieldRule("service_id", _IDENTIFIER, "V: at most 32 characters"),
    FieldRule("order_api", ORDER_API, "D: the default of orders that name none"),
    FieldRule(
        "unmanned_retail", _Switch(), "D: whether serviceorder takes its fees as those of unmanned retail"
    ),
    FieldRule("merchant_certificate_expires", _Day(), "D: watched by an alarm"),
)
