"""DynamoDB and Step Functions on loopback, as far as this function calls them, over real sockets."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

EXECUTION = "arn:aws:states:us-east-1:000000000000:execution:ServiceEnded:one"


class Aws:
    """Holds waiting orders and their tokens. `with Aws() as aws:`"""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.waiting: set[str] = set()
        self.running: set[str] = set()
        self.woken: list[str] = []
        self.calls: list[str] = []
        self.failing: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def wait_for(self, snapshot: dict[str, Any], token: str, **changes: Any) -> None:
        """Do what the state AwaitNotice does for an order."""
        item = {
            "appid": {"S": "wxd678efh567hg6787"},
            "service_id": {"S": "500001"},
            "total_amount": {"N": str(snapshot["total_amount"])},
            "execution": {"S": f"{EXECUTION}-{snapshot['out_order_no']}"},
            "token": {"S": token},
            **changes,
        }
        self.items[f"1900000001/{snapshot['out_order_no']}"] = item
        self.waiting.add(token)
        self.running.add(item["execution"]["S"])

    def answer(self, operation: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.calls.append(operation)
        if operation in self.failing:
            return 400, {"__type": self.failing[operation], "message": "told to fail"}
        if operation == "GetItem":
            item = self.items.get(asked["Key"]["order"]["S"])
            return 200, {"Item": item} if item else {}
        if operation == "SendTaskSuccess":
            if asked["taskToken"] not in self.waiting:
                return 400, {"__type": "TaskTimedOut", "message": "no longer"}
            self.waiting.remove(asked["taskToken"])
            self.woken.append(asked["taskToken"])
            return 200, {}
        runs = asked["executionArn"] in self.running
        described = {
            "executionArn": asked["executionArn"],
            "stateMachineArn": "arn:aws:s:x",
        }
        return 200, {**described, "status": "RUNNING" if runs else "SUCCEEDED", "startDate": 0}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        aws = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = aws.answer(self.headers["X-Amz-Target"].rpartition(".")[2], asked)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing: what a test prints should be what the function prints."""

        return Handler
