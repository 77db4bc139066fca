import base64
import json
import re
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from wechatpay.signature import SCHEME, Signer

from tests.unit.wechatpay.material import is_signed_by, rsa_key

PUBLISHED = json.loads(Path("tests/vectors/apiv3.json").read_text(encoding="utf-8"))
SIGNING = [vector for vector in PUBLISHED["vectors"] if vector["kind"] == "rsa-sign"]
CLAIM = re.compile(r'(\w+)="([^"]*)"')


def published_signer(vector: dict[str, Any]) -> Signer:
    key = load_pem_private_key(PUBLISHED["keys"][vector["key"]].encode(), password=None)
    return Signer("1900007291", "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB", key)  # type: ignore[arg-type]


def claims(authorization: str) -> dict[str, str]:
    return dict(CLAIM.findall(authorization))


@pytest.mark.parametrize("vector", SIGNING, ids=lambda vector: vector["id"])
def test_published_messages_get_their_published_signatures(vector: dict[str, Any]) -> None:
    assert published_signer(vector).sign(vector["message"].encode()) == vector["signature"]


@pytest.mark.parametrize("vector", SIGNING, ids=lambda vector: vector["id"])
def test_the_authorization_header_carries_the_published_signature(vector: dict[str, Any]) -> None:
    method, target, timestamp, nonce, body = vector["message"].removesuffix("\n").split("\n")
    header = published_signer(vector).authorization(
        method, target, body.encode(), timestamp=int(timestamp), nonce=nonce
    )
    assert header == (
        f'WECHATPAY2-SHA256-RSA2048 mchid="1900007291",nonce_str="{nonce}",timestamp="{timestamp}",'
        f'serial_no="408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB",signature="{vector["signature"]}"'
    )


def test_the_body_is_signed_byte_for_byte() -> None:
    signer = Signer("1900000001", "AB", rsa_key("merchant"))
    body = b'{"fee_name":"\xe5\x8f\xaf\xe4\xb9\x90",  "x":"\xff"}\n'
    header = signer.authorization("POST", "/v3/a%7Cb%2A", body, timestamp=1, nonce="N")
    message = b"POST\n/v3/a%7Cb%2A\n1\nN\n" + body + b"\n"
    is_signed_by(rsa_key("merchant").public_key(), claims(header)["signature"], message)


def test_a_path_that_is_not_percent_encoded_is_not_signed() -> None:
    with pytest.raises(UnicodeEncodeError):
        Signer("1", "AB", rsa_key("merchant")).authorization("GET", "/v3/可乐", b"", timestamp=1, nonce="N")


def test_the_scheme_names_the_algorithm_and_the_signature_is_2048_bits() -> None:
    header = Signer("1", "AB", rsa_key("merchant")).authorization("GET", "/", b"", timestamp=1, nonce="N")
    assert header.startswith(f"{SCHEME} ")
    assert len(base64.b64decode(claims(header)["signature"])) == 256


def test_no_key_shows_in_repr() -> None:
    assert repr(Signer("1", "AB", rsa_key("merchant"))) == "Signer(mchid='1', serial_no='AB')"


def test_a_signer_is_never_changed_only_replaced() -> None:
    signer = Signer("1", "AB", rsa_key("merchant"))
    with pytest.raises(FrozenInstanceError):
        signer.serial_no = "CD"  # type: ignore[misc]
