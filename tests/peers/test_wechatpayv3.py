"""wechatpayv3 (PyPI) settles orders on the simulator, and agrees with the layer on every signature."""

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from requests.structures import CaseInsensitiveDict
from wechatpay.certificates import decrypt, decrypted_certificates
from wechatpay.credentials import parse
from wechatpay.verification import NotVerified, SignedMessage
from wechatpay_sandbox import Simulator
from wechatpayv3 import utils
from wechatpayv3.core import Core
from wechatpayv3.type import RequestType

from tests.peers.conftest import completion_body

ORDERS = "/v3/payscore/smartretail-orders"


class Peer(Core):  # type: ignore[misc]
    """The peer, calling the simulator: its gateway is fixed in its constructor."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        secret = simulator.secret()
        super().__init__(
            secret["mchid"],
            secret["merchant_serial_no"],
            secret["merchant_private_key"],
            secret["api_v3_key"],
            timeout=10,
            public_key=secret.get("wechatpay_public_key"),
            public_key_id=secret.get("wechatpay_public_key_id"),
        )

    @property
    def _gate_way(self) -> str:
        return self._simulator.hosts[0]

    @_gate_way.setter
    def _gate_way(self, url: str) -> None:
        """WeChat Pay itself is not called."""

    def complete(self, order_no: str, **changes: Any) -> tuple[int, dict[str, Any]]:
        body = completion_body(self._simulator, order_no, **changes)
        path = f"{ORDERS}/{quote(order_no, safe='')}/complete"
        status, text = self.request(path, method=RequestType.POST, data=body)
        return status, json.loads(text)

    def query(self, order_no: str) -> tuple[int, dict[str, Any]]:
        secret = self._simulator.secret()
        number = quote(order_no, safe="")
        names = f"service_id={secret['service_id']}&out_order_no={number}&appid={secret['appid']}"
        status, text = self.request(f"{ORDERS}?{names}")
        return status, json.loads(text)


def test_it_completes_and_queries_an_order(simulator: Simulator, order_no: str) -> None:
    simulator.open_order(order_no)
    peer = Peer(simulator)
    status, accepted = peer.complete(order_no)
    assert (status, accepted["order_id"]) == (200, simulator.order(order_no)["order_id"])
    status, queried = peer.query(order_no)
    assert (status, queried["state"], queried["total_amount"]) == (200, "FINISHED", 300)
    assert all(request["verified"] for request in simulator.requests(order_no))


@pytest.mark.parametrize("fault", ["wrong_signature", "signtest"])
def test_it_refuses_a_wrong_signature(simulator: Simulator, order_no: str, fault: str) -> None:
    simulator.open_order(order_no)
    peer = Peer(simulator)
    simulator.script(order_no, "query", fault=fault)
    with pytest.raises(Exception, match=r"^failed to verify the signature$"):
        peer.query(order_no)


def test_a_refusal_reaches_it_as_wechat_pay_words_it(simulator: Simulator, order_no: str) -> None:
    simulator.open_order(order_no)
    status, refused = Peer(simulator).complete(order_no, total_amount=301)
    assert (status, refused["code"], refused["detail"]["field"]) == (400, "PARAM_ERROR", "/total_amount")


def test_the_simulator_refuses_what_it_signs_with_another_key(simulator: Simulator, order_no: str) -> None:
    simulator.open_order(order_no)
    peer = Peer(simulator)
    with Simulator() as other:
        peer._private_key = load_pem_private_key(other.secret()["merchant_private_key"].encode(), None)
    status, refused = peer.query(order_no)
    assert (status, refused["code"]) == (401, "SIGN_ERROR")


def test_both_sign_a_request_alike(simulator: Simulator) -> None:
    secret = simulator.secret()
    signer = parse(json.dumps(secret), secret["mchid"]).signer
    body = json.dumps({"fee_name": "可乐"}, ensure_ascii=False)
    target = f"{ORDERS}/A%7Cb%2A1/complete"
    theirs = utils.build_authorization(
        target, "POST", signer.mchid, signer.serial_no, signer.private_key, data=body, nonce_str="N"
    )
    claims = dict(re.findall(r'(\w+)="([^"]*)"', theirs))
    ours = signer.authorization("POST", target, body.encode(), timestamp=int(claims["timestamp"]), nonce="N")
    assert dict(re.findall(r'(\w+)="([^"]*)"', ours)) == claims
    assert ours.split(" ")[0] == theirs.split(" ")[0]


def test_it_verifies_what_the_layer_signs_and_the_layer_what_it_signs(simulator: Simulator) -> None:
    secret = simulator.secret()
    signer = parse(json.dumps(secret), secret["mchid"]).signer
    public_key = signer.private_key.public_key()
    body = '{"message":"可乐"}'
    ours = signer.sign(f"1700000000\nN\n{body}\n".encode())
    assert utils.rsa_verify("1700000000", "N", body, ours, public_key)
    assert not utils.rsa_verify("1700000000", "N", body + " ", ours, public_key)
    headers = CaseInsensitiveDict(
        {
            "Wechatpay-Timestamp": "1700000000",
            "Wechatpay-Nonce": "N",
            "Wechatpay-Serial": "S",
            "Wechatpay-Signature": utils.rsa_sign(signer.private_key, f"1700000000\nN\n{body}\n"),
        }
    )
    SignedMessage.parse(headers, body.encode(), 1_700_000_000).verify(public_key)
    with pytest.raises(NotVerified):
        SignedMessage.parse(headers, body.encode() + b" ", 1_700_000_000).verify(public_key)


def test_both_decrypt_the_certificates_the_simulator_hands_out(simulator: Simulator) -> None:
    secret = simulator.secret()
    status, text = Peer(simulator).request("/v3/certificates", skip_verify=True)
    if simulator.secret().get("wechatpay_public_key_id"):
        assert (status, json.loads(text)["code"]) == (404, "RESOURCE_NOT_EXISTS")
        return
    sealed = json.loads(text)["data"][0]["encrypt_certificate"]
    parts = {name: sealed[name] for name in ("nonce", "associated_data", "ciphertext")}
    theirs = utils.aes_decrypt(apiv3_key=secret["api_v3_key"], **parts)
    assert decrypt(secret["api_v3_key"].encode(), **parts).decode() == theirs
    serials = [
        each.serial_number for each in decrypted_certificates(text.encode(), secret["api_v3_key"].encode())
    ]
    assert serials == [each.serial_number for each in Peer(simulator)._certificates]
