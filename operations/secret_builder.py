"""A merchant's whole secret, composed from what the engineer gave and what the present secret holds."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from wechatpay.credentials import parse
from wechatpay.errors import MerchantMisconfigured
from wechatpay.secret_rules import API_V3_KEY_BYTES

from operations import merchant_files
from operations.errors import CommandError
from operations.merchant_files import Checker, MerchantCertificate

_FIELDS = (
    *("mchid", "merchant_serial_no", "merchant_private_key", "api_v3_key", "appid", "service_id"),
    *("wechatpay_public_key_id", "wechatpay_public_key", "wechatpay_certificates"),
    *("merchant_certificate_expires", "order_api", "unmanned_retail"),
)


@dataclass(frozen=True)
class SecretInput:
    """What the engineer gave; for None, a secret that exists keeps what it holds.

    Attributes:
        platform_certificates: replace those in the secret.
        drop_platform_certificates: take those in the secret out: the migration to the public key is over.
    """

    mchid: str | None = None
    key: Path | None = None
    certificate: Path | None = None
    public_key: Path | None = None
    public_key_id: str | None = None
    platform_certificates: Sequence[Path] = ()
    drop_platform_certificates: bool = False
    appid: str | None = None
    service_id: str | None = None
    order_api: str | None = None


def mchid_of(given: SecretInput) -> str | None:
    """Return the merchant meant: MCHID, else the certificate's subject; None when that is no merchant's."""
    if given.mchid is not None:
        return given.mchid
    if given.certificate is None:
        raise CommandError(
            "which merchant? FILES=directory with its apiclient_cert.pem, or MCHID=... 请指定商户"
        )
    certificate = Checker(merchant_files.now()).merchant_certificate(given.certificate, None, None)
    return certificate.mchid if certificate else None


def compose(
    given: SecretInput, api_v3_key: bytes, present: dict[str, Any] | None
) -> tuple[dict[str, Any], MerchantCertificate | None]:
    """Check everything given and return the whole secret, with what the certificate says if there is one.

    Args:
        api_v3_key: as typed or read; empty keeps the present one.
        present: the fields of the secret as it is; None when there is none.

    Raises:
        CommandError: names every field that is wrong and the rule. Nothing was written.
    """
    value: dict[str, Any] = {name: field for name, field in (present or {}).items() if name in _FIELDS}
    checker = Checker(merchant_files.now())
    own_key, certificate = _pair(given, value, checker)
    _api_v3_key(api_v3_key, value, checker)
    _public_key(given, value, checker, own_key)
    if given.platform_certificates:
        value["wechatpay_certificates"] = [
            checker.platform_certificate(p) for p in given.platform_certificates
        ]
    elif given.drop_platform_certificates:
        value.pop("wechatpay_certificates", None)
    value |= {name: text for name in ("appid", "service_id", "order_api") if (text := getattr(given, name))}
    checker.raise_if_wrong()
    try:
        parse(json.dumps(value), str(value["mchid"]))
    except MerchantMisconfigured as exc:
        raise CommandError(f"nothing was written 未写入任何内容\n  {exc}") from exc
    return value, certificate


def _pair(
    given: SecretInput, value: dict[str, Any], checker: Checker
) -> tuple[RSAPrivateKey | None, MerchantCertificate | None]:
    name = "merchant_private_key"
    if (given.key is None) != (given.certificate is None):
        checker.wrong(name, "the key and its certificate come together: give both or neither")
    if given.key is None or given.certificate is None:
        if not value:
            checker.wrong(name, "required: FILES=directory with apiclient_key.pem and apiclient_cert.pem")
        return None, None
    text, key = checker.private_key(given.key)
    certificate = checker.merchant_certificate(given.certificate, key, given.mchid)
    if certificate is not None:
        value |= {
            "mchid": certificate.mchid,
            "merchant_serial_no": certificate.serial_no,
            "merchant_certificate_expires": f"{certificate.expires:%Y-%m-%d}",
        }
    value[name] = text
    return key, certificate


def _api_v3_key(given: bytes, value: dict[str, Any], checker: Checker) -> None:
    if not given:
        if "api_v3_key" not in value:
            checker.wrong(
                "api_v3_key", "required: type it when asked, or redirect standard input from a file"
            )
        return
    if len(given) != API_V3_KEY_BYTES:
        spaces = " (it begins or ends with a space)" if given != given.strip() else ""
        rule = (
            f"must be {API_V3_KEY_BYTES} bytes, is {len(given)}{spaces} APIv3密钥须为{API_V3_KEY_BYTES}字节"
        )
        checker.wrong("api_v3_key", rule)
    value["api_v3_key"] = given.decode("utf-8", "replace")


def _public_key(
    given: SecretInput, value: dict[str, Any], checker: Checker, own: RSAPrivateKey | None
) -> None:
    name, key_id = "wechatpay_public_key", given.public_key_id
    if given.public_key is None:
        if key_id is not None:
            checker.wrong(name, "the key and its id come together: give the key's file, pub_key.pem, too")
        return
    text, key = checker.public_key(given.public_key)
    if text and text == value.get(name):
        key_id = key_id or value.get(f"{name}_id")  # the same key again, as it lies beside a new certificate
    if key_id is None:
        rule = "the key and its id come together: give PUBLIC_KEY_ID=PUB_KEY_ID_... too 公钥与公钥ID须成对"
        checker.wrong(f"{name}_id", rule)
    if key is not None and own is not None and key == own.public_key():
        rule = f"{given.public_key.name} is the merchant's own, not WeChat Pay's 应为微信支付公钥"
        checker.wrong(name, rule)
    value |= {name: text, f"{name}_id": key_id}
