"""AWS Secrets Manager on loopback, as far as GetSecretValue goes: boto3 really calls it over a socket."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class SecretsManager:
    """Answers GetSecretValue. `with SecretsManager() as secrets_manager:`"""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._failure: tuple[int, str] | None = None
        self.reads: list[str] = []
        self.ever_stored: list[str] = []
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

    def put(self, name: str, value: str | dict[str, Any]) -> None:
        """Store the current version of a secret."""
        text = value if isinstance(value, str) else json.dumps(value)
        self._values[name] = text
        self.ever_stored.append(text)

    def delete(self, name: str) -> None:
        del self._values[name]

    def fail(self, code: str | None, status: int = 400) -> None:
        """Answer every call with this error, until told None."""
        self._failure = (status, code) if code else None

    def answer(self, name: str) -> tuple[int, dict[str, Any]]:
        self.reads.append(name)
        if self._failure is not None:
            status, code = self._failure
            return status, {"__type": code, "Message": "told to fail"}
        if name not in self._values:
            return 400, {"__type": "ResourceNotFoundException", "Message": "no such secret"}
        return 200, {"Name": name, "SecretString": self._values[name], "VersionStages": ["AWSCURRENT"]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        manager = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # With Nagle's algorithm the body would wait for the acknowledgement of the headers.
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
                status, answer = manager.answer(asked["SecretId"])
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing: what a test prints should be what the function prints."""

        return Handler
