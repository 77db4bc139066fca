"""Files that are not what they must be: each is named, with the rule, and nothing is written."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from tests.operations.conftest import Merchant


@pytest.fixture(scope="module")
def another_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def own_key(merchant: Merchant) -> RSAPrivateKey:
    key = load_pem_private_key(merchant.simulator.secret()["merchant_private_key"].encode(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def certificate(
    key: RSAPrivateKey, common_name: str, days: tuple[int, int] = (-1, 100), issuer: str = ""
) -> str:
    """Issue a certificate as WeChat Pay would: for the merchant, or for itself."""
    now = datetime.now(UTC)
    subject, root = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        for name in (common_name, issuer or "Tenpay.com Root CA")
    )
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(root)
        .public_key(key.public_key())
        .serial_number(0x0BCDEF0123456789)
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .sign(key, hashes.SHA256())
    )
    return signed.public_bytes(Encoding.PEM).decode()


def private_pem(key: RSAPrivateKey, password: bytes | None = None) -> str:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def swap_the_two_files(merchant: Merchant, _key: RSAPrivateKey) -> None:
    merchant.put("apiclient_key.pem", merchant.simulator.merchant_certificate())
    merchant.put("apiclient_cert.pem", merchant.simulator.secret()["merchant_private_key"])


def take_the_key_of_another(merchant: Merchant, key: RSAPrivateKey) -> None:
    merchant.put("apiclient_key.pem", private_pem(key))


def let_the_certificate_expire(merchant: Merchant, _key: RSAPrivateKey) -> None:
    merchant.put("apiclient_cert.pem", certificate(own_key(merchant), "1900000001", (-400, -1)))


def take_a_certificate_of_tomorrow(merchant: Merchant, _key: RSAPrivateKey) -> None:
    merchant.put("apiclient_cert.pem", certificate(own_key(merchant), "1900000001", (1, 100)))


def take_the_platforms_certificate(merchant: Merchant, key: RSAPrivateKey) -> None:
    merchant.put("apiclient_cert.pem", certificate(key, "Tenpay.com sign"))


def take_somebodys_certificate(merchant: Merchant, _key: RSAPrivateKey) -> None:
    merchant.put("apiclient_cert.pem", certificate(own_key(merchant), "api.example.com"))


def take_another_merchants_certificate(merchant: Merchant, _key: RSAPrivateKey) -> None:
    merchant.put("apiclient_cert.pem", certificate(own_key(merchant), "1900000002"))


def take_the_p12(merchant: Merchant, _key: RSAPrivateKey) -> None:
    merchant.put("apiclient_cert.pem", b"0\x82\x0a\x9c\x02\x01\x03 not text")


def encrypt_the_key(merchant: Merchant, _key: RSAPrivateKey) -> None:
    merchant.put("apiclient_key.pem", private_pem(own_key(merchant), b"password"))


def shorten_the_key(merchant: Merchant, _key: RSAPrivateKey) -> None:
    short = generate_private_key(public_exponent=65537, key_size=1024)
    merchant.put("apiclient_key.pem", private_pem(short))


def leave_out_the_key(merchant: Merchant, _key: RSAPrivateKey) -> None:
    (merchant.directory / "apiclient_key.pem").unlink()


def take_a_certificate_for_the_public_key(merchant: Merchant, key: RSAPrivateKey) -> None:
    merchant.put("pub_key.pem", certificate(key, "Tenpay.com sign"))


def take_the_own_public_key(merchant: Merchant, _key: RSAPrivateKey) -> None:
    own = own_key(merchant).public_key()
    merchant.put("pub_key.pem", own.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def forget_the_public_keys_id(merchant: Merchant, _key: RSAPrivateKey) -> None:
    merchant.public_key_id = None


def take_a_serial_for_the_public_keys_id(merchant: Merchant, _key: RSAPrivateKey) -> None:
    merchant.public_key_id = "7132D72A03E93CDDF8C03BBD1F37EEDF"


MISTAKES: dict[Callable[[Merchant, RSAPrivateKey], None], list[str]] = {
    swap_the_two_files: [
        "merchant_private_key: apiclient_key.pem holds a certificate, not a private key",
        "merchant_serial_no: apiclient_cert.pem holds a private key, not a certificate",
    ],
    take_the_key_of_another: ["merchant_private_key: is not the key of apiclient_cert.pem"],
    let_the_certificate_expire: ["merchant_serial_no: apiclient_cert.pem expired on "],
    take_a_certificate_of_tomorrow: ["merchant_serial_no: apiclient_cert.pem is not valid before "],
    take_the_platforms_certificate: [
        "merchant_serial_no: apiclient_cert.pem is WeChat Pay's own certificate (Tenpay.com sign: 平台证书)"
    ],
    take_somebodys_certificate: ["its subject's CN is 'api.example.com', and must be the mchid"],
    take_another_merchants_certificate: [
        "mchid: apiclient_cert.pem belongs to merchant 1900000002, not to 1900000001"
    ],
    take_the_p12: ["merchant_serial_no: apiclient_cert.pem holds not PEM (the .p12"],
    encrypt_the_key: ["merchant_private_key: apiclient_key.pem holds an encrypted private key"],
    shorten_the_key: ["merchant_private_key: apiclient_key.pem must be an RSA key of at least 2048 bits"],
    leave_out_the_key: ["merchant_private_key: the key and its certificate come together"],
    take_a_certificate_for_the_public_key: [
        "wechatpay_public_key: pub_key.pem holds a certificate, not a public key; a platform certificate"
    ],
    take_the_own_public_key: ["wechatpay_public_key: pub_key.pem is the merchant's own, not WeChat Pay's"],
    forget_the_public_keys_id: ["wechatpay_public_key_id: the key and its id come together"],
    take_a_serial_for_the_public_keys_id: ["wechatpay_public_key_id: must be text of PUB_KEY_ID_"],
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_a_mistake_is_named_and_nothing_is_written(
    merchant: Merchant, another_key: RSAPrivateKey, mistake: Callable[[Merchant, RSAPrivateKey], None]
) -> None:
    mistake(merchant, another_key)
    before = len(merchant.simulator.requests())
    ran = merchant.store("--mchid", "1900000001")
    assert ran.status == 1
    assert [rule for rule in MISTAKES[mistake] if rule not in ran.text] == [], ran.text
    assert "nothing was written" in ran.text
    assert merchant.stored.describe() is None
    assert len(merchant.simulator.requests()) == before


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_an_api_v3_key_of_another_length_is_refused(merchant: Merchant, length: int) -> None:
    ran = merchant.store(typed="x" * length)
    assert ran.status == 1
    assert ("must be 32 bytes, is " + str(length) if length else "api_v3_key: required") in ran.text
    assert merchant.stored.describe() is None


def test_a_space_typed_with_the_api_v3_key_is_pointed_out(merchant: Merchant) -> None:
    ran = merchant.store(typed=f"{merchant.api_v3_key} \n")
    assert "is 33 (it begins or ends with a space)" in ran.text


def test_every_mistake_is_reported_at_once(merchant: Merchant, another_key: RSAPrivateKey) -> None:
    take_the_key_of_another(merchant, another_key)
    merchant.public_key_id = None
    ran = merchant.store(typed="x" * 31)
    fields = [line.strip().split(":")[0] for line in ran.text.splitlines()[1:]]
    assert fields == ["merchant_private_key", "api_v3_key", "wechatpay_public_key_id"]


def test_the_merchants_own_certificate_is_refused_as_the_platforms(merchant: Merchant) -> None:
    ran = merchant.store("--platform-certificate", str(merchant.directory / "apiclient_cert.pem"))
    assert ran.status == 1
    assert "wechatpay_certificates: apiclient_cert.pem is the merchant's own certificate" in ran.text


def test_a_serial_keeps_its_leading_zero(merchant: Merchant) -> None:
    merchant.put("apiclient_cert.pem", certificate(own_key(merchant), "1900000001"))
    assert "serial 0BCDEF0123456789" in merchant.store().text


def test_without_files_or_merchant_it_asks_which(merchant: Merchant) -> None:
    assert "which merchant?" in merchant.change().text
