"""A merchant that signs for itself: nothing here comes from the product or the simulator."""

import base64
import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate
from wechatpay_sandbox import Simulator

ORDERS = "/v3/payscore/smartretail-orders"
_numbers = itertools.count(1)


class Merchant:
    """Sends signed requests over real sockets and verifies the replies, from the secret alone."""

    def __init__(self, secret: dict[str, Any], base_url: str) -> None:
        self.secret = secret
        self.base_url = base_url
        self.key = load_pem_private_key(
            secret["merchant_private_key"].encode(), None, unsafe_skip_rsa_key_validation=True
        )
        self.session = requests.Session()
        self.session.trust_env = False

    def authorization(self, method: str, target: str, body: bytes = b"", **changes: str) -> str:
        claims = {
            "mchid": self.secret["mchid"],
            "nonce_str": secrets.token_hex(16),
            "timestamp": str(int(time.time())),
            "serial_no": self.secret["merchant_serial_no"],
        } | changes
        text = f"{method}\n{target}\n{claims['timestamp']}\n{claims['nonce_str']}\n".encode() + body + b"\n"
        signature = base64.b64encode(self.key.sign(text, PKCS1v15(), SHA256())).decode()
        pairs = ",".join(f'{k}="{v}"' for k, v in ({"signature": signature} | claims | changes).items())
        return f"WECHATPAY2-SHA256-RSA2048 {pairs}"

    def headers(self, method: str, target: str, body: bytes = b"", **changes: str) -> dict[str, str]:
        headers = {
            "Authorization": self.authorization(method, target, body),
            "Accept": "application/json",
            "User-Agent": "independent-merchant/1",
        }
        if method == "POST":
            headers["Content-Type"] = "application/json"
        return headers | changes

    def send(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        headers: dict[str, str] | None = None,
        timeout: float = 10,
        base_url: str | None = None,
    ) -> requests.Response:
        headers = self.headers(method, target, body) if headers is None else headers
        request = requests.Request(method, "http://placeholder/", headers=headers, data=body or None)
        prepared = self.session.prepare_request(request)
        prepared.headers = requests.structures.CaseInsensitiveDict({**prepared.headers, **headers})
        for name in [n for n, v in prepared.headers.items() if v is None]:
            del prepared.headers[name]
        prepared.url = (base_url or self.base_url) + target
        return self.session.send(prepared, timeout=timeout, allow_redirects=False)

    def target(self, out_order_no: str) -> str:
        return f"{ORDERS}/{quote(out_order_no, safe='')}/complete"

    def body(self, ticket: str, **changes: Any) -> dict[str, Any]:
        document = {
            "appid": self.secret["appid"],
            "service_id": self.secret["service_id"],
            "finish_type": 2,
            "real_service_start_time": "20240601101500",
            "real_service_end_time": "20240601102000",
            "real_service_end_location": "深圳腾大 8 楼",
            "fees": [
                {"fee_name": "可乐", "fee_count": 2, "fee_amount": 700},
                {"fee_name": "薯片", "fee_amount": 600, "fee_desc": "每包 6 元"},
            ],
            "discounts": [{"discount_name": "满10减1", "discount_amount": 100}],
            "total_amount": 1200,
            "finish_ticket": ticket,
            "profit_sharing": False,
        } | changes
        return {name: value for name, value in document.items() if value is not ...}

    def complete(self, out_order_no: str, document: Any, **options: Any) -> requests.Response:
        body = document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode()
        return self.send("POST", self.target(out_order_no), body, **options)

    def query_target(self, number: str, api: str = ORDERS, /, **changes: str) -> str:
        parameters = {
            "service_id": self.secret["service_id"],
            "out_order_no": number,
            "appid": self.secret["appid"],
        } | changes
        return f"{api}?{urlencode({k: v for k, v in parameters.items() if v is not ...})}"

    def query(self, number: str, api: str = ORDERS, /, **changes: str) -> requests.Response:
        return self.send("GET", self.query_target(number, api, **changes))

    def known_keys(self) -> dict[str, RSAPublicKey]:
        keys: dict[str, Any] = {}
        if "wechatpay_public_key" in self.secret:
            pem = self.secret["wechatpay_public_key"].encode()
            keys[self.secret["wechatpay_public_key_id"]] = load_pem_public_key(pem)
        for text in self.secret.get("wechatpay_certificates", []):
            certificate = load_pem_x509_certificate(text.encode())
            keys[f"{certificate.serial_number:X}"] = certificate.public_key()
        return keys

    def verify(self, response: requests.Response) -> None:
        """Raise unless the reply is signed now by a key of the secret."""
        timestamp = response.headers["Wechatpay-Timestamp"]
        if abs(time.time() - int(timestamp)) > 300:
            raise TimeoutError(timestamp)
        key = self.known_keys()[response.headers["Wechatpay-Serial"]]
        text = f"{timestamp}\n{response.headers['Wechatpay-Nonce']}\n".encode() + response.content + b"\n"
        signature = base64.b64decode(response.headers["Wechatpay-Signature"], validate=True)
        key.verify(signature, text, PKCS1v15(), SHA256())


def tail(response: requests.Response) -> str:
    return response.headers["Request-ID"].rpartition("-")[2]


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(debit_after=3600) as simulator:
        yield simulator


@pytest.fixture
def merchant(sim: Simulator) -> Iterator[Merchant]:
    merchant = Merchant(sim.secret(), sim.hosts[0])
    yield merchant
    merchant.session.close()
    sim.clear_faults()


@pytest.fixture
def number() -> str:
    """An order number nobody has used, with every awkward character WeChat Pay allows."""
    return f"A_z-{next(_numbers)}|*"


@pytest.fixture
def opened(sim: Simulator, number: str) -> str:
    """The number of an order whose shopper has closed the door."""
    sim.open_order(number)
    return number


@pytest.fixture
def ticket(sim: Simulator, opened: str) -> str:
    return str(sim.order(opened)["finish_ticket"])


@pytest.fixture
def as_merchant() -> Callable[[Simulator], Merchant]:
    """A merchant of any simulator, with the secret as it is now."""
    return lambda simulator: Merchant(simulator.secret(), simulator.hosts[0])


@pytest.fixture
def internal_code() -> Callable[[requests.Response], str]:
    """The digits after the last dash of Request-ID."""
    return tail
