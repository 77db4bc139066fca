"""A visitor of the console without a browser: plain HTTP, so that every header can be chosen."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

COOKIE = "console_token"


@dataclass(frozen=True)
class Page:
    status: int
    headers: http.client.HTTPMessage
    text: str


class Visitor:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname == "127.0.0.1"
        self.host, self.token = parts.netloc, parts.query.removeprefix("token=")
        self.cookie = ""

    def sign_in(self) -> None:
        self.cookie = f"{COOKIE}={self.token}"

    def get(self, path: str, **headers: str) -> Page:
        return self.ask("GET", path, **headers)

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> Page:
        with self._reply(method, path, body, headers) as reply:
            return Page(reply.status, reply.headers, reply.read().decode())

    def post(self, path: str, body: str = "", **headers: str) -> Page:
        """Post a form as a browser does from our own page."""
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{self.host}"}
        return self.ask("POST", path, body, **{**kind, **headers})

    def parts(self, path: str) -> Iterator[str]:
        """Yield the parts of a page that the server sends as it changes."""
        with self._reply("GET", path, "", {}) as reply:
            for line in reply:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])

    def order(self, number: str) -> Page:
        return self.get(f"/orders/{quote(number, safe='')}")

    @contextmanager
    def _reply(
        self, method: str, path: str, body: str, headers: dict[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self.host, timeout=30)
        cookie = {"Cookie": self.cookie} if self.cookie else {}
        try:
            connection.request(method, path, body or None, {**cookie, **headers})
            yield connection.getresponse()
        finally:
            connection.close()
