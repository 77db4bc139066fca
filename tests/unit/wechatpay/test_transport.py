"""Against real sockets: what is known to have left, one deadline for everything, and nothing from outside."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from wechatpay.connection import IDLE_SECONDS, LOOKUP_SECONDS
from wechatpay.errors import NoAnswer, NothingSent
from wechatpay.transport import MAX_REPLY_BYTES, Reply, Transport
from wechatpay.world import Address, Resolver, World

from tests.unit.wechatpay.memory_wire import MemoryWire
from tests.unit.wechatpay.merchant import shared_transport
from tests.unit.wechatpay.raw_server import Connection, RawServer, answering, http

TARGET = "/v3/payscore/smartretail-orders/A%7Cb%2A1/complete"
BODY = '{"fee_name":"可乐"}'.encode()
HEADERS = {"Accept": "application/json", "Content-Type": "application/json", "Authorization": "ours"}
SHORT = 0.3
LONG = 5.0
HUGE = 64 << 20
# What can be on its way between a writer and a reader that has stopped reading: both socket buffers.
BUFFERED = 16 << 20


def send(
    host: str, *, transport: Transport | None = None, timeout: float = LONG, method: str = "POST"
) -> Reply:
    body = BODY if method == "POST" else b""
    return (transport or Transport()).send(method, host, TARGET, HEADERS, body, timeout)


def after_request(then: Callable[[Connection], None]) -> Callable[[Connection], None]:
    def behave(connection: Connection) -> None:
        connection.read_request()
        then(connection)

    return behave


def sending(data: bytes) -> Callable[[Connection], None]:
    return after_request(lambda connection: connection.send(data))


# What was sent and what came back


def test_the_bytes_on_the_wire_are_the_bytes_given() -> None:
    with RawServer(answering(http())) as server:
        send(server.url)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == f"POST {TARGET} HTTP/1.1".encode()
    assert body == BODY


@pytest.mark.parametrize(
    "target", ["/v3/a%7Cb%2A?x=%E5%8F%AF&y=%7C%2A", "/v3/%25%2F%3F%23%20", "/v3/a~b!$'()_.-"]
)
def test_a_path_is_neither_decoded_nor_encoded_again(target: str) -> None:
    with RawServer(answering(http())) as server:
        Transport().send("GET", server.url, target, {}, b"", LONG)
    assert server.requests[0].startswith(f"GET {target} HTTP/1.1\r\n".encode())


def test_the_headers_on_the_wire_are_those_given_and_what_http_needs() -> None:
    with RawServer(answering(http())) as server:
        send(server.url)
        send(server.url, method="GET")
    names = [
        sorted(line.partition(b":")[0].decode() for line in request.split(b"\r\n\r\n")[0].split(b"\r\n")[1:])
        for request in server.requests
    ]
    given_ones = ["Accept", "Accept-Encoding", "Authorization", "Content-Type", "Host", "User-Agent"]
    assert set(names[0]) <= {*given_ones, "Content-Length"}
    assert set(names[1]) <= set(given_ones)


def test_head_and_body_leave_in_one_write() -> None:
    written: list[bytes] = []
    wire = MemoryWire(lambda request: http(), 0.0)

    def keeping(address: Address, seconds: float) -> Any:
        sock: Any = wire.world().connect(address, seconds)
        write = sock.sendall
        sock.sendall = lambda data: (written.append(bytes(data)), write(data))
        return sock

    send("http://wechatpay.example", transport=Transport(world=wire.world()._replace(connect=keeping)))
    assert written == wire.requests
    assert written[0].endswith(BODY)


def test_a_path_that_would_be_sent_otherwise_than_signed_is_nothing_sent() -> None:
    with RawServer(answering(http())) as server:
        for target in ("/v3/a b", "/v3/a%2", "/v3/%41", "/v3/a#b"):
            with pytest.raises(NothingSent, match="as it was signed"):
                Transport().send("GET", server.url, target, {}, b"", LONG)
    assert server.accepted == 0


def test_a_get_carries_no_body_and_no_length() -> None:
    with RawServer(answering(http())) as server:
        send(server.url, method="GET")
    assert server.requests[0].endswith(b"\r\n\r\n")
    assert b"ength" not in server.requests[0]


@pytest.mark.parametrize("status", [200, 202, 400, 401, 404, 429, 500, 502, 503])
def test_any_status_is_a_reply_with_its_raw_body(status: int) -> None:
    body = b'{"message":\xff"'
    with RawServer(answering(http(body, status=f"{status} X", headers="Request-ID: 08-1\r\n"))) as server:
        reply = send(server.url)
    assert (reply.status, reply.body, reply.headers["request-id"]) == (status, body, "08-1")


def test_a_reply_without_a_body_is_a_reply() -> None:
    with RawServer(answering(b"HTTP/1.1 204 No Content\r\n\r\n")) as server:
        assert send(server.url).body == b""


def test_a_compressed_body_stays_as_it_came() -> None:
    compressed = b"\x1f\x8b\x08\x00nonsense"
    with RawServer(answering(http(compressed, headers="Content-Encoding: gzip\r\n"))) as server:
        assert send(server.url).body == compressed


def test_a_chunked_body_is_put_together() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with RawServer(answering(chunked)) as server:
        assert send(server.url).body == b"abcde"


def test_a_body_of_exactly_the_limit_is_read() -> None:
    with RawServer(answering(http(b"A" * MAX_REPLY_BYTES))) as server:
        assert len(send(server.url).body) == MAX_REPLY_BYTES == 1024 * 1024


# Nothing sent


@pytest.fixture
def refusing() -> Iterator[str]:
    """A port that is taken and does not listen."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


@pytest.fixture
def unanswering() -> Iterator[str]:
    """A port whose queue of connections is full, so that a further one is not even greeted."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_refused_connection_is_nothing_sent(refusing: str) -> None:
    with pytest.raises(NothingSent, match=r"^POST http://127\.0\.0\.1:\d+: \w+ before anything was sent$"):
        send(refusing)


def test_a_connection_that_is_never_made_is_nothing_sent(unanswering: str) -> None:
    with pytest.raises(NothingSent):
        send(unanswering, timeout=SHORT)


def test_a_name_that_does_not_resolve_is_nothing_sent() -> None:
    # Longer than a domain name can be: no resolver is asked, nothing leaves this machine.
    with pytest.raises(NothingSent):
        send("http://" + ".".join(["a" * 60] * 5) + ".invalid")


@pytest.mark.parametrize(
    "host", ["http://a..b", "http://", "no-scheme", "ftp://127.0.0.1", "http://127.0.0.1:x"]
)
def test_a_host_that_makes_no_url_is_nothing_sent(host: str) -> None:
    with pytest.raises(NothingSent):
        send(host)


def test_a_host_that_does_not_say_how_is_not_spoken_to_in_clear() -> None:
    with RawServer(answering(http())) as server:
        with pytest.raises(NothingSent):
            send(server.url.removeprefix("http://"))
        assert server.requests == []


@pytest.mark.parametrize("value", ["a\r\nX-Injected: y", "a\r\n X-Injected: y", "a\nb", " leading"])
def test_a_header_that_would_be_two_is_nothing_sent_and_not_quoted(value: str) -> None:
    with RawServer(answering(http())) as server:
        with pytest.raises(NothingSent) as caught:
            Transport().send("GET", server.url, TARGET, {"Authorization": value}, b"", LONG)
        assert server.requests == []
    assert value not in str(caught.value)


def resolving_to(*hosts: str) -> World:
    """A world in which every name has the addresses of these hosts."""
    addresses = [("127.0.0.1", int(host.rpartition(":")[2])) for host in hosts]
    return World(resolve=lambda host, port, seconds: addresses)


def test_the_next_address_of_a_host_is_tried_when_one_refuses(refusing: str) -> None:
    with RawServer(answering(http())) as server:
        transport = Transport(world=resolving_to(refusing, server.url))
        assert send("http://wechatpay.example", transport=transport).status == 200


def test_all_addresses_of_a_host_share_one_deadline(unanswering: str) -> None:
    limits: list[float] = []
    world = resolving_to(*[unanswering] * 6)

    def keeping(address: Address, seconds: float) -> socket.socket:
        limits.append(seconds)
        return world.connect(address, seconds)

    transport = Transport(world=world._replace(connect=keeping))
    with pytest.raises(NothingSent):
        send("http://wechatpay.example", transport=transport, timeout=SHORT)
    assert limits
    assert sum(limits) <= SHORT


def test_a_name_that_resolves_only_after_the_deadline_is_nothing_sent() -> None:
    now = [0.0]

    def late(host: str, port: int, seconds: float) -> list[Address]:
        now[0] += LONG
        return [(host, port)]

    transport = Transport(world=World(monotonic=lambda: now[0], resolve=late))
    with RawServer(answering(http())) as server:
        with pytest.raises(NothingSent):
            send(server.url, transport=transport)
        assert server.accepted == 0


class SilentNameServer:
    """Answers nothing until it is released, and counts who asks."""

    def __init__(self) -> None:
        self.lookups = 0
        self.answers = threading.Event()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.lookups += 1
        self.answers.wait()
        return socket.getaddrinfo(*args, **kwargs)


def test_a_silent_name_server_takes_a_moment_and_one_thread() -> None:
    names = SilentNameServer()
    limits: list[float] = []
    resolver = Resolver(names)

    def limited(host: str, port: int, seconds: float) -> list[Address]:
        limits.append(seconds)
        return resolver(host, port, 0.01)

    transport = Transport(world=World(resolve=limited))
    with RawServer(answering(http())) as server:
        for _ in range(20):
            with pytest.raises(NothingSent, match="before anything was sent"):
                send(server.url, transport=transport, timeout=16.0)
        assert (names.lookups, server.accepted) == (1, 0)
        assert set(limits) == {LOOKUP_SECONDS}
        names.answers.set()
        assert resolver("127.0.0.1", server.port, LONG) == [("127.0.0.1", server.port)]


def test_a_name_that_cannot_be_resolved_is_reported_every_time() -> None:
    def unknown(*_args: Any, **_kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    resolver = Resolver(unknown)
    for _ in range(2):
        with pytest.raises(socket.gaierror, match="no such name"):
            resolver("wechatpay.example", 443, LONG)


def test_no_time_left_is_nothing_sent() -> None:
    with RawServer(answering(http())) as server, pytest.raises(NothingSent):
        send(server.url, timeout=0.0)
    assert server.requests == []


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def tls_context(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def test_a_trusted_server_is_talked_to_over_tls(authority: trustme.CA, ca_file: str) -> None:
    with RawServer(answering(http(b"secure")), tls=tls_context(authority)) as server:
        transport = Transport(ca_bundle=ca_file)
        assert [send(server.url, transport=transport).body for _ in range(2)] == [b"secure", b"secure"]
    assert server.accepted == 1


def test_one_tls_context_serves_all_connections(authority: trustme.CA, ca_file: str) -> None:
    with RawServer(answering(http()), tls=tls_context(authority)) as server:
        transport = Transport(ca_bundle=ca_file)
        send(server.url, transport=transport)
        adapter = transport._session.get_adapter(server.url)
        pool = adapter.poolmanager.connection_from_url(server.url, {"cert_reqs": "CERT_REQUIRED"})
    assert pool.num_requests == 1
    assert pool.conn_kw["ssl_context"] is transport._trust
    assert pool.ca_certs is None


def test_an_untrusted_certificate_is_nothing_sent_in_any_environment(
    authority: trustme.CA, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, ca_file)
    with RawServer(answering(http()), tls=tls_context(authority)) as server, pytest.raises(NothingSent):
        send(server.url)
    assert server.requests == []


def test_a_certificate_of_another_name_is_nothing_sent(authority: trustme.CA, ca_file: str) -> None:
    with (
        RawServer(answering(http()), tls=tls_context(authority, "api.mch.weixin.qq.com")) as server,
        pytest.raises(NothingSent),
    ):
        send(server.url, transport=Transport(ca_bundle=ca_file))
    assert server.requests == []


def test_a_server_that_does_not_speak_tls_is_nothing_sent() -> None:
    with RawServer(sending(http())) as server, pytest.raises(NothingSent):
        send(server.url.replace("http:", "https:"), timeout=SHORT)


def test_silence_in_the_handshake_is_nothing_sent() -> None:
    with RawServer(Connection.be_silent) as server, pytest.raises(NothingSent):
        send(server.url.replace("http:", "https:"), timeout=SHORT)


def test_a_slow_body_over_tls_is_cut_at_the_deadline(authority: trustme.CA, ca_file: str) -> None:
    with (
        RawServer(after_request(lambda c: c.drip(http(b"A" * 20))), tls=tls_context(authority)) as server,
        pytest.raises(NoAnswer),
    ):
        send(server.url, transport=Transport(ca_bundle=ca_file), timeout=SHORT)


# No answer


@pytest.mark.parametrize("body", [BODY, b"A" * HUGE], ids=["small", "larger than all buffers"])
def test_a_reset_before_the_whole_request_is_read_is_no_answer(body: bytes) -> None:
    def behave(connection: Connection) -> None:
        connection.sock.recv(1)
        connection.reset()

    with RawServer(behave) as server, pytest.raises(NoAnswer, match="after the request was sent"):
        Transport().send("POST", server.url, TARGET, HEADERS, body, LONG)
    assert server.requests == []


def test_a_request_that_nobody_reads_to_its_end_is_no_answer() -> None:
    time_to_begin = 1.0  # a busy machine needs more than SHORT to copy so much
    with RawServer(Connection.be_silent) as server, pytest.raises(NoAnswer):
        Transport().send("POST", server.url, TARGET, HEADERS, b"A" * HUGE, time_to_begin)


def test_a_reset_after_the_request_is_no_answer() -> None:
    with (
        RawServer(after_request(Connection.reset)) as server,
        pytest.raises(NoAnswer, match=r"^POST http://127\.0\.0\.1:\d+: \w+ after the request was sent$"),
    ):
        send(server.url)
    assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_connection_closed_without_a_reply_is_no_answer(method: str) -> None:
    with RawServer(after_request(lambda connection: None)) as server, pytest.raises(NoAnswer):
        send(server.url, method=method)
    assert (server.accepted, len(server.requests)) == (1, 1)


def test_a_kept_connection_lost_under_a_request_is_no_answer() -> None:
    def once_only(connection: Connection) -> None:
        connection.read_request()
        connection.send(http())
        connection.read_request()
        connection.reset()

    transport = Transport()
    with RawServer(once_only, answering(http())) as server:
        send(server.url, transport=transport)
        with pytest.raises(NoAnswer):
            send(server.url, transport=transport)
    assert (server.accepted, len(server.requests)) == (1, 2)


def test_silence_is_no_answer() -> None:
    with RawServer(after_request(Connection.be_silent)) as server, pytest.raises(NoAnswer):
        send(server.url, timeout=SHORT)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nonly this",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200",
        b"",
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 x OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
)
def test_a_reply_cut_short_or_no_http_is_no_answer(reply: bytes) -> None:
    with RawServer(sending(reply)) as server, pytest.raises(NoAnswer):
        send(server.url)


@pytest.mark.parametrize(
    "reply",
    [
        http(b"A" * 20),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nA\r\n" * 10 + b"0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 9 + http(),
    ],
)
def test_a_reply_that_drips_is_cut_at_one_deadline_wherever_it_drips(reply: bytes) -> None:
    # Every byte comes well within any timeout of its own; all of them together do not.
    with (
        RawServer(after_request(lambda connection: connection.drip(reply))) as server,
        pytest.raises(NoAnswer),
    ):
        send(server.url, timeout=SHORT)


def test_a_body_that_drips_after_prompt_headers_is_cut_at_the_deadline() -> None:
    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n")
        connection.drip(b"A" * 20)

    with RawServer(behave) as server, pytest.raises(NoAnswer):
        send(server.url, timeout=SHORT)


def test_a_reply_complete_only_after_the_deadline_is_no_answer() -> None:
    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.pause(0.3)
        connection.send(http(b"late")[:-1])
        connection.pause(0.4)
        connection.send(b"e")

    with RawServer(behave) as server, pytest.raises(NoAnswer):
        send(server.url, timeout=0.5)


def test_a_slow_reply_within_the_time_is_a_reply() -> None:
    with RawServer(after_request(lambda connection: connection.drip(http(), 0.001))) as server:
        assert send(server.url).body == b"{}"


# Too large


@pytest.mark.parametrize(
    "head",
    [
        f"HTTP/1.1 200 OK\r\nContent-Length: {HUGE}\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: {HUGE}\r\n\r\n",
        f"HTTP/1.1 502 Bad Gateway\r\nContent-Length: {HUGE}\r\n\r\n",
    ],
    ids=["announced", "endless", "redirect", "error"],
)
def test_a_reply_above_one_mebibyte_is_refused_without_reading_it_all(head: str) -> None:
    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(head.encode())
        connection.send_until_closed(HUGE)

    with RawServer(behave) as server:
        with pytest.raises(NoAnswer, match="more than 1048576 bytes"):
            send(server.url)
        assert server.ended.acquire(timeout=LONG)
    assert server.written[0] < BUFFERED


def test_a_byte_more_than_the_limit_is_refused() -> None:
    with RawServer(answering(http(b"A" * (MAX_REPLY_BYTES + 1)))) as server, pytest.raises(NoAnswer):
        send(server.url)


def test_after_an_oversized_reply_its_connection_is_not_used_again() -> None:
    transport = Transport()
    with RawServer(answering(http(b"A" * (2 * MAX_REPLY_BYTES))), answering(http(b"next"))) as server:
        with pytest.raises(NoAnswer):
            send(server.url, transport=transport)
        assert send(server.url, transport=transport).body == b"next"
    assert server.accepted == 2


# No redirect followed, nothing read from the environment, no cookie stored


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)
def test_a_redirect_is_a_reply_and_is_not_followed(status: str) -> None:
    with RawServer(answering(http(b"elsewhere"))) as other:
        moved = http(b"moved", status=status, headers=f"Location: {other.url}/\r\n")
        with RawServer(answering(moved)) as server:
            reply = send(server.url)
    assert (reply.status, reply.body) == (int(status[:3]), b"moved")
    assert (len(server.requests), other.accepted) == (1, 0)


def test_cookies_are_not_sent_back() -> None:
    transport = Transport()
    with RawServer(answering(http(headers="Set-Cookie: session=1; Path=/\r\n"))) as server:
        for _ in range(2):
            send(server.url, transport=transport)
    assert len(server.requests) == 2
    assert b"cookie" not in server.requests[1].lower()


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(answering(http(b"proxy"))) as proxy, RawServer(answering(http(b"direct"))) as server:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert send(server.url).body == b"direct"
    assert proxy.accepted == 0


def test_netrc_does_not_replace_our_signature(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with RawServer(answering(http())) as server:
        send(server.url)
    assert b"\r\nAuthorization: ours\r\n" in server.requests[0]


# Connections kept alive


def test_a_connection_is_kept_alive() -> None:
    transport = Transport()
    with RawServer(answering(http())) as server:
        for _ in range(3):
            send(server.url, transport=transport)
    assert (server.accepted, len(server.requests)) == (1, 3)


@pytest.mark.parametrize(
    ("idle", "connections"), [(0.0, 1), (4.9, 1), (5.0, 2), (8.0, 2), (3600.0, 2), (-1.0, 2)]
)
def test_a_connection_idle_for_five_seconds_is_not_used_again(idle: float, connections: int) -> None:
    assert IDLE_SECONDS == 5.0
    now = [1000.0]
    transport = Transport(world=World(clock=lambda: now[0]))
    with RawServer(answering(http())) as server:
        send(server.url, transport=transport)
        now[0] += idle
        send(server.url, transport=transport)
    assert server.accepted == connections


def test_idleness_is_counted_from_the_last_reply() -> None:
    now = [1000.0]
    transport = Transport(world=World(clock=lambda: now[0]))
    with RawServer(answering(http())) as server:
        for _ in range(4):
            send(server.url, transport=transport)
            now[0] += 4.0
    assert server.accepted == 1


def test_the_silence_of_one_host_closes_no_connection_to_another() -> None:
    now = 1000.0
    transport = Transport(world=World(clock=lambda: now))
    with RawServer(answering(http())) as busy, RawServer(answering(http())) as silent:
        send(busy.url, transport=transport)
        send(silent.url, transport=transport)
        for now in (1003.0, 1006.0):  # noqa: B007 - the clock reads it
            send(busy.url, transport=transport)
        send(silent.url, transport=transport)
        send(busy.url, transport=transport)
        assert (busy.accepted, silent.accepted) == (1, 2)


def test_a_connection_closed_by_the_server_is_replaced_before_sending() -> None:
    transport = Transport(world=World(clock=lambda: 1000.0))
    with RawServer(sending(http())) as server:
        for _ in range(2):
            assert send(server.url, transport=transport).status == 200
            assert server.ended.acquire(timeout=LONG)
    assert server.accepted == 2


def test_a_call_on_a_kept_connection_has_its_own_deadline() -> None:
    transport = Transport()
    with RawServer(answering(http(), http())) as server:
        send(server.url, transport=transport, timeout=SHORT)
        send(server.url, transport=transport, timeout=LONG)

    def then_drip(connection: Connection) -> None:
        connection.read_request()
        connection.send(http())
        connection.read_request()
        connection.drip(http(b"A" * 20))

    with RawServer(then_drip) as server:
        send(server.url, transport=transport, timeout=LONG)
        with pytest.raises(NoAnswer):
            send(server.url, transport=transport, timeout=SHORT)


def test_what_failed_to_connect_does_not_make_the_next_failure_look_sent(refusing: str) -> None:
    transport = Transport()
    with RawServer(after_request(Connection.reset)) as server:
        with pytest.raises(NoAnswer):
            send(server.url, transport=transport)
        with pytest.raises(NothingSent):
            send(refusing, transport=transport)


# Anything at all


@pytest.fixture(scope="module")
def scripted() -> Iterator[tuple[RawServer, list[bytes]]]:
    reply = [b""]
    with RawServer(after_request(lambda connection: connection.send(reply[0]))) as server:
        yield server, reply


lines = st.sampled_from(
    [
        b"Content-Type: application/json; charset",
        b"Content-Type: ;;=;charset==\xff",
        b"Content-Length: 2",
        b"Content-Length: -1",
        b"Content-Length: 1e3",
        b"Content-Encoding: gzip, br, x",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: nonsense",
        b"Set-Cookie: a=b; Expires=never; Domain=\xff; Max-Age=x",
        b"Location: http://[::1",
        b"Location: \xe5\x8f\xaf",
        b"Connection: close",
        b" folded",
        b"no colon",
        b": no name",
        b"Wechatpay-Signature: \xff\xfe",
        b"Keep-Alive: timeout=x",
        b"",
    ]
)
replies = st.builds(
    lambda status, headers, body: b"\r\n".join([status, *headers, b"", body]),
    st.sampled_from(
        [
            b"HTTP/1.1 200 OK",
            b"HTTP/1.0 200",
            b"HTTP/1.1 302 Found",
            b"HTTP/1.1 999 ?",
            b"HTTP/9 200",
            b"ICY 200",
        ]
    ),
    st.lists(lines, max_size=5),
    st.binary(max_size=20),
) | st.binary(max_size=60)


@given(data=replies)
def test_whatever_comes_back_it_is_a_reply_or_no_answer(
    scripted: tuple[RawServer, list[bytes]], data: bytes
) -> None:
    server, reply = scripted
    reply[0] = data
    try:
        received = send(server.url, transport=shared_transport())
    except NoAnswer:
        return
    assert isinstance(received.status, int)
    assert len(received.body) <= len(data)
