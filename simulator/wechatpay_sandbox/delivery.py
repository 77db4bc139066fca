"""How a reply's bytes travel: whole, in part, a byte at a time, late, or not at all."""

import asyncio
import contextlib
import gzip
import socket
import struct
from typing import Any

from aiohttp import web

from wechatpay_sandbox.fault import Fault
from wechatpay_sandbox.replies import Reply

CHUNK = 64 * 1024
_POLL = 0.05
_RST_ON_CLOSE = struct.pack("ii", 1, 0)


def reset(request: web.BaseRequest) -> web.StreamResponse:
    """Break the connection with a TCP reset."""
    transport = request.transport
    if transport is not None:
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
        transport.abort()
    return web.Response()


async def silence(request: web.BaseRequest, seconds: float) -> web.StreamResponse:
    """Say nothing until the client leaves or the time is over, then reset."""
    deadline = _now() + seconds
    while _connected(request) and _now() < deadline:
        await asyncio.sleep(_POLL)
    return reset(request)


async def send(
    request: web.BaseRequest, reply: Reply, fault: Fault | None, record: dict[str, Any]
) -> web.StreamResponse:
    """Send the reply the way the fault says; ``record`` learns how many bytes of body left."""
    record["sent"] = len(reply.body)
    wire = fault.wire if fault is not None else "whole"
    if fault is None or wire in ("whole", "late"):
        if fault is not None and wire == "late":
            await asyncio.sleep(fault.seconds)
        if len(reply.body) > CHUNK:
            return await _stream(request, reply, fault, record)
        headers = {**reply.headers, "Content-Type": reply.content_type}
        return web.Response(status=reply.status, body=reply.body or None, headers=headers)
    if wire == "truncated":
        return await _drip(request, [reply.head() + reply.body[: len(reply.body) // 2]], fault)
    if wire == "slow-body":
        return await _drip(request, [reply.head(), *_bytes(reply.body)], fault)
    return await _drip(request, [*_bytes(reply.head()), reply.body], fault)


async def _stream(
    request: web.BaseRequest, reply: Reply, fault: Fault | None, record: dict[str, Any]
) -> web.StreamResponse:
    """Send a large body only as fast as it is read."""
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_type = "application/json"
    body = reply.body
    if fault is not None and fault.gzip:
        body = gzip.compress(body, compresslevel=1)
        response.headers["Content-Encoding"] = "gzip"
    if fault is None or not fault.chunked:
        response.content_length = len(body)
    record["sent"] = 0
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        for start in range(0, len(body), CHUNK):
            if not _connected(request):
                break
            await response.write(body[start : start + CHUNK])
            record["sent"] += len(body[start : start + CHUNK])
    return response


async def _drip(request: web.BaseRequest, pieces: list[bytes], fault: Fault) -> web.StreamResponse:
    """Write pieces below the HTTP layer, at most for the fault's seconds, then close."""
    deadline = _now() + fault.seconds
    for index, piece in enumerate(pieces):
        if index:
            await asyncio.sleep(fault.interval)
        if not _connected(request) or _now() > deadline:
            break
        assert request.transport is not None
        request.transport.write(piece)
    if request.transport is not None:
        request.transport.close()
    return web.Response()


def _bytes(text: bytes) -> list[bytes]:
    return [text[index : index + 1] for index in range(len(text))]


def _connected(request: web.BaseRequest) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _now() -> float:
    return asyncio.get_running_loop().time()
