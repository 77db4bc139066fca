"""What the measured programs run in: the simulator and Secrets Manager on loopback, and Lambda's paths."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import certifi
from wechatpay_sandbox.client import Client

from local.aws.embedded import FUNCTION_PYTHON, REGION
from tools.build import BUILD
from tools.process import Process, running

SIDES = Path(__file__).parent / "sides"
FUNCTION = BUILD / "CompleteOrderFunction"
LAYERS = (BUILD / "DependenciesLayer" / "python", BUILD / "WeChatPayLayer" / "python")
OUT_ORDER_NO = "BENCH-20251001-0001"
TARGET = f"/v3/payscore/smartretail-orders/{OUT_ORDER_NO}/complete"
# An order as a cabinet sends it. It carries its ticket, so that settling it is one call to WeChat Pay.
EVENT: dict[str, Any] = {
    "out_order_no": OUT_ORDER_NO,
    "finish_type": 2,
    "real_service_start_time": "20251001120000",
    "real_service_end_time": "20251001120312",
    "real_service_end_location": "南山区科技园",
    "fees": [
        {"fee_name": "可口可乐", "fee_count": 2, "fee_amount": 700, "fee_desc": "3.5元/罐"},
        {"fee_name": "薯片", "fee_count": 1, "fee_amount": 600},
    ],
    "discounts": [{"discount_name": "满减优惠", "discount_amount": 100}],
    "total_amount": 1200,
    "profit_sharing": False,
    "finish_ticket": "BENCH-TICKET",
}

# The same to the successor, which takes no ticket: one call, too.
SERVICE_ORDER: dict[str, Any] = {
    **{name: value for name, value in EVENT.items() if name != "finish_ticket"},
    "out_order_no": "BENCH-20251001-0002",
    "order_api": "serviceorder",
}


@dataclass(frozen=True)
class WeChatPay:
    """A WeChat Pay on loopback.

    Attributes:
        host: base URL.
        authority: file of the certificate authority to trust.
        ca_file: the same among the real authorities: who loads it loads as much as on the internet.
        secret: the merchant's secret.
    """

    host: str
    authority: str
    ca_file: str
    secret: dict[str, Any]


class Rig(contextlib.ExitStack):
    """Starts what is measured and what it needs; stops all of it on leaving.

    Attributes:
        directory: temporary files.
    """

    def __enter__(self) -> Self:
        self.directory = Path(super().__enter__().enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        return self

    def simulator(self) -> WeChatPay:
        """Start the simulator over TLS, with the orders of `EVENT` and `SERVICE_ORDER` in it."""
        options = ["--tls", "--quiet", "--debit-after", "never"]
        process = self.process([sys.executable, "-m", "wechatpay_sandbox", *options])
        ready = process.ready
        control = Client(ready["control"], timeout=10)
        control.open_order(OUT_ORDER_NO, finish_ticket=EVENT["finish_ticket"])
        control.open_order(SERVICE_ORDER["out_order_no"], api=SERVICE_ORDER["order_api"])
        ca_file = ready["ca_file"]
        return WeChatPay(ready["hosts"][0], ca_file, self._trusting(ca_file), control.secret())

    def answering(self) -> WeChatPay:
        """Start the server that accepts every completion."""
        ready = self.process([sys.executable, "-m", "benchmarks.answering"]).ready
        trusted = self._trusting(ready["ca_file"])
        return WeChatPay(ready["host"], ready["ca_file"], trusted, ready["secret"])

    def farther(self, wechatpay: WeChatPay, milliseconds: float) -> WeChatPay:
        """Put a round trip of so many milliseconds between the sides and this host."""
        if not milliseconds:
            return wechatpay
        port = wechatpay.host.rpartition(":")[2]
        proxy = self.process([sys.executable, "-m", "benchmarks.round_trip", port, str(milliseconds)])
        return replace(wechatpay, host=f"https://127.0.0.1:{proxy.ready}")

    def secrets_manager(self, secret: dict[str, Any]) -> str:
        """Start a Secrets Manager that knows this one secret. Returns its base URL."""
        answer = json.dumps({"SecretString": json.dumps(secret)}).encode()
        server = ThreadingHTTPServer(("127.0.0.1", 0), _answering(answer))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        self.callback(server.server_close)
        self.callback(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}"

    def function_environment(
        self, wechatpay: WeChatPay, *, paths: Sequence[Path] = (FUNCTION, *LAYERS), **settings: Any
    ) -> dict[str, str]:
        """The environment of a Lambda that holds the built function, for a program of `sides`."""
        return {
            **_nothing_of_aws(),
            # Lambda's order of paths. Its file system is read-only: bytecode is what was shipped or is not.
            "PYTHONPATH": os.pathsep.join(str(path) for path in paths),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.secrets_manager(wechatpay.secret),
            "MERCHANT_SECRET_PREFIX": "wechatpay/merchants/",
            "DEFAULT_MCHID": wechatpay.secret["mchid"],
            "WECHATPAY_HOSTS": wechatpay.host,
            "POWERTOOLS_SERVICE_NAME": "complete-order",
            "POWERTOOLS_METRICS_NAMESPACE": "SmartRetail",
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "BENCHMARK": self._settings(wechatpay, **settings),
        }

    def side_environment(self, wechatpay: WeChatPay, **settings: Any) -> dict[str, str]:
        """The environment of a peer, for a program of `sides`."""
        return {**_nothing_of_aws(), "BENCHMARK": self._settings(wechatpay, **settings)}

    def process(self, command: list[str | Path], environment: dict[str, str] | None = None) -> Process:
        """Start a program that writes one line of JSON when it is ready, and wait for that."""
        return self.enter_context(running(command, environment))

    def _settings(self, wechatpay: WeChatPay, **settings: Any) -> str:
        body = {name: value for name, value in EVENT.items() if name != "out_order_no"}
        secret = wechatpay.secret
        known = {
            "event": EVENT,
            "target": TARGET,
            "body": {"appid": secret["appid"], "service_id": secret["service_id"], **body},
            "log": str(self.directory / "function.log"),
        }
        return json.dumps({**vars(wechatpay), **known, **settings})

    def _trusting(self, ca_file: str) -> str:
        """Return the path of a bundle with loopback's authority among the real ones."""
        bundle = self.directory / f"{Path(ca_file).parent.name}.pem"
        bundle.write_bytes(Path(certifi.where()).read_bytes() + Path(ca_file).read_bytes())
        return str(bundle)


def function_command(program: str) -> list[str | Path]:
    """The command that runs a program of `sides` on the interpreter of the functions."""
    if not FUNCTION_PYTHON.exists() or not FUNCTION.exists():
        raise RuntimeError("nothing is built: run `make build`")
    return [FUNCTION_PYTHON, SIDES / program]


def _nothing_of_aws() -> dict[str, str]:
    """This environment without the user's own AWS and without proxies: everything here is on loopback."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "PYTHON")) and not name.lower().endswith("_proxy")
    }
    return {**kept, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def _answering(answer: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None: ...

    return Handler
