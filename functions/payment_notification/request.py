"""A notification as API Gateway hands it over (payload format 2.0), and the refusal that may answer it."""

import base64
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from requests.structures import CaseInsensitiveDict

LARGEST_BYTES = 64 * 1024
_LARGEST_TEXT = LARGEST_BYTES * 4 // 3 + 4  # in base64
_MCHID = re.compile(r"[0-9]{1,32}")


class Refused(Exception):
    """The answer is no, and WeChat Pay sends the notification again later.

    Args:
        status: HTTP status, 4xx or 5xx.
        reason: safe to log and to answer with: nothing of what was sent.
    """

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Request:
    """One notification, nothing of it proven.

    Attributes:
        mchid: the merchant whose address it was sent to.
        body: the raw bytes that the signature covers.
    """

    mchid: str
    headers: CaseInsensitiveDict[str]
    body: bytes

    @classmethod
    def parse(cls, event: dict[str, Any]) -> "Request":
        """Read a request.

        Raises:
            Refused: no such address, too large, or no bytes to be had of it.
        """
        mchid = _mapping(event.get("pathParameters")).get("mchid")
        if not isinstance(mchid, str) or not _MCHID.fullmatch(mchid):
            raise Refused(HTTPStatus.NOT_FOUND, "no such address")
        return cls(mchid, _headers(event), _body(event))


def _body(event: dict[str, Any]) -> bytes:
    text = event.get("body") or ""
    if not isinstance(text, str):
        raise Refused(HTTPStatus.BAD_REQUEST, "the body is not text")
    if len(text) > _LARGEST_TEXT:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {LARGEST_BYTES} bytes")
    try:
        body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except ValueError as exc:
        raise Refused(HTTPStatus.BAD_REQUEST, "the body cannot be decoded") from exc
    if len(body) > LARGEST_BYTES:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {LARGEST_BYTES} bytes")
    return body


def _headers(event: dict[str, Any]) -> CaseInsensitiveDict[str]:
    """Return the headers in any case; one sent twice becomes one text, as API Gateway makes it.

    No header that counts may be sent twice: joined, neither value verifies.
    """
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    for name, value in _mapping(event.get("headers")).items():
        text = value if isinstance(value, str) else ""
        headers[name] = f"{headers[name]},{text}" if name in headers else text
    return headers


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
