"""wechatpay-axios-plugin (npm) settles orders on the simulator and agrees with the layer on signatures."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate
from requests.structures import CaseInsensitiveDict
from wechatpay.certificates import decrypt
from wechatpay.credentials import parse
from wechatpay.verification import NotVerified, SignedMessage
from wechatpay_sandbox import Simulator

from tests.paths import escaped
from tests.peers.conftest import completion_body
from tools import node

SCRIPT = Path(__file__).with_name("axios_plugin.js")
ORDERS = "v3/payscore/smartretail-orders"
VECTORS = json.loads(Path("tests/vectors/apiv3.json").read_text(encoding="utf-8"))["vectors"]


def run(*operations: dict[str, Any]) -> list[Any]:
    """Run operations in one process of the peer."""
    node.install()
    done = subprocess.run(
        [node.NODE, SCRIPT],
        input=json.dumps(operations),
        env={"PATH": os.defpath, "NODE_PATH": str(node.MODULES)},
        text=True,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def as_merchant(simulator: Simulator) -> dict[str, Any]:
    secret = simulator.secret()
    certificates = secret.get("wechatpay_certificates", [])
    certs = {f"{load_pem_x509_certificate(pem.encode()).serial_number:X}": pem for pem in certificates}
    if "wechatpay_public_key_id" in secret:
        certs[secret["wechatpay_public_key_id"]] = secret["wechatpay_public_key"]
    return {
        "operation": "call",
        "baseURL": f"{simulator.hosts[0]}/",
        "mchid": secret["mchid"],
        "serial": secret["merchant_serial_no"],
        "privateKey": secret["merchant_private_key"],
        "certs": certs,
    }


def completion(simulator: Simulator, order_no: str, **changes: Any) -> dict[str, Any]:
    body = completion_body(simulator, order_no, **changes)
    number = escaped(order_no)
    return as_merchant(simulator) | {"method": "post", "path": f"{ORDERS}/{number}/complete", "body": body}


def query(simulator: Simulator, order_no: str) -> dict[str, Any]:
    secret = simulator.secret()
    params = {"service_id": secret["service_id"], "out_order_no": order_no, "appid": secret["appid"]}
    return as_merchant(simulator) | {"method": "get", "path": ORDERS, "params": params}


def test_it_completes_and_queries_an_order(simulator: Simulator, order_no: str) -> None:
    simulator.open_order(order_no)
    accepted, queried = run(completion(simulator, order_no), query(simulator, order_no))
    assert (accepted["status"], accepted["data"]["order_id"]) == (200, simulator.order(order_no)["order_id"])
    assert (queried["status"], queried["data"]["state"], queried["data"]["total_amount"]) == (
        200,
        "FINISHED",
        300,
    )
    assert all(request["verified"] for request in simulator.requests(order_no))


def test_it_takes_a_serviceorder_from_its_creation_to_its_payment(
    simulator: Simulator, order_no: str
) -> None:
    def call(action: str, body: dict[str, Any]) -> dict[str, Any]:
        secret = simulator.secret()
        body = {"appid": secret["appid"], "service_id": secret["service_id"], **body}
        number = escaped(order_no)
        path = f"v3/payscore/serviceorder/{number}/{action}" if action else "v3/payscore/serviceorder"
        return as_merchant(simulator) | {"method": "post", "path": path, "body": body}

    querying = query(simulator, order_no) | {"path": "v3/payscore/serviceorder"}
    new = {
        "out_order_no": order_no,
        "service_introduction": "智能柜购物",
        "time_range": {"start_time": "OnAccept"},
        "risk_fund": {"name": "ESTIMATE_ORDER_COST", "amount": 20000},
        "notify_url": "http://127.0.0.1:9/",
    }
    goods = {"name": "商品信息", "amount": 300, "description": "可乐", "count": 1}
    end = {
        "post_payments": [goods],
        "total_amount": 300,
        "time_range": {"end_time": "20251001183147"},
        "profit_sharing": False,
    }
    created, early = run(call("", new), call("complete", end))
    assert (created["status"], created["data"]["state"], early["status"]) == (200, "CREATED", 400)
    simulator.confirm(order_no)
    done, owed, refused = run(call("complete", end), querying, call("cancel", {"reason": "未取货"}))
    assert done["data"]["state_description"] == owed["data"]["state_description"] == "MCH_COMPLETE"
    assert (refused["status"], refused["data"]["code"]) == (400, "INVALID_ORDER_STATE")
    simulator.pay(order_no)
    (paid,) = run(querying)
    assert (paid["data"]["state"], paid["data"]["collection"]["paid_amount"]) == ("DONE", 300)

    notification = simulator.paid_notification(order_no, "serviceorder")
    secret, head, sealed = simulator.secret(), notification.headers, json.loads(notification.body)["resource"]
    signed = f"{head['Wechatpay-Timestamp']}\n{head['Wechatpay-Nonce']}\n{notification.body.decode()}\n"
    serial = head["Wechatpay-Serial"]
    verify = {"operation": "verify", "message": signed, "signature": head["Wechatpay-Signature"]}
    decrypt_ = {
        "operation": "decrypt",
        "ciphertext": sealed["ciphertext"],
        "apiV3Key": secret["api_v3_key"],
        "nonce": sealed["nonce"],
        "associatedData": sealed["associated_data"],
    }
    verified, opened = run(verify | {"publicKey": as_merchant(simulator)["certs"][serial]}, decrypt_)
    assert verified is True
    assert json.loads(opened)["collection"]["paid_amount"] == 300


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("wrong_signature", "EV3_RES_HEADER_SIGNATURE_DIGEST"),
        ("signtest", "EV3_RES_HEADER_SIGNATURE_DIGEST"),
        ("unsigned", "EV3_RES_HEADERS_INCOMPLATE"),
        ("missing_header", "EV3_RES_HEADERS_INCOMPLATE"),
        ("unknown_serial", "EV3_RES_HEADER_PLATFORM_SERIAL"),
        ("stale_timestamp", "EV3_RES_HEADER_TIMESTAMP_OFFSET"),
        ("future_timestamp", "EV3_RES_HEADER_TIMESTAMP_OFFSET"),
    ],
)
def test_it_refuses_a_reply_for_the_reason_the_simulator_gave_it(
    simulator: Simulator, order_no: str, fault: str, reason: str
) -> None:
    simulator.open_order(order_no)
    simulator.script(order_no, "query", fault=fault)
    (refused,) = run(query(simulator, order_no))
    assert refused["failed"] == reason


def test_a_refusal_reaches_it_as_wechat_pay_words_it(simulator: Simulator, order_no: str) -> None:
    simulator.open_order(order_no)
    wrong_amount = completion(simulator, order_no, total_amount=301)
    wrong_serial = query(simulator, order_no) | {"serial": "AB" * 20}
    amount, serial = run(wrong_amount, wrong_serial)
    assert (amount["status"], amount["data"]["detail"]["field"]) == (400, "/total_amount")
    assert (serial["status"], serial["data"]["code"]) == (401, "SIGN_ERROR")


def test_both_write_and_sign_a_request_alike(simulator: Simulator) -> None:
    secret = simulator.secret()
    signer = parse(json.dumps(secret), secret["mchid"]).signer
    request = {
        "method": "POST",
        "target": "/v3/payscore/smartretail-orders/A%7Cb%2A1/complete",
        "timestamp": 1_700_000_000,
        "nonce": "593BEC0C930BF1AFEB40B4A08C8FB242",
        "body": '{"fee_name":"可乐"}',
    }
    (message,) = run({"operation": "message", **request})
    (signature,) = run(
        {"operation": "sign", "message": message, "privateKey": secret["merchant_private_key"]}
    )
    ours = signer.authorization(
        request["method"],
        request["target"],
        request["body"].encode(),
        timestamp=request["timestamp"],
        nonce=request["nonce"],
    )
    assert ours.endswith(f'signature="{signature}"')


def test_it_verifies_what_the_layer_signs_and_the_layer_what_it_signs(simulator: Simulator) -> None:
    secret = simulator.secret()
    signer = parse(json.dumps(secret), secret["mchid"]).signer
    public_key = signer.private_key.public_key()
    pem = public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    body = '{"message":"可乐"}'
    message = f"1700000000\nN\n{body}\n"
    signed = {"operation": "verify", "signature": signer.sign(message.encode()), "publicKey": pem}
    right, wrong, theirs = run(
        {**signed, "message": message},
        {**signed, "message": message + " "},
        {"operation": "sign", "message": message, "privateKey": secret["merchant_private_key"]},
    )
    assert (right, wrong) == (True, False)
    headers = CaseInsensitiveDict(
        {
            "Wechatpay-Timestamp": "1700000000",
            "Wechatpay-Nonce": "N",
            "Wechatpay-Serial": "S",
            "Wechatpay-Signature": theirs,
        }
    )
    SignedMessage.parse(headers, body.encode(), 1_700_000_000).verify(public_key)
    with pytest.raises(NotVerified):
        SignedMessage.parse(headers, body.encode() + b" ", 1_700_000_000).verify(public_key)


def test_both_decrypt_the_published_ciphertexts_alike() -> None:
    vectors = [vector for vector in VECTORS if vector["kind"] == "aes-256-gcm"]
    theirs = run(
        *(
            {
                "operation": "decrypt",
                "ciphertext": vector["ciphertext"],
                "apiV3Key": vector["key_utf8"],
                "nonce": vector["nonce"],
                "associatedData": vector["aad"],
            }
            for vector in vectors
        )
    )
    ours = [
        decrypt(
            v["key_utf8"].encode(), nonce=v["nonce"], associated_data=v["aad"], ciphertext=v["ciphertext"]
        )
        for v in vectors
    ]
    assert [text.encode() for text in theirs] == ours
