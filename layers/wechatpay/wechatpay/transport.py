"""Carrying bytes to WeChat Pay and back, and knowing for sure whether any left.

One kept-alive `requests` session: TLS on, no redirects, no proxies or `.netrc` from the environment, no
cookies, no retries of its own. Whether to send again is a question of money, so it is not answered here.
"""

import http.client
import io
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection

from .errors import NoAnswer, NothingSent

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


class _Attempt(threading.local):
    """What is known of the call this thread is making. The connections below keep it true."""

    bytes_left = False
    deadline = 0.0


_attempt = _Attempt()


class _UntilDeadline(io.RawIOBase):
    """Reads of a socket that share one deadline: a timeout per read would let a slow drip last for ever."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = _attempt.deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the reply was not complete in time")
        self._sock.settimeout(remaining)
        count = self._raw.readinto(buffer)
        self.ended = count == 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._stream = _UntilDeadline(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._stream)

    def begin(self) -> None:
        super().begin()
        if self._stream.ended:  # http.client takes the end of the stream for the end of the headers
            raise http.client.RemoteDisconnected("the reply ended within its headers")


class _Witness(HTTPConnection):
    """Marks the moment the first byte may leave. Before it nothing was sent; after it nobody can know."""

    response_class = _Response

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if not _attempt.bytes_left and time.monotonic() >= _attempt.deadline:
            raise TimeoutError("connecting took all the time: nobody would be left to read the reply")
        _attempt.bytes_left = True
        super().send(data)


class _TLSWitness(_Witness, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Witness


class _TLSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TLSWitness


class _Adapter(HTTPAdapter):
    """Trusts through one context, made once: requests would read the authorities for each connection."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._trust, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Add nothing: the context verifies, and `verify=True` keeps it from being told otherwise."""


class _Session(requests.Session):
    def __init__(self, trust: ssl.SSLContext) -> None:
        super().__init__()
        self.trust_env = False
        self.headers.clear()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.mount("https://", _Adapter(trust))
        self.mount("http://", _Adapter(trust))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Never follow: a redirect would carry a signed order to a host nobody configured."""


class Transport:
    """Sends one request to one host and reads one whole reply, within a time.

    Args:
        ca_bundle: path of the certificate authorities to trust instead of certifi's; for loopback TLS.
        wall_clock: UNIX seconds. Not the monotonic clock, which stands still while Lambda freezes a function.
    """

    def __init__(self, *, ca_bundle: str | None = None, wall_clock: Callable[[], float] = time.time) -> None:
        self._session = _Session(ssl.create_default_context(cafile=ca_bundle or DEFAULT_CA_BUNDLE_PATH))
        self._wall_clock = wall_clock
        self._last_used: dict[str, float] = {}

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
        self._forget_idle_connections(host)
        _attempt.bytes_left = False
        _attempt.deadline = time.monotonic() + timeout
        try:
            request = requests.Request(method, host + target, headers=dict(headers), data=body).prepare()
            request.url = host + target
            with self._session.send(
                request,
                stream=True,
                allow_redirects=False,
                timeout=(min(CONNECT_SECONDS, timeout), timeout),
                verify=True,
                proxies={},
            ) as response:
                reply = Reply(response.status_code, response.headers, _whole_body(response))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as exc:
            reason = f"{method} {host}: {type(exc).__name__}"
            if not _attempt.bytes_left:
                raise NothingSent(f"{reason} before anything was sent") from exc
            raise NoAnswer(f"{reason} after the request was sent") from exc
        self._last_used[host] = self._wall_clock()
        return reply

    def _forget_idle_connections(self, host: str) -> None:
        idle = self._wall_clock() - self._last_used.get(host, 0.0)
        if not 0 <= idle < IDLE_SECONDS:
            self._session.close()


def _whole_body(response: requests.Response) -> bytes:
    body = bytearray()
    while piece := response.raw.read(MAX_REPLY_BYTES + 1 - len(body), decode_content=False):
        body += piece
        if len(body) > MAX_REPLY_BYTES:
            raise NoAnswer(f"HTTP {response.status_code} with more than {MAX_REPLY_BYTES} bytes")
    return bytes(body)
