"""Every key of the simulated world, generated afresh for each simulator unless they were kept."""

import functools
import secrets
import string
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from wechatpay_sandbox import MODES, Mode
from wechatpay_sandbox.key_pairs import KeyPair, load_private, load_public, new_private_key, public_pem


class Keys:
    """The merchant's keys and the platform's, and which of the platform's are live.

    ``mode`` is where the merchant stands in WeChat Pay's migration: ``certificate`` (platform certificates
    only), ``both`` (as the request's ``Wechatpay-Serial`` asks), ``public_key`` (the public key only).
    """

    def __init__(self, mchid: str, mode: Mode) -> None:
        self.mchid = mchid
        self.api_v3_key = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(32))
        self.merchant = self._next_merchant_key()
        self._accepted: dict[str, RSAPublicKey] = {}
        self.drop_old_merchant_keys()
        self.set_mode(mode)

    @functools.cached_property
    def public_key(self) -> KeyPair:
        """The WeChat Pay public key, generated when a mode first needs it."""
        return KeyPair.wechatpay_public_key(self.mchid)

    @functools.cached_property
    def certificates(self) -> list[KeyPair]:
        """The platform certificates, oldest first; the first is generated when a mode needs it."""
        return [_new_platform_certificate()]

    @functools.cached_property
    def foreign(self) -> RSAPrivateKey:
        """A key of another merchant's world: whoever trusts what it signs trusts anybody."""
        return new_private_key()

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

    def signing_key(self, wanted_serial: str | None) -> KeyPair:
        """The key a reply is signed with: the one the request names when it is live, else the mode's own."""
        wanted = self._live.get((wanted_serial or "").upper())
        if wanted is not None:
            return wanted
        return self.public_key if self.mode == "public_key" else self.certificates[-1]

    def rotate_merchant(self, *, keep_old: bool = False) -> None:
        """Give the merchant a new API certificate; the old serial is refused from now on unless kept."""
        self.merchant = self._next_merchant_key()
        self._accepted[self.merchant.serial] = self.merchant.private_key.public_key()
        if not keep_old:
            self.drop_old_merchant_keys()

    def drop_old_merchant_keys(self) -> None:
        """Refuse every merchant key but the newest from now on."""
        self._accepted = {self.merchant.serial: self.merchant.private_key.public_key()}

    def rotate_platform_certificate(self) -> None:
        """Issue a further platform certificate, preferred from now on."""
        self.certificates.append(_new_platform_certificate())
        self.set_mode(self.mode)

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
            "mode": self.mode,
            "api_v3_key": self.api_v3_key,
            "merchant_key": self.merchant.private_pem,
            "merchant_certificate": self.merchant.pem,
            "accepted": {serial: public_pem(key) for serial, key in self._accepted.items()},
            "platform_certificates": [
                {"certificate": each.pem, "key": each.private_pem} for each in certificates
            ],
            "public_key_id": self.public_key.serial,
            "public_key": self.public_key.private_pem,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], mchid: str | None, mode: Mode | None) -> "Keys":
        """The merchant that was kept, at ``mode`` or where it was. ValueError when it is not ``mchid``."""
        if mchid not in (None, document["mchid"]):
            raise ValueError(f"the state is of merchant {document['mchid']}, not {mchid}")
        keys = cls.__new__(cls)
        keys.mchid, keys.api_v3_key = document["mchid"], document["api_v3_key"]
        keys.merchant = KeyPair.from_pem(document["merchant_certificate"], document["merchant_key"])
        keys.public_key = KeyPair(document["public_key_id"], load_private(document["public_key"]))
        keys._accepted = {number: load_public(pem) for number, pem in document["accepted"].items()}
        if document["platform_certificates"]:  # else the first is made when a mode needs it
            keys.certificates = [
                KeyPair.from_pem(each["certificate"], each["key"])
                for each in document["platform_certificates"]
            ]
        keys.set_mode(mode or document["mode"])
        return keys

    def _next_merchant_key(self) -> KeyPair:
        return KeyPair.certified(self.mchid)


def _new_platform_certificate() -> KeyPair:
    return KeyPair.certified("Tenpay.com sign")
