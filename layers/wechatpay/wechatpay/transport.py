"""Carrying bytes to WeChat Pay and back, and knowing for sure whether any left.

`requests` carries them by its adapter, which keeps connections alive and does no more: its session would also
follow redirects, send cookies back and take proxies and `.netrc` from the environment. Nor is anything sent
twice here: whether to send again is a question of money.
"""

import logging
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH, check_header_validity

from .connection import Pool, TLSPool, attempt
from .errors import NoAnswer, NothingSent
from .hosts import FailedHosts

# WeChat Pay closes a connection after about 8 s of silence. A request written into one that is just being
# closed is lost in doubt, so an older connection is never used again (the official Java SDK keeps them 7 s).
IDLE_SECONDS = 5.0
CONNECT_SECONDS = 2.0
MAX_REPLY_BYTES = 1 << 20

# Its warnings quote URLs and malformed replies, which are not on the list of what may be logged.
logging.getLogger("urllib3").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Reply:
    """A whole HTTP reply as it came: nothing decoded, nothing believed yet."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Adapter(HTTPAdapter):
    """Carries to one host. What requests would work out for every request or connection is settled once.

    Attributes:
        last_used: when the last whole reply came, UNIX seconds.
    """

    last_used = float("-inf")

    def __init__(self, host: str, trust: ssl.SSLContext) -> None:
        if not host.startswith(("https://", "http://")):  # urllib3 would send in clear, to port 80
            raise requests.exceptions.MissingSchema(host)
        self._host = host
        self._trust = trust
        super().__init__()
        self._pool: urllib3.HTTPConnectionPool = self.poolmanager.connection_from_url(host)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._trust, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": TLSPool}

    def get_connection_with_tls_context(self, *_args: Any, **_kwargs: Any) -> urllib3.HTTPConnectionPool:
        return self._pool

    def request_url(self, request: requests.PreparedRequest, _proxies: object) -> str:
        """Return path and query as they were signed."""
        return str(request.url).removeprefix(self._host)

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Return the reply as it came: nobody here asks for cookies or for the encoding of a text."""
        response = requests.Response()
        response.status_code, response.headers, response.raw = resp.status, resp.headers, resp
        return response

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Add nothing: the context verifies, and nothing here tells it otherwise."""


class Transport:
    """Sends one request to one host and reads one whole reply, within a time.

    Args:
        ca_bundle: path of the certificate authorities to trust instead of certifi's; for loopback TLS.
        wall_clock: UNIX seconds. Not the monotonic clock, which stands still while Lambda freezes a function.

    Attributes:
        failed_hosts: the hosts that gave no reply of late, or a 5xx.
    """

    def __init__(self, *, ca_bundle: str | None = None, wall_clock: Callable[[], float] = time.time) -> None:
        self._trust = ssl.create_default_context(cafile=ca_bundle or DEFAULT_CA_BUNDLE_PATH)
        self._adapters: dict[str, _Adapter] = {}
        self._wall_clock = wall_clock
        self.failed_hosts = FailedHosts(wall_clock)

    def send(
        self, method: str, host: str, target: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> Reply:
        """Send these bytes and return the whole reply, whatever its status.

        Args:
            method: HTTP method.
            host: base URL without a trailing slash, such as `https://api.mch.weixin.qq.com`.
            target: path and query, already percent-encoded; goes onto the wire as it is.
            headers: request headers.
            body: request body.
            timeout: seconds for all of it: connecting, sending and reading to the last byte.

        Raises:
            NothingSent: not one byte left.
            NoAnswer: bytes left, and no whole reply of at most 1 MiB came back in time.
        """
        if timeout <= 0:
            raise NothingSent(f"{method} {host}: no time left")
        attempt.bytes_left = False
        attempt.deadline = time.monotonic() + timeout
        try:
            adapter = self._adapter(host)
            request = _as_it_is(method, host + target, headers, body)
            with adapter.send(
                request, stream=True, timeout=(min(CONNECT_SECONDS, timeout), timeout)
            ) as response:
                reply = Reply(response.status_code, response.headers, _whole_body(response))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as exc:
            self.failed_hosts.add(host)
            reason = f"{method} {host}: {type(exc).__name__}"
            if not attempt.bytes_left:
                raise NothingSent(f"{reason} before anything was sent") from exc
            raise NoAnswer(f"{reason} after the request was sent") from exc
        adapter.last_used = self._wall_clock()
        if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.failed_hosts.add(host)
        return reply

    def _adapter(self, host: str) -> _Adapter:
        """Return what carries to this host; after a silence a new one, whose connections are new."""
        adapter = self._adapters.get(host)
        if adapter is None or not 0 <= self._wall_clock() - adapter.last_used < IDLE_SECONDS:
            adapter = self._adapters[host] = _Adapter(host, self._trust)
        return adapter


def _as_it_is(method: str, url: str, headers: Mapping[str, str], body: bytes) -> requests.PreparedRequest:
    """Return a request of exactly these parts: what signs them has left requests nothing to prepare.

    Raises:
        requests.exceptions.InvalidHeader: a header would be taken for two.
    """
    for header in headers.items():
        check_header_validity(header)
    request = requests.PreparedRequest()
    request.method, request.url, request.body = method, url, body or None
    request.headers = CaseInsensitiveDict({**headers, "Content-Length": str(len(body))} if body else headers)
    return request


def _whole_body(response: requests.Response) -> bytes:
    body = bytearray()
    while piece := response.raw.read(MAX_REPLY_BYTES + 1 - len(body), decode_content=False):
        body += piece
        if len(body) > MAX_REPLY_BYTES:
            raise NoAnswer(f"HTTP {response.status_code} with more than {MAX_REPLY_BYTES} bytes")
    return bytes(body)
