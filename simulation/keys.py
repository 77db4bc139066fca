"""Keys of one process: made once, since RSA keys take long to make, and never in a trace."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from wechatpay_sandbox import MCHID, Mode
from wechatpay_sandbox.key_pairs import KeyPair
from wechatpay_sandbox.keys import Keys

_VALID = datetime(2020, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC)  # whenever virtual time is


@dataclass(frozen=True)
class Material:
    """All the keys there are."""

    api_v3_key: str
    merchants: tuple[KeyPair, ...]
    public_key: KeyPair
    certificate: KeyPair
    foreign: RSAPrivateKey


@cache
def material() -> Material:
    """Return the keys of this process."""
    return Material(
        secrets.token_hex(16),
        tuple(KeyPair(*_certified()) for _ in range(2)),
        KeyPair(f"PUB_KEY_ID_01{MCHID}{secrets.randbelow(10**18):018}", _key()),
        KeyPair(*_certified()),
        _key(),
    )


class ShopKeys(Keys):
    """The keys of one shop: all of the same material."""

    def __init__(self, mode: Mode) -> None:  # the base makes new ones
        made = material()
        self.mchid, self.api_v3_key, self.merchant = MCHID, made.api_v3_key, made.merchants[0]
        self.public_key, self.certificates, self.foreign = made.public_key, [made.certificate], made.foreign
        self.drop_old_merchant_keys()
        self.set_mode(mode)

    def _next_merchant_key(self) -> KeyPair:
        """The other of the two keys."""
        return next(key for key in material().merchants if key is not self.merchant)


def _key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def _certified() -> tuple[str, RSAPrivateKey, x509.Certificate]:
    key, serial = _key(), 1 << 158 | secrets.randbits(158)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulation")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), serial, *_VALID)
    return f"{serial:040X}", key, builder.sign(key, SHA256())
