"""A request as it arrives, and what its first line asks for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wechatpay_sandbox.fault import Fault
from wechatpay_sandbox.reader import unquote_loosely

_ORDERS = re.compile(
    r"/v3/payscore/(?P<api>smartretail-orders|payafter-orders|serviceorder)"
    r"(?:/(?P<number>[^/?]+)/(?P<action>complete|cancel|sync))?"
)
_QUERIED_ORDER = re.compile(r"(?:\?|&)out_order_no=([^&]*)")
CERTIFICATES = "/v3/certificates"


@dataclass(frozen=True)
class Request:
    """One request as it arrived: the target and the body byte for byte, and at which host.

    Source of ``signed_text``: https://pay.weixin.qq.com/doc/v3/merchant/4012365336.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    host: int = 0

    def signed_text(self, timestamp: str, nonce: str) -> bytes:
        """What the request's signature covers."""
        head = f"{self.method}\n{self.target}\n{timestamp}\n{nonce}\n"
        return head.encode("utf-8", "surrogateescape") + self.body + b"\n"


@dataclass(frozen=True)
class Call:
    """One request as far as its first line tells: what is asked, of which API, and of which order."""

    operation: str
    out_order_no: str = ""
    api: str = ""
    segment: str = ""


@dataclass(frozen=True)
class Arrival:
    """A request whose body is still to be read: what it asks, the fault it meets, and its record."""

    call: Call
    fault: Fault | None
    record: dict[str, Any]


def new_record(number: int, now: float, request: Request, call: Call, fault: Fault | None) -> dict[str, Any]:
    """What the sandbox records of a request when it arrives; its body and answer are filled in later."""
    return {
        "number": number,
        "time": now,
        "host": request.host,
        "operation": call.operation,
        "out_order_no": call.out_order_no,
        "api": call.api,
        "method": request.method,
        "target": request.target,
        "headers": dict(request.headers),
        "body": "",
        "verified": False,
        "refused": None,
        "fault": fault.name if fault is not None else None,
        "status": None,
        "reply": None,
    }


def route(method: str, target: str) -> Call:
    """Which operation a request is; an empty operation for what does not exist."""
    path, _, query = target.partition("?")
    match = _ORDERS.fullmatch(path)
    if match is None:
        return Call("certificates" if target == CERTIFICATES and method == "GET" else "")
    api, segment, action = match["api"], match["number"], match["action"]
    if method == "GET" and segment is None:
        number = _QUERIED_ORDER.search(f"?{query}")
        return Call("query", unquote_loosely(number[1]) if number else "", api)
    if method != "POST" or query or (action == "sync" and api == "smartretail-orders"):
        return Call("")
    if segment is None:
        return Call("create", "", api)
    return Call(action, unquote_loosely(segment), api, segment)
