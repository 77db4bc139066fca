import base64
from dataclasses import FrozenInstanceError

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from wechatpay.keyring import BadKey, Keyring, load_certificate, load_public_key, normalised

from tests.unit.wechatpay.material import (
    NOW,
    PUBLIC_KEY_ID,
    certificate,
    certificate_pem,
    private_pem,
    public_pem,
    rsa_key,
)

SERIAL = 0x5157F09EFDC096DE15EBE81A47057A7232F1B8E1
DAY = 86400


def numbers(key: rsa.RSAPublicKey | None) -> rsa.RSAPublicNumbers | None:
    return None if key is None else key.public_numbers()


def belongs(keyring: Keyring, serial: str, owner: str) -> bool:
    return numbers(keyring.get(serial)) == rsa_key(owner).public_key().public_numbers()


def test_both_kinds_of_keys_are_live_at_once() -> None:
    keyring = Keyring().with_certificates([certificate("certified", SERIAL)], NOW)
    keyring = keyring.with_public_key(PUBLIC_KEY_ID, rsa_key("platform").public_key())
    assert belongs(keyring, PUBLIC_KEY_ID, "platform")
    assert belongs(keyring, f"{SERIAL:X}", "certified")
    assert len(keyring.keys) == 2


def test_several_certificates_are_live_at_once() -> None:
    keyring = Keyring().with_certificates([certificate("certified", SERIAL), certificate("other", 0xB2)], NOW)
    assert belongs(keyring, f"{SERIAL:x}", "certified")
    assert belongs(keyring, "B2", "other")


def test_an_empty_keyring_knows_and_prefers_nothing() -> None:
    assert Keyring().get(PUBLIC_KEY_ID) is None
    assert Keyring().get("") is None
    assert Keyring().preferred is None


def test_a_serial_is_hex_in_any_case_with_or_without_leading_zeros() -> None:
    keyring = Keyring().with_certificates([certificate("certified", 0x0ABCDEF0)], NOW)
    for serial in ("ABCDEF0", "abcdef0", "0ABCDEF0", "000abCDef0"):
        assert belongs(keyring, serial, "certified"), serial
    for serial in ("ABCDEF", "ABCDEF00", "xABCDEF0", " ABCDEF0", ""):
        assert keyring.get(serial) is None, serial


def test_a_serial_is_compared_in_the_upper_case_of_the_request_header() -> None:
    assert normalised("00abCDef0") == "ABCDEF0"


def test_a_keyring_is_never_changed_only_replaced() -> None:
    keyring = Keyring()
    with pytest.raises(FrozenInstanceError):
        keyring.preferred = PUBLIC_KEY_ID  # type: ignore[misc]


def test_a_public_key_id_is_compared_as_it_is() -> None:
    assert normalised("PUB_KEY_ID_0a") == "PUB_KEY_ID_0a"
    keyring = Keyring().with_public_key("PUB_KEY_ID_0a", rsa_key("platform").public_key())
    assert keyring.get("PUB_KEY_ID_0A") is None
    assert keyring.get("0a") is None


@pytest.mark.parametrize(("before", "after"), [(10, -1), (-1, 10), (10, -1 / DAY), (-1 / DAY, 10)])
def test_a_certificate_that_is_not_valid_now_is_left_out(before: float, after: float) -> None:
    invalid = certificate("certified", SERIAL, days_before=before, days_after=after)
    keyring = Keyring().with_certificates([invalid], NOW)
    assert keyring.keys == {}
    assert keyring.preferred is None


@pytest.mark.parametrize(("before", "after"), [(0, 10), (10, 0)])
def test_a_certificate_is_valid_from_its_first_second_to_its_last(before: float, after: float) -> None:
    each = certificate("certified", SERIAL, days_before=before, days_after=after)
    assert belongs(Keyring().with_certificates([each], NOW), f"{SERIAL:X}", "certified")


def test_the_certificate_valid_longest_is_preferred_whatever_the_order() -> None:
    shorter, longer = certificate("certified", 0xA1), certificate("other", 0xB2, days_after=400)
    expired = certificate("certified", 0xC3, days_before=900, days_after=-1)
    for certificates in ([shorter, longer, expired], [expired, longer, shorter]):
        assert Keyring().with_certificates(certificates, NOW).preferred == "B2"


def test_a_public_key_is_preferred_to_certificates_whichever_came_first() -> None:
    public_key = rsa_key("platform").public_key()
    certificates = [certificate("certified", SERIAL)]
    first = Keyring().with_public_key(PUBLIC_KEY_ID, public_key).with_certificates(certificates, NOW)
    last = Keyring().with_certificates(certificates, NOW).with_public_key(PUBLIC_KEY_ID, public_key)
    assert first.preferred == last.preferred == PUBLIC_KEY_ID
    assert first.keys.keys() == last.keys.keys()


def test_nothing_valid_added_leaves_what_was_preferred() -> None:
    keyring = Keyring().with_certificates([certificate("certified", 0xA1)], NOW)
    assert keyring.with_certificates([], NOW).preferred == "A1"


def test_repr_shows_no_key() -> None:
    keyring = Keyring().with_public_key(PUBLIC_KEY_ID, rsa_key("platform").public_key())
    assert repr(keyring) == f"Keyring(preferred='{PUBLIC_KEY_ID}')"


def test_a_public_key_and_a_certificate_are_loaded_from_pem() -> None:
    assert (
        numbers(load_public_key(public_pem(rsa_key("platform"))))
        == rsa_key("platform").public_key().public_numbers()
    )
    each = certificate("certified", SERIAL)
    assert load_certificate(certificate_pem(each)) == each


@pytest.mark.parametrize(
    "text", ["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "钥", "\ud800"]
)
def test_text_without_a_key_is_reported_for_both_kinds(text: str) -> None:
    with pytest.raises(BadKey, match=r"^not a public key in PEM"):
        load_public_key(text)
    with pytest.raises(BadKey, match=r"^not a certificate in PEM"):
        load_certificate(text)


def test_one_kind_is_not_taken_for_another() -> None:
    pem = certificate_pem(certificate("certified", SERIAL))
    for wrong in (pem, private_pem(rsa_key("merchant"))):
        with pytest.raises(BadKey, match=r"^not a public key in PEM"):
            load_public_key(wrong)
    with pytest.raises(BadKey, match=r"^not a certificate in PEM"):
        load_certificate(public_pem(rsa_key("platform")))


def test_keys_that_are_not_rsa_or_too_short_are_refused() -> None:
    for weak in (ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 1024)):
        with pytest.raises(BadKey, match=r"^must be an RSA key of at least 2048 bits$"):
            load_public_key(public_pem(weak))
        with pytest.raises(BadKey, match=r"^must be an RSA key of at least 2048 bits$"):
            load_certificate(certificate_pem(certificate("weak", 1, key=weak)))


def test_a_certificate_of_an_impossible_version_is_malformed() -> None:
    der = bytearray(certificate("certified", SERIAL).public_bytes(Encoding.DER))
    at = der.index(b"\xa0\x03\x02\x01\x02") + 4
    der[at] = 9
    with pytest.raises(BadKey, match=r"^not a certificate in PEM"):
        load_certificate(as_pem(bytes(der)))


def as_pem(der: bytes) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(der).decode()}-----END CERTIFICATE-----\n"


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@given(data=st.data())
def test_a_damaged_certificate_is_loaded_or_called_bad_and_nothing_else(data: st.DataObject) -> None:
    der = bytearray(certificate("certified", SERIAL).public_bytes(Encoding.DER))
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    try:
        loaded = load_certificate(as_pem(bytes(der)))
    except BadKey:
        return
    assert isinstance(loaded, x509.Certificate)
    Keyring().with_certificates([loaded], NOW)


@given(text=st.text())
def test_any_text_is_a_key_or_bad(text: str) -> None:
    for load in (load_public_key, load_certificate):
        with pytest.raises(BadKey):
            load(text)
