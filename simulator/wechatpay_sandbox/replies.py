"""What the sandbox answers, before it is signed and sent."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from wechatpay_sandbox.fault import Fault

JSON_TYPE = "application/json; charset=utf-8"
SUCCESS_TAIL = "0"
UNDOCUMENTED_TAIL = "268435456"
"""Internal code of refusals whose real number is not known."""


@dataclass(frozen=True)
class Reply:
    """One answer. ``tail`` is WeChat Pay's internal code, sent as the last part of ``Request-ID``.

    ``fault``: how the bytes of the answer travel (``Fault.wire``); None: whole and at once. ``signed``:
    whether WeChat Pay signs it when no fault says otherwise.
    """

    status: int
    body: bytes = b""
    tail: str = SUCCESS_TAIL
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Fault | None = None
    signed: bool = True

    def head(self) -> bytes:
        """Status line and headers as HTTP/1.1 writes them, for answers that no server library would send."""
        phrase = HTTPStatus(self.status).phrase if self.status in HTTPStatus else ""
        lines = [
            f"HTTP/1.1 {self.status} {phrase}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def to_json(value: object) -> bytes:
    """Serialise as WeChat Pay does: compact, Chinese left as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def ok(document: Mapping[str, Any]) -> Reply:
    """A 200 with a JSON object."""
    return Reply(200, to_json(document))


def error(
    status: int, code: str, message: str, *, tail: str, detail: Mapping[str, Any] | None = None
) -> Reply:
    """An APIv3 error body."""
    document: dict[str, Any] = {"code": code, "message": message}
    if detail is not None:
        document["detail"] = detail
    return Reply(status, to_json(document), tail)


def html(status: int, title: str) -> Reply:
    """What a proxy in front of the service answers when it has nobody to ask."""
    page = f"<html><head><title>{title}</title></head><body><center><h1>{title}</h1></center></body></html>"
    return Reply(status, page.encode(), UNDOCUMENTED_TAIL, "text/html")
