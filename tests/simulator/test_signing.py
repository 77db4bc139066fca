"""The simulator accepts only what is signed, and signs its replies."""

import base64
import json
import time
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from wechatpay_sandbox import Simulator, signing
from wechatpay_sandbox.arrivals import Request

VECTORS = json.loads(Path("tests/vectors/apiv3.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS["vectors"] if v["kind"] == "rsa-sign"], ids=lambda v: v["id"]
)
def test_the_published_signatures_are_reproduced(vector):
    key = load_pem_private_key(VECTORS["keys"][vector["key"]].encode(), None)
    method, target, timestamp, nonce, rest = vector["message"].split("\n", 4)
    request = Request(method, target, {}, rest.removesuffix("\n").encode())
    assert signing.sign(key, request.signed_text(timestamp, nonce)) == vector["signature"]


def test_calls_signed_by_an_independent_merchant_are_accepted(merchant, opened):
    queried = merchant.query(opened)
    assert queried.status_code == 200
    completed = merchant.complete(opened, merchant.body(queried.json()["finish_ticket"]))
    assert completed.status_code == 200, completed.text
    merchant.verify(queried)
    merchant.verify(completed)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"mchid": "1900000002"}, "mchid"),
        ({"serial_no": "4" + "0" * 39}, "serial_no"),
        ({"timestamp": -302}, "timestamp"),
        ({"timestamp": 400}, "timestamp"),
        ({"timestamp": "now"}, "timestamp"),
        ({"nonce_str": ""}, "nonce_str"),
        ({"nonce_str": "n" * 33}, "nonce_str"),
        ({"signature": base64.b64encode(bytes(256)).decode()}, "signature"),
        ({"signature": "not base64!"}, "signature"),
        ({"extra": "1"}, "authorization"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_claim_that_is_wrong_is_a_sign_error_that_names_it(merchant, opened, changes, field):
    changes = {n: str(int(time.time()) + v) if isinstance(v, int) else v for n, v in changes.items()}
    target = f"/v3/payscore/smartretail-orders?service_id=500001&out_order_no={opened}&appid=a"
    headers = merchant.headers("GET", target, Authorization=merchant.authorization("GET", target, **changes))
    response = merchant.send("GET", target, headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "SIGN_ERROR")
    assert response.json()["detail"]["field"] == field
    assert not [name for name in response.headers if name.startswith("Wechatpay-")]


@pytest.mark.parametrize(
    "scheme", ["", "Bearer x", 'WECHATPAY2-SM2-WITH-SM3 mchid="1"', "WECHATPAY2-SHA256-RSA2048"]
)
def test_another_scheme_or_none_is_a_sign_error(merchant, scheme):
    headers = merchant.headers("GET", "/v3/certificates", Authorization=scheme)
    refused = merchant.send("GET", "/v3/certificates", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (401, "SIGN_ERROR")
    assert ("值格式错误" in refused.json()["message"]) == (scheme in ("", "WECHATPAY2-SHA256-RSA2048"))


def test_headers_are_checked_before_the_signature_and_the_path_first(sim, merchant):
    nothing = {"Accept": None, "User-Agent": None}
    refused = merchant.send("GET", "/v3/certificates", headers=nothing)
    assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_REQUEST")
    unknown = merchant.send("GET", "/v3/pay/transactions/no-such-endpoint", headers=nothing)
    assert (unknown.status_code, unknown.content) == (404, b"")
    assert sim.requests()[-1]["refused"]["rule"] == "request.path"
    for reply in (refused, unknown):
        assert reply.headers["Request-ID"]
        assert not [name for name in reply.headers if name.startswith("Wechatpay-")]


def test_a_nonce_is_accepted_once(merchant, opened):
    headers = merchant.headers("GET", "/v3/certificates")
    first = merchant.send("GET", "/v3/certificates", headers=headers)
    second = merchant.send("GET", "/v3/certificates", headers=headers)
    assert (first.status_code, second.status_code) == (404, 401)
    assert second.json()["detail"]["field"] == "nonce_str"


def test_one_changed_byte_of_the_body_is_a_sign_error_and_changes_nothing(sim, merchant, opened, ticket):
    target = merchant.target(opened)
    body = json.dumps(merchant.body(ticket)).encode()
    headers = merchant.headers("POST", target, body)
    response = merchant.send("POST", target, body.replace(b"1200", b"1201"), headers=headers)
    assert response.status_code == 401
    assert sim.order(opened)["state"] == "USER_ACCEPTED"


def test_the_path_is_verified_as_it_was_sent_not_as_it_reads(sim, merchant):
    sim.open_order("p|1")
    encoded, raw = merchant.target("p|1"), "/v3/payscore/smartretail-orders/p|1/complete"
    body = json.dumps(merchant.body(sim.order("p|1")["finish_ticket"])).encode()
    assert encoded.endswith("/p%7C1/complete")
    wrong = merchant.send("POST", encoded, body, headers=merchant.headers("POST", raw, body))
    right = merchant.send("POST", encoded, body, headers=merchant.headers("POST", encoded, body))
    assert (wrong.status_code, right.status_code) == (401, 200)


def test_a_path_encoded_twice_is_no_order_number(merchant, sim):
    sim.open_order("p|2")
    response = merchant.complete("p%7C2", merchant.body("t"))
    assert response.status_code == 400
    assert response.json()["detail"]["field"] == "out_order_no"


@pytest.mark.parametrize("mode", ["public_key", "certificate", "both"])
def test_replies_follow_the_serial_the_request_names(as_merchant, mode):
    with Simulator(keys=mode) as simulator:
        merchant = as_merchant(simulator)
        for serial in merchant.known_keys():
            headers = merchant.headers("GET", "/v3/certificates", **{"Wechatpay-Serial": serial.lower()})
            reply = merchant.send("GET", "/v3/certificates", headers=headers)
            assert reply.headers["Wechatpay-Serial"] == serial
            merchant.verify(reply)


def test_during_a_migration_each_stage_signs_with_its_own_key(as_merchant):
    with Simulator(keys="certificate") as simulator:
        serials = []
        for mode in ("certificate", "both", "public_key"):
            simulator.set_keys(mode)
            merchant = as_merchant(simulator)
            reply = merchant.send("GET", "/v3/certificates")
            merchant.verify(reply)
            serials.append(reply.headers["Wechatpay-Serial"][:10])
    assert serials[0] == serials[1] != "PUB_KEY_ID"
    assert serials[2] == "PUB_KEY_ID"


def test_platform_certificates_are_downloaded_sealed_with_the_api_v3_key(as_merchant):
    with Simulator(keys="certificate") as simulator:
        simulator.rotate_platform_certificate()
        merchant = as_merchant(simulator)
        reply = merchant.send("GET", "/v3/certificates")
    merchant.verify(reply)
    opened = []
    for entry in reply.json()["data"]:
        sealed = entry["encrypt_certificate"]
        nonce, extra = sealed["nonce"].encode(), sealed["associated_data"].encode()
        box = AESGCM(merchant.secret["api_v3_key"].encode())
        opened.append(box.decrypt(nonce, base64.b64decode(sealed["ciphertext"]), extra).decode())
        with pytest.raises(InvalidTag):
            box.decrypt(nonce, base64.b64decode(sealed["ciphertext"]), b"other")
        assert f"{load_pem_x509_certificate(opened[-1].encode()).serial_number:X}" == entry["serial_no"]
    assert opened == merchant.secret["wechatpay_certificates"]
    assert len(opened) == 2


def test_a_public_key_merchant_has_no_certificates_to_download(merchant, internal_code):
    reply = merchant.send("GET", "/v3/certificates")
    assert (reply.status_code, reply.json()["code"]) == (404, "RESOURCE_NOT_EXISTS")


def test_after_a_rotation_only_the_new_merchant_key_is_accepted(as_merchant):
    with Simulator(keys="certificate") as simulator:
        before = as_merchant(simulator)
        simulator.rotate_merchant_key()
        after = as_merchant(simulator)
        assert before.send("GET", "/v3/certificates").status_code == 401
        assert after.send("GET", "/v3/certificates").status_code == 200
        simulator.rotate_merchant_key(keep_old=True)
        assert after.send("GET", "/v3/certificates").status_code == 200
        simulator.drop_old_merchant_keys()
        assert after.send("GET", "/v3/certificates").status_code == 401
        assert as_merchant(simulator).send("GET", "/v3/certificates").status_code == 200


def test_the_merchant_certificate_belongs_to_the_secret(sim, merchant):
    certificate = load_pem_x509_certificate(sim.merchant_certificate().encode())
    assert f"{certificate.serial_number:X}" == merchant.secret["merchant_serial_no"]
    assert certificate.public_key() == merchant.key.public_key()


def test_no_two_simulators_share_a_key(sim):
    with Simulator() as other:
        mine, theirs = sim.secret(), other.secret()
    for name in ("merchant_serial_no", "merchant_private_key", "api_v3_key", "wechatpay_public_key"):
        assert mine[name] != theirs[name]
