import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from wechatpay.certificates import decrypt, decrypted_certificates

from tests.unit.wechatpay.material import (
    API_V3_KEY,
    NOW,
    certificate,
    certificate_pem,
    certificates_body,
    public_pem,
    rsa_key,
    sealed,
)

VECTORS = json.loads(Path("tests/vectors/apiv3.json").read_text(encoding="utf-8"))["vectors"]
AES_256 = [vector for vector in VECTORS if vector["kind"] == "aes-256-gcm"]
KEY = API_V3_KEY.encode()
SOUND = certificate_pem(certificate("certified", 0xA1)).encode()


def opened(vector: dict[str, Any], key: bytes | None = None) -> bytes:
    return decrypt(
        key or vector["key_utf8"].encode(),
        nonce=vector["nonce"],
        associated_data=vector["aad"],
        ciphertext=vector["ciphertext"],
    )


@pytest.mark.parametrize("vector", AES_256, ids=lambda vector: vector["id"])
def test_published_ciphertexts_are_decrypted(vector: dict[str, Any]) -> None:
    assert opened(vector) == vector["plaintext"].encode()


def test_a_16_byte_key_is_refused_although_it_would_decrypt() -> None:
    (vector,) = (each for each in VECTORS if each["kind"].startswith("aes-128-gcm"))
    with pytest.raises(ValueError, match=r"^the APIv3 key must be 32 bytes$"):
        opened(vector)


@pytest.mark.parametrize("length", [0, 16, 24, 31, 33])
def test_only_a_32_byte_key_is_used(length: int) -> None:
    with pytest.raises(ValueError, match=r"^the APIv3 key must be 32 bytes$"):
        decrypt(b"k" * length, nonce="0" * 12, associated_data="", ciphertext="AAAA")


@pytest.mark.parametrize("part", ["nonce", "aad", "ciphertext"])
def test_every_part_is_authenticated(part: str) -> None:
    vector = dict(AES_256[0])
    vector[part] = ("A" if vector[part][0] != "A" else "B") + vector[part][1:]
    with pytest.raises(ValueError, match=r"^api_v3_key does not decrypt what WeChat Pay sent$"):
        opened(vector)


@pytest.mark.parametrize("noise", ["\n", " ", "%", "密"])
def test_noise_in_a_ciphertext_is_refused(noise: str) -> None:
    vector = dict(AES_256[0])
    vector["ciphertext"] = vector["ciphertext"][:4] + noise + vector["ciphertext"][4:]
    with pytest.raises(ValueError):  # noqa: PT011 - any message will do
        opened(vector)


def test_another_merchants_key_decrypts_nothing() -> None:
    with pytest.raises(ValueError, match="does not decrypt"):
        opened(AES_256[0], b"x" * 32)


def test_all_certificates_of_a_reply_come_back_in_order() -> None:
    both = [certificate("certified", 0xA1), certificate("other", 0xB2, now=NOW, days_after=400)]
    body = certificates_body(*(sealed(certificate_pem(each).encode()) for each in both))
    assert decrypted_certificates(body, KEY) == tuple(both)


def test_absent_associated_data_is_empty() -> None:
    ciphertext = base64.b64encode(AESGCM(KEY).encrypt(b"61f9c719728a", SOUND, b"")).decode()
    part = {"algorithm": "AEAD_AES_256_GCM", "nonce": "61f9c719728a", "ciphertext": ciphertext}
    assert len(decrypted_certificates(certificates_body(part), KEY)) == 1
    assert len(decrypted_certificates(certificates_body({**part, "associated_data": None}), KEY)) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"data":[]}',
        b'{"data":{}}',
        b'{"data":[1]}',
        b'{"data":[{"encrypt_certificate":"x"}]}',
        certificates_body({}),
        certificates_body(sealed(SOUND, algorithm="AEAD_AES_128_GCM")),
        certificates_body(sealed(SOUND, algorithm=["AEAD_AES_256_GCM"])),
        certificates_body(sealed(SOUND, algorithm=None)),
        certificates_body(sealed(b"x", nonce="")),
        certificates_body(sealed(b"x", nonce=7)),
        certificates_body(sealed(b"x", nonce="\ud800" * 12)),
        certificates_body(sealed(b"x", ciphertext="%%%")),
        certificates_body(sealed(b"x", ciphertext="密文")),
        certificates_body(sealed(b"x", ciphertext=None)),
        certificates_body(sealed(b"x", ciphertext="AAAA")),
        certificates_body(sealed(b"not a certificate")),
        certificates_body(sealed(b"\xff\xfe")),
        certificates_body(sealed(b"x", key="y" * 32)),
    ],
)
def test_a_reply_of_another_shape_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any message will do
        decrypted_certificates(body, KEY)


def test_one_bad_certificate_spoils_the_reply() -> None:
    good = sealed(certificate_pem(certificate("certified", 0xA1)).encode())
    with pytest.raises(ValueError, match=r"^not a certificate in PEM"):
        decrypted_certificates(certificates_body(good, sealed(public_pem(rsa_key("platform")).encode())), KEY)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just("AEAD_AES_256_GCM"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["algorithm", "nonce", "associated_data", "ciphertext", "encrypt_certificate"]),
            inner,
        )
    ),
    max_leaves=8,
)


@given(body=st.binary(max_size=100) | st.builds(lambda v: json.dumps({"data": v}).encode(), values))
def test_no_body_gives_a_certificate_that_was_not_sealed_with_the_key(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any message will do
        decrypted_certificates(body, KEY)


@given(plaintext=st.binary(max_size=200))
def test_whatever_was_sealed_it_is_a_certificate_or_a_value_error(plaintext: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any message will do
        decrypted_certificates(certificates_body(sealed(plaintext)), KEY)
