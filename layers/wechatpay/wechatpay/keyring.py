"""The keys WeChat Pay signs with, by serial: its public keys and platform certificates side by side.

While a merchant migrates from certificates to the WeChat Pay public key both are live for days, so a reply
is checked with the key it names, never with "the" key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

if TYPE_CHECKING:  # only merchants of platform certificates need X.509: the others start without it
    from cryptography import x509

PUBLIC_KEY_ID_PREFIX = "PUB_KEY_ID_"
_MINIMUM_BITS = 2048


class BadKey(ValueError):
    """Text that is not a usable key or certificate. The message says how, never its content."""


def normalised(serial: str) -> str:
    """Return a serial as compared: hex in upper case without leading zeros, public key ids as they are."""
    return serial if serial.startswith(PUBLIC_KEY_ID_PREFIX) else serial.upper().lstrip("0")


def load_public_key(pem: str) -> RSAPublicKey:
    """Load a WeChat Pay public key (`pub_key.pem`).

    Raises:
        BadKey: not a PEM public key, not RSA, or shorter than 2048 bits.
    """
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise BadKey("not a public key in PEM (-----BEGIN PUBLIC KEY-----)") from exc
    return _usable(key)


def load_certificate(pem: str) -> x509.Certificate:
    """Load a platform certificate.

    Raises:
        BadKey: not a PEM certificate, or its key is not RSA of at least 2048 bits.
    """
    from cryptography import x509

    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        _usable(certificate.public_key())
    except BadKey:
        raise
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as exc:
        raise BadKey("not a certificate in PEM (-----BEGIN CERTIFICATE-----)") from exc
    return certificate


def _usable(key: object) -> RSAPublicKey:
    if not isinstance(key, RSAPublicKey) or key.key_size < _MINIMUM_BITS:
        raise BadKey(f"must be an RSA key of at least {_MINIMUM_BITS} bits")
    return key


@dataclass(frozen=True)
class Keyring:
    """Serial -> key, and which serial to ask WeChat Pay to sign with.

    Attributes:
        keys: keys by normalised serial.
        preferred: value for the `Wechatpay-Serial` request header; None while there is no key.
    """

    keys: dict[str, RSAPublicKey] = field(default_factory=dict, repr=False)
    preferred: str | None = None

    def get(self, serial: str) -> RSAPublicKey | None:
        """Return the key a reply names, or None when it is not known here."""
        return self.keys.get(normalised(serial))

    def with_public_key(self, key_id: str, key: RSAPublicKey) -> Keyring:
        """Return a keyring that knows this public key too, and prefers it: certificates are being retired."""
        return Keyring(self.keys | {normalised(key_id): key}, key_id)

    def with_certificates(self, certificates: Iterable[x509.Certificate], now: float) -> Keyring:
        """Return a keyring that knows these certificates too, leaving out those not valid at `now`.

        The one valid longest becomes the preferred serial unless a public key already is.
        """
        moment = datetime.fromtimestamp(now, UTC)
        valid = [c for c in certificates if c.not_valid_before_utc <= moment <= c.not_valid_after_utc]
        valid.sort(key=lambda c: c.not_valid_after_utc)
        keys = {normalised(f"{c.serial_number:X}"): _usable(c.public_key()) for c in valid}
        newest = f"{valid[-1].serial_number:X}" if valid else None
        keeps_public_key = self.preferred is not None and self.preferred.startswith(PUBLIC_KEY_ID_PREFIX)
        return Keyring(self.keys | keys, self.preferred if keeps_public_key else newest or self.preferred)
