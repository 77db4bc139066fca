"""A merchant who has wechatpayv3 and nothing else: one serviceorder order, from its creation to its payment.

Runs where neither this project nor its tests are. Standard input is the line that `wechatpay-sandbox` prints;
standard output is what happened, as JSON. Only the shopper's confirmation is not the merchant's own doing.
"""

import json
import queue
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from wechatpayv3 import WeChatPay, WeChatPayType

NUMBER = "ALONE-1"
GOODS = [{"name": "商品信息", "amount": 300, "description": "可乐", "count": 1}]
arrived: "queue.Queue[tuple[dict[str, str], bytes]]" = queue.Queue()


class Notifications(BaseHTTPRequestHandler):
    """The merchant's address for notifications."""

    def do_POST(self) -> None:
        arrived.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


ready = json.loads(sys.stdin.readline())
files = Path(ready["merchant_files"])
server = HTTPServer(("127.0.0.1", 0), Notifications)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = WeChatPay(
    WeChatPayType.MINIPROG,
    ready["mchid"],
    (files / "apiclient_key.pem").read_text(),
    ready["merchant_serial_no"],
    ready["appid"],
    (files / "api_v3_key.txt").read_text().strip(),
    notify_url=f"http://127.0.0.1:{server.server_port}/notifications",
    public_key=(files / "pub_key.pem").read_text(),
    public_key_id=ready["wechatpay_public_key_id"],
)
client._core._gate_way = ready["hosts"][0]
service_id = ready["service_id"]


def document(reply: tuple[int, str]) -> dict[str, object]:
    """The document of a reply that wechatpayv3 has verified."""
    status, text = reply
    if status != 200:
        sys.exit(f"{status} {text}")
    return dict(json.loads(text))


def notification() -> dict[str, object]:
    """The next notification, verified and decrypted."""
    headers, body = arrived.get(timeout=60)
    return dict(client.callback(headers, body))


happened: list[object] = []
created = client.payscore_create(
    NUMBER,
    service_id,
    "智能柜购物",
    {"start_time": "OnAccept"},
    {"name": "ESTIMATE_ORDER_COST", "amount": 20000},
    need_user_confirm=True,
)
happened.append(document(created)["state"])
shopper = urllib.request.Request(f"{ready['control']}/orders/{NUMBER}/confirm", method="POST")
urllib.request.build_opener(urllib.request.ProxyHandler({})).open(shopper).close()
happened.append(notification()["event_type"])
happened.append(document(client.payscore_query(service_id, NUMBER))["state_description"])
end = {"end_time": "20251001183147"}
completed = client.payscore_complete(NUMBER, service_id, GOODS, 300, time_range=end)
happened.append(document(completed)["state_description"])
paid = notification()
happened += [paid["event_type"], paid["resource"]["collection"]["paid_amount"]]
happened.append(document(client.payscore_query(service_id, NUMBER))["collection"]["state"])
server.shutdown()
print(json.dumps(happened))
