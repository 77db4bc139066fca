"""Carrying bytes to WeChat Pay and back, and knowing for sure whether any left.

One `requests.Session` carries them. It follows no redirect, keeps no cookie and takes nothing from the
environment; and nothing is sent twice here: whether to send again is a question of money.
"""

import logging
import ssl
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from .connection import Pool, TLSPool, Wire
from .errors import NoAnswer, NothingSent
from .hosts import FailedHosts
from .world import World

CONNECT_SECONDS = 2.0
MAX_REPLY_BYTES = 1 << 20

# Its warnings quote URLs and malformed replies, which are not on the list of what may be logged.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class Reply(NamedTuple):
    """A whole HTTP reply as it came: nothing decoded, nothing believed yet."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Adapter(HTTPAdapter):
    """Makes connections of ours, which all trust by one context."""

    def __init__(self, wire: Wire, trust: ssl.SSLContext) -> None:
        self._wire = wire
        self._trust = trust
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._trust, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(Pool, wire=self._wire),
            "https": partial(TLSPool, wire=self._wire),
        }

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Add nothing: the context verifies. requests would read all authorities for every connection."""


class _Session(requests.Session):
    def __init__(self, adapter: HTTPAdapter) -> None:
        super().__init__()
        self.trust_env = False  # no proxy, no .netrc, no other authorities
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Find none: a redirect is a reply. Even unfollowed, requests would read the whole of its body."""


class Transport:
    """Sends one request to one host and reads one whole reply, within a time.

    Args:
        ca_bundle: path of the certificate authorities to trust instead of certifi's; for loopback TLS.
        world: where clocks, randomness and connections come from; see `World`.

    Attributes:
        world: the same, for what stands above.
        failed_hosts: the hosts that gave no reply of late, or a 5xx.
    """

    def __init__(self, *, ca_bundle: str | None = None, world: World | None = None) -> None:
        self.world = world or World()
        self.failed_hosts = FailedHosts(self.world.clock)
        self._trust = ssl.create_default_context(cafile=ca_bundle or DEFAULT_CA_BUNDLE_PATH)
        self._wire = Wire(self.world)
        self._session = _Session(_Adapter(self._wire, self._trust))

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
        self._wire.begin(timeout)
        try:
            request = requests.Request(method, host + target, headers, data=body).prepare()
            if request.path_url != target:
                raise NothingSent(f"{method} {host}: the path would not be sent as it was signed")
            with self._session.send(
                request, stream=True, allow_redirects=False, timeout=(min(CONNECT_SECONDS, timeout), timeout)
            ) as response:
                reply = Reply(response.status_code, response.headers, _whole_body(response))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as exc:
            self.failed_hosts.add(host)
            reason = f"{method} {host}: {type(exc).__name__}"
            if not self._wire.bytes_left:
                raise NothingSent(f"{reason} before anything was sent") from exc
            raise NoAnswer(f"{reason} after the request was sent") from exc
        if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.failed_hosts.add(host)
        return reply


def _whole_body(response: requests.Response) -> bytes:
    body = bytearray()
    while piece := response.raw.read(MAX_REPLY_BYTES + 1 - len(body), decode_content=False):
        body += piece
        if len(body) > MAX_REPLY_BYTES:
            raise NoAnswer(f"HTTP {response.status_code} with more than {MAX_REPLY_BYTES} bytes")
    return bytes(body)
