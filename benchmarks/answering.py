"""A WeChat Pay that accepts every completion and does nothing else: `python -m benchmarks.answering`.

For throughput and memory, where 100,000 different orders would have to be opened in the simulator first and
its own work would hide the function's. It speaks TLS, and signs every reply.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from wechatpay_sandbox import MCHID
from wechatpay_sandbox.keys import Keys
from wechatpay_sandbox.signing import ReplySigner
from wechatpay_sandbox.tls import certify

APPID, SERVICE_ID = "wxd678efh567hg6787", "500001"


class _Connection(asyncio.Protocol):
    def __init__(self, keys: Keys, signer: ReplySigner) -> None:
        self._keys, self._signer = keys, signer
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, complete, body = self._received.partition(b"\r\n\r\n")
        if complete and len(body) >= (length := _content_length(head)):
            self._received = body[length:]
            number = unquote(head.split(b" ")[1].split(b"/")[-2].decode())
            self._transport.write(self._reply(number, json.loads(body[:length])))

    def _reply(self, out_order_no: str, asked: dict[str, Any]) -> bytes:
        accepted = {
            "appid": asked["appid"],
            "mchid": MCHID,
            "out_order_no": out_order_no,
            "service_id": asked["service_id"],
            "order_id": "15646546545165651651",
        }
        body = json.dumps(accepted).encode()
        signed = self._signer.headers(self._keys.public_key, body)
        headers = {
            "Content-Type": "application/json",
            "Content-Length": len(body),
            "Request-ID": f"{signed['Wechatpay-Nonce']}-0",
            **signed,
        }
        lines = ["HTTP/1.1 200 OK", *(f"{name}: {value}" for name, value in headers.items()), "\r\n"]
        return "\r\n".join(lines).encode() + body


def _content_length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))


async def _serve(directory: Path) -> None:
    keys = Keys(MCHID, "public_key")
    signer = ReplySigner(time.time, random.Random())
    ca_file, tls = certify(directory)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(keys, signer), "127.0.0.1", 0, ssl=tls)
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    host = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    secret = keys.secret(APPID, SERVICE_ID)
    print(json.dumps({"host": host, "ca_file": ca_file, "secret": secret}), flush=True)
    await stopped.wait()


def main() -> None:
    """Serve until SIGTERM; prints one line of JSON when it is ready."""
    argparse.ArgumentParser(prog="python -m benchmarks.answering", description=__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="answering-") as directory:
        asyncio.run(_serve(Path(directory)))


if __name__ == "__main__":
    main()
