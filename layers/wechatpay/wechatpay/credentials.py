"""A merchant's secret: read from its JSON, checked field by field, and never printed.

Format: section 5 of the contract; how to store one is in docs/reference.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .errors import MerchantMisconfigured
from .fields import Fields
from .secret_rules import HELP, SECRET
from .signature import Signer

if TYPE_CHECKING:
    from cryptography import x509


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
        order_api: the API of orders that name none; None when the secret does not say.
        unmanned_retail: whether serviceorder gets fees by the rules of unmanned retail.
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


_PUBLIC_KEY = ("wechatpay_public_key_id", "wechatpay_public_key")


def parse(secret: str, mchid: str) -> Credentials:
    """Read the secret of one merchant. What is optional and null or blank counts as absent.

    Args:
        secret: the secret's string: JSON.
        mchid: the merchant it must belong to.

    Raises:
        MerchantMisconfigured: names every field that is wrong and how, never a value.
    """
    fields = Fields(_object(secret, mchid), blanks_are_absent=True)
    values = fields.read(SECRET)
    if values.get("mchid", mchid) != mchid:
        fields.wrong("mchid", "belongs to another merchant")
    missing = [name for name in _PUBLIC_KEY if name not in values and not fields.broken(name)]
    if len(missing) == 1:
        fields.wrong(missing[0], "required: a public key and its id come together")
    if fields.problems:
        raise MerchantMisconfigured(f"secret of merchant {mchid}: {'; '.join(fields.problems)}")
    return Credentials(
        signer=Signer(mchid, values["merchant_serial_no"].upper(), values["merchant_private_key"]),
        api_v3_key=values["api_v3_key"],
        public_key_id=values.get("wechatpay_public_key_id"),
        public_key=values.get("wechatpay_public_key"),
        certificates=tuple(values.get("wechatpay_certificates", ())),
        appid=values.get("appid"),
        service_id=values.get("service_id"),
        certificate_expires=values.get("merchant_certificate_expires"),
        order_api=values.get("order_api"),
        unmanned_retail=values.get("unmanned_retail", True),
    )


def _object(secret: str, mchid: str) -> Mapping[str, Any]:
    """Return the JSON object of a secret; what is no JSON is named by its place and never quoted."""
    try:
        document = json.loads(secret)
    except json.JSONDecodeError as exc:
        place = f"line {exc.lineno} column {exc.colno}"
        if exc.msg.startswith("Invalid control character"):
            why = f"a line break inside a text; in JSON each line break of a PEM is written \\n, {HELP}"
        else:
            why = f"check the quotes and commas there, {HELP}"
        # `from None`: the error holds the whole text.
        raise MerchantMisconfigured(f"secret of merchant {mchid}: not JSON at {place}: {why}") from None
    except (ValueError, RecursionError):
        raise MerchantMisconfigured(f"secret of merchant {mchid}: JSON beyond reason") from None
    if not isinstance(document, dict):
        raise MerchantMisconfigured(f"secret of merchant {mchid}: must be a JSON object")
    return document
