"""A WeChat Pay that accepts every completion and does nothing else: `python -m benchmarks.answering`.

For throughput and memory, where 100,000 different orders would have to be opened in the simulator first and
its own work would hide the function's. It speaks TLS, and signs every reply.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import secrets
import signal
import ssl
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

MCHID = "1900000001"
KEY_ID = "PUB_KEY_ID_0119000000012025010100000000000001"


class _Connection(asyncio.Protocol):
    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if found and len(body) >= (length := _content_length(head)):
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
        timestamp, nonce = int(time.time()), secrets.token_hex(16)
        message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
        signature = base64.b64encode(self._key.sign(message, PKCS1v15(), SHA256())).decode()
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"Request-ID: {nonce}-0\r\nWechatpay-Timestamp: {timestamp}\r\nWechatpay-Nonce: {nonce}\r\n"
            f"Wechatpay-Serial: {KEY_ID}\r\nWechatpay-Signature: {signature}\r\n"
            "Wechatpay-Signature-Type: WECHATPAY2-SHA256-RSA2048\r\n\r\n"
        )
        return head.encode() + body


def _content_length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))


def _secret(platform: rsa.RSAPrivateKey) -> dict[str, str]:
    merchant = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = platform.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private = merchant.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "mchid": MCHID,
        "merchant_serial_no": secrets.token_hex(20).upper(),
        "merchant_private_key": private.decode(),
        "api_v3_key": secrets.token_hex(16),
        "wechatpay_public_key_id": KEY_ID,
        "wechatpay_public_key": public.decode(),
        "appid": "wxd678efh567hg6787",
        "service_id": "500001",
    }


async def _serve(directory: Path) -> None:
    platform = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    ca_file = directory / "ca.pem"
    ca_file.write_bytes(authority.cert_pem.bytes())
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(platform), "127.0.0.1", 0, ssl=tls)
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    host = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    print(json.dumps({"host": host, "ca_file": str(ca_file), "secret": _secret(platform)}), flush=True)
    await stopped.wait()


def main() -> None:
    """Serve until SIGTERM; prints one line of JSON when it is ready."""
    argparse.ArgumentParser(prog="python -m benchmarks.answering", description=__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="answering-") as directory:
        asyncio.run(_serve(Path(directory)))


if __name__ == "__main__":
    main()
