import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict
from wechatpay.verification import TOLERANCE_SECONDS, NotVerified, SignedMessage

from tests.unit.wechatpay.material import NOW, PUBLIC_KEY_ID, rsa_key, signature, signed_headers

HEADERS = ("Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial", "Wechatpay-Signature")
BODY = '{"message":"可乐"}'.encode()


def verify(
    headers: Mapping[str, str], body: bytes, key_for: Callable[[str], RSAPublicKey | None], now: float
) -> None:
    """Parse a message and verify its signature."""
    signed = SignedMessage.parse(headers, body, now)
    signed.verify(key_for(signed.serial))


def key_for(serial: str) -> RSAPublicKey | None:
    return rsa_key("platform").public_key() if serial == PUBLIC_KEY_ID else None


def test_the_published_reply_is_verified() -> None:
    published = json.loads(Path("tests/vectors/apiv3.json").read_text(encoding="utf-8"))
    (vector,) = (each for each in published["vectors"] if each["kind"] == "rsa-verify")
    key = load_pem_public_key(published["keys"][vector["key"]].encode())
    timestamp, nonce, body = vector["message"].removesuffix("\n").split("\n")
    headers = CaseInsensitiveDict(
        {
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": vector["serial"],
            "Wechatpay-Signature": vector["signature"],
        }
    )
    keys = {vector["serial"]: key}
    verify(headers, body.encode(), keys.get, float(timestamp))  # type: ignore[arg-type]
    with pytest.raises(NotVerified, match=r"Wechatpay-Signature is wrong"):
        verify(headers, body.encode() + b" ", keys.get, float(timestamp))  # type: ignore[arg-type]


def test_a_genuine_reply_passes_with_header_names_in_any_case() -> None:
    headers = signed_headers(BODY)
    for change in (str, str.upper, str.lower):
        verify(CaseInsensitiveDict({change(n): v for n, v in headers.items()}), BODY, key_for, NOW)


def test_an_empty_body_is_signed_too() -> None:
    verify(signed_headers(b""), b"", key_for, NOW)


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("value", [None, ""], ids=["absent", "empty"])
def test_each_of_the_four_headers_is_needed(name: str, value: str | None) -> None:
    headers = signed_headers(BODY)
    del headers[name]
    if value is not None:
        headers[name] = value
    with pytest.raises(NotVerified, match=f"^{name} is missing$"):
        verify(headers, BODY, key_for, NOW)


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_a_reply_up_to_300_seconds_away_passes(seconds: int) -> None:
    verify(signed_headers(BODY), BODY, key_for, NOW + seconds)


@pytest.mark.parametrize("seconds", [-86400, -301, -300.5, 300.5, 301, 86400])
def test_a_reply_further_away_is_refused_both_ways(seconds: float) -> None:
    assert TOLERANCE_SECONDS == 300
    with pytest.raises(NotVerified, match=r"more than 300 s away"):
        verify(signed_headers(BODY), BODY, key_for, NOW + seconds)


@pytest.mark.parametrize(
    "timestamp",
    ["1722850421.0", " 1722850421", "+1722850421", "-1", "1_722_850_421", "1e9", "١٧٢٢٨٥٠٤٢١", "9" * 13, "x"],
)
def test_a_timestamp_is_plain_digits(timestamp: str) -> None:
    with pytest.raises(NotVerified, match=r"^Wechatpay-Timestamp is not a number of seconds$"):
        verify(signed_headers(BODY, timestamp=timestamp), BODY, key_for, NOW)


def test_a_serial_nobody_knows_is_refused() -> None:
    with pytest.raises(NotVerified, match=r"^Wechatpay-Serial is unknown$"):
        verify(signed_headers(BODY, serial="5157F09EFDC096DE15EBE81A47057A72"), BODY, key_for, NOW)


def test_the_key_is_the_one_the_reply_names() -> None:
    keys = {"A": rsa_key("platform").public_key(), "B": rsa_key("other").public_key()}
    verify(signed_headers(BODY, owner="other", serial="B"), BODY, keys.get, NOW)
    with pytest.raises(NotVerified):
        verify(signed_headers(BODY, owner="other", serial="A"), BODY, keys.get, NOW)


def test_without_its_time_a_message_is_not_even_parsed() -> None:
    with pytest.raises(NotVerified, match="away"):
        SignedMessage.parse(signed_headers(BODY), BODY, NOW + 301)


def test_a_message_shows_neither_its_body_nor_its_signature() -> None:
    headers = signed_headers(BODY)
    shown = repr(SignedMessage.parse(headers, BODY, NOW))
    assert PUBLIC_KEY_ID in shown
    assert headers["Wechatpay-Signature"] not in shown
    assert "message" not in shown.replace("SignedMessage", "")


def test_what_was_read_of_a_reply_cannot_be_changed_before_it_is_verified() -> None:
    signed = SignedMessage.parse(signed_headers(BODY), BODY, NOW)
    with pytest.raises(FrozenInstanceError):
        signed.serial = PUBLIC_KEY_ID  # type: ignore[misc]


@pytest.mark.parametrize("part", ["Wechatpay-Timestamp", "Wechatpay-Nonce", "body"])
def test_everything_that_is_signed_counts(part: str) -> None:
    headers, body = signed_headers(BODY), BODY
    if part == "body":
        body += b" "
    else:
        headers[part] = headers[part][:-1] + ("0" if headers[part][-1] != "0" else "1")
    with pytest.raises(NotVerified, match=r"^Wechatpay-Signature is wrong$"):
        verify(headers, body, key_for, NOW)


def test_a_line_cannot_be_moved_from_the_body_into_the_nonce() -> None:
    headers = signed_headers(b"first\nsecond", nonce="N")
    headers["Wechatpay-Nonce"] = "N\nfirst"
    with pytest.raises(NotVerified):
        verify(headers, b"second", key_for, NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        "WECHATPAY/SIGNTEST/" + base64.b64encode(bytes(243)).decode()[:325],
        "not base64 at all!",
        "签名",
        "é",
        "A",
        "====",
        base64.b64encode(b"").decode() or "=",
        base64.b64encode(bytes(256)).decode(),
        base64.b64encode(b"short").decode(),
    ],
)
def test_any_other_signature_is_wrong_and_only_wrong(wrong: str) -> None:
    headers = signed_headers(BODY)
    headers["Wechatpay-Signature"] = wrong
    with pytest.raises(NotVerified, match=r"^Wechatpay-Signature is wrong$"):
        verify(headers, BODY, key_for, NOW)


def test_a_signtest_probe_over_a_genuine_reply_is_refused() -> None:
    headers = signed_headers(BODY)
    probe = "WECHATPAY/SIGNTEST/"
    headers["Wechatpay-Signature"] = probe + headers["Wechatpay-Signature"][len(probe) :]
    with pytest.raises(NotVerified, match=r"^Wechatpay-Signature is wrong$"):
        verify(headers, BODY, key_for, NOW)


def test_noise_around_a_genuine_signature_is_refused() -> None:
    for change in ("{} ", " {}", "{}\n", "!{}", "{}A==="):
        headers = signed_headers(BODY)
        headers["Wechatpay-Signature"] = change.format(headers["Wechatpay-Signature"])
        with pytest.raises(NotVerified):
            verify(headers, BODY, key_for, NOW)


def test_a_signature_with_another_hash_or_padding_is_refused() -> None:
    headers = signed_headers(BODY)
    message = f"{int(NOW)}\n{headers['Wechatpay-Nonce']}\n".encode() + BODY + b"\n"
    key = rsa_key("platform")
    for made in (key.sign(message, PKCS1v15(), SHA1()), key.sign(message, PSS(MGF1(SHA256()), 32), SHA256())):
        headers["Wechatpay-Signature"] = base64.b64encode(made).decode()
        with pytest.raises(NotVerified):
            verify(headers, BODY, key_for, NOW)


@pytest.mark.parametrize("nonce", ["随机", "\xe9", "a b", "a\tb", "a\x00", "a\n", "a\r\n b", " "])
def test_a_nonce_is_one_line_of_printable_ascii(nonce: str) -> None:
    message = f"{int(NOW)}\n{nonce}\n".encode() + BODY + b"\n"
    headers = signed_headers(BODY)
    headers["Wechatpay-Nonce"] = nonce
    headers["Wechatpay-Signature"] = signature("platform", message)
    with pytest.raises(NotVerified, match=r"^Wechatpay-Nonce is not one line of printable ASCII$"):
        verify(headers, BODY, key_for, NOW)


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_outside_ascii_is_refused_not_a_crash(name: str) -> None:
    for value in ("签名", "\xe9", "\ud800"):
        headers = signed_headers(BODY)
        headers[name] = value
        with pytest.raises(NotVerified):
            verify(headers, BODY, key_for, NOW)


anything = st.text(max_size=60) | st.sampled_from([*signed_headers(BODY).values(), "WECHATPAY/SIGNTEST/x"])


@given(
    headers=st.dictionaries(st.sampled_from(HEADERS), anything), body=st.just(BODY) | st.binary(max_size=60)
)
def test_whatever_the_headers_say_a_reply_is_genuine_or_not_verified(
    headers: dict[str, str], body: bytes
) -> None:
    if (headers, body) == (dict(signed_headers(BODY)), BODY):
        verify(CaseInsensitiveDict(headers), body, key_for, NOW)
        return
    with pytest.raises(NotVerified) as caught:
        verify(CaseInsensitiveDict(headers), body, key_for, NOW)
    assert str(caught.value).isascii()
    assert not any(value in str(caught.value) for value in headers.values() if len(value) > 30)


@given(data=st.data())
def test_no_change_of_a_genuine_reply_is_believed(data: st.DataObject) -> None:
    headers, body = dict(signed_headers(BODY)), bytearray(BODY)
    if data.draw(st.booleans()):
        index = data.draw(st.integers(0, len(body) - 1))
        body[index] ^= data.draw(st.integers(1, 255))
    else:
        name = data.draw(st.sampled_from(HEADERS))
        index = data.draw(st.integers(0, len(headers[name]) - 1))
        other = data.draw(st.characters(max_codepoint=255).filter(lambda c: c != headers[name][index]))
        headers[name] = headers[name][:index] + other + headers[name][index + 1 :]
    with pytest.raises(NotVerified):
        verify(CaseInsensitiveDict(headers), bytes(body), key_for, NOW)
