"""Notifications: the envelope read strictly, the resource opened as the published vectors are."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from wechatpay.notification import Notification
from wechatpay.reply_body import Malformed

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/apiv3.json").read_text(encoding="utf-8"))[
    "vectors"
]
SEALED = [vector for vector in VECTORS if vector["kind"] == "aes-256-gcm"]


def envelope(**changes: Any) -> bytes:
    resource = {
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": "uluk4a9R25RW",
        "associated_data": "associatedData",
        "ciphertext": "ulwSiIajGClcvcOYvOQ7+l+0PAbzzwI=",
    }
    document = {"id": "EV-1", "event_type": "PAYSCORE.USER_PAID", "resource": resource, **changes}
    return json.dumps({name: value for name, value in document.items() if value is not None}).encode()


def resource_of(vector: dict[str, Any]) -> dict[str, Any]:
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": vector["nonce"],
        "associated_data": vector["aad"],
        "ciphertext": vector["ciphertext"],
    }


@pytest.mark.parametrize("vector", SEALED, ids=lambda vector: vector["id"])
def test_a_resource_opens_as_the_published_vectors_and_must_be_json(vector: dict[str, Any]):
    notification = Notification.parse(envelope(resource=resource_of(vector)))
    # None of the published plain texts is JSON: that it is not is known only of what was opened.
    with pytest.raises(Malformed, match="JSON"):
        notification.opened(vector["key_utf8"].encode())
    with pytest.raises(ValueError, match="does not decrypt"):
        notification.opened(b"x" * 32)


def test_a_resource_is_what_was_sealed():
    key, plain = b"k" * 32, {"state": "USER_PAID", "attach": "深圳"}
    sealed = AESGCM(key).encrypt(b"0123456789ab", json.dumps(plain).encode(), b"")
    resource = {
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": "0123456789ab",
        "ciphertext": base64.b64encode(sealed).decode(),
    }
    assert Notification.parse(envelope(resource=resource)).opened(key) == plain


@pytest.mark.parametrize("length", [0, 16, 24, 31, 33])
def test_a_key_of_another_length_opens_nothing(length: int):
    with pytest.raises(ValueError, match="32 bytes"):
        Notification.parse(envelope()).opened(b"k" * length)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"id": "a", "id": "b"}',
        envelope(id=None),
        envelope(id=7),
        envelope(event_type=None),
        envelope(resource=None),
        envelope(resource="sealed"),
    ],
)
def test_what_is_no_notification_is_malformed(body: bytes):
    with pytest.raises(Malformed):
        Notification.parse(body)


@pytest.mark.parametrize(
    "changes",
    [
        {"algorithm": "AEAD_AES_128_GCM"},
        {"nonce": ""},
        {"nonce": 5},
        {"ciphertext": "*"},
        {"associated_data": 5},
    ],
)
def test_a_resource_sealed_otherwise_is_refused(changes: dict[str, Any]):
    resource = {**resource_of(SEALED[0]), **changes}
    notification = Notification.parse(envelope(resource=resource))
    with pytest.raises(ValueError, match=r"(?i)missing|encrypted|not text|base64"):
        notification.opened(SEALED[0]["key_utf8"].encode())


def test_nothing_sealed_is_shown():
    assert "ulwSi" not in repr(Notification.parse(envelope()))
