"""The simulated APIv3: three routes, each request verified, answered and signed, or misbehaved upon."""

import asyncio
import itertools
import re
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from wechatpay_sandbox import delivery, rules, signing
from wechatpay_sandbox.fault_effects import by_someone_else, misanswer
from wechatpay_sandbox.fault_kinds import Fault
from wechatpay_sandbox.faults import Misbehaviour
from wechatpay_sandbox.keys import Keys
from wechatpay_sandbox.orders import Orders
from wechatpay_sandbox.replies import Refusal, Reply, ok

_COMPLETE = re.compile(r"/v3/payscore/smartretail-orders/([^/?]+)/complete")
_QUERY = "/v3/payscore/smartretail-orders"
_QUERIED_ORDER = re.compile(r"(?:\?|&)out_order_no=([^&]*)")
_CERTIFICATES = "/v3/certificates"
_PROBE = "WECHATPAY/SIGNTEST/"
KEPT_REQUESTS = 20_000
KEPT_BODY = 4096
"""Bytes of an answer's body that are kept for the records."""


@dataclass(frozen=True)
class Call:
    """One request as far as its first line tells: what is asked, and of which order."""

    operation: str
    out_order_no: str


def route(method: str, target: str) -> Call:
    """Which operation a request is; an empty operation for what does not exist."""
    path, _, query = target.partition("?")
    match = _COMPLETE.fullmatch(path)
    if match and method == "POST" and not query:
        return Call("complete", rules.unquote_loosely(match[1]))
    if path == _QUERY and method == "GET":
        found = _QUERIED_ORDER.search(f"?{query}")
        return Call("query", rules.unquote_loosely(found[1]) if found else "")
    if target == _CERTIFICATES and method == "GET":
        return Call("certificates", "")
    return Call("", "")


class Api:
    """WeChat Pay's side of the wire. Every method runs on the server's event loop."""

    def __init__(self, keys: Keys, orders: Orders) -> None:
        self.keys = keys
        self.orders = orders
        self.misbehaviour = Misbehaviour()
        self.requests: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)
        self.latency = 0.0
        self.clock_offset = 0.0
        self.refuse_host: Callable[[int, float], None] = lambda host, seconds: None
        self._verifier = signing.Verifier(keys)
        self._numbers = itertools.count(1)

    def now(self) -> float:
        """The orders' clock: the real one plus what was added to it. Signatures always use the real one."""
        return time.time() + self.clock_offset

    async def handle(self, request: web.BaseRequest, host: int) -> web.StreamResponse:
        """Answer one request that arrived at one of the hosts."""
        call = route(request.method, request.raw_path)
        fault = self.misbehaviour.next_fault(call.out_order_no, call.operation) if call.operation else None
        record = self._record(request, host, call, fault)
        if fault is not None and fault.acts_on_arrival:
            return await self._act_on_arrival(request, host, fault)
        try:
            body = await request.read()
        except OSError:
            return delivery.reset(request)
        record["body"] = body.decode(errors="replace")
        reply, fault = self._answer(request, call, body, fault, record)
        record["status"] = reply.status
        if self.latency:
            await asyncio.sleep(self.latency)
        if fault is not None and fault.wire == "reset":
            return delivery.reset(request)
        if fault is not None and fault.wire == "silent":
            return await delivery.silence(request, fault.seconds)
        signed = self._signed(reply, request, fault)
        sent = signed.body[:KEPT_BODY].decode(errors="replace")
        record["reply"] = {"headers": dict(signed.headers), "body": sent}
        return await delivery.send(request, signed, fault, record)

    def _record(self, request: web.BaseRequest, host: int, call: Call, fault: Fault | None) -> dict[str, Any]:
        record = {
            "number": next(self._numbers),
            "time": time.time(),
            "host": host,
            "operation": call.operation,
            "out_order_no": call.out_order_no,
            "method": request.method,
            "target": request.raw_path,
            "headers": dict(request.headers),
            "body": "",
            "verified": False,
            "fault": fault.name if fault is not None else None,
            "status": None,
            "reply": None,
        }
        self.requests.append(record)
        order = self.orders.find(call.out_order_no, self.now())
        if order is not None:
            order.calls[call.operation] += 1
        return record

    async def _act_on_arrival(self, request: web.BaseRequest, host: int, fault: Fault) -> web.StreamResponse:
        if fault.wire == "silent":
            return await delivery.silence(request, fault.seconds)
        response = delivery.reset(request)
        if fault.wire == "refuse":
            self.refuse_host(host if fault.host is None else fault.host, fault.seconds)
        return response

    def _answer(
        self, request: web.BaseRequest, call: Call, body: bytes, fault: Fault | None, record: dict[str, Any]
    ) -> tuple[Reply, Fault | None]:
        """The reply to send and the fault still to act on while sending it."""
        try:
            message = signing.Message(request.method, request.raw_path, body)
            self._verifier.verify(request.headers.get("Authorization", ""), message)
            record["verified"] = True
            rules.check_headers(request.headers, request.method)
        except Refusal as refusal:
            return refusal.reply(), None
        if fault is None:
            return self._process(call, request.raw_path, body), None
        if fault.order_change:
            self._change_order(call, body, fault)
        reply = Reply(200)
        if fault.applied:
            reply = self._process(call, request.raw_path, body)
        return misanswer(reply, call.out_order_no, fault), fault

    def _process(self, call: Call, target: str, body: bytes) -> Reply:
        try:
            if call.operation == "complete":
                return self._complete(target, body)
            if call.operation == "query":
                return self._query(target)
            if call.operation == "certificates":
                return self._certificates()
        except Refusal as refusal:
            return refusal.reply()
        return Refusal(404, "RESOURCE_NOT_EXISTS", "请求的资源不存在").reply()

    def _complete(self, target: str, body: bytes) -> Reply:
        match = _COMPLETE.fullmatch(target)
        number = rules.order_number(match[1] if match else "")
        document = rules.parse_complete(body)
        order = self.orders.get(number, self.now())
        for name, owned in (("appid", order.appid), ("service_id", order.service_id)):
            if document[name] != owned:
                rules.refuse(f"/{name}", "与订单不一致", value=document[name])
        order.complete(document, self.now())
        return ok(order.accepted_document())

    def _query(self, target: str) -> Reply:
        asked = rules.parse_query(target.partition("?")[2])
        order = self.orders.get(asked["out_order_no"], self.now())
        if (asked["appid"], asked["service_id"]) != (order.appid, order.service_id):
            raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在", tail="271317510")
        return ok(order.query_document())

    def _certificates(self) -> Reply:
        if self.keys.mode == "public_key":
            raise Refusal(
                404, "RESOURCE_NOT_EXISTS", "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥"
            )
        entries = [signing.encrypted_certificate(key, self.keys.api_v3_key) for key in self.keys.certificates]
        return ok({"data": entries})

    def _change_order(self, call: Call, body: bytes, fault: Fault) -> None:
        """What someone else does to the order in the moment before this request."""
        order = self.orders.find(call.out_order_no, self.now())
        if order is None:
            return
        if fault.order_change == "tickets-expired":
            order.tickets.clear()
        elif order.completion is None:
            order.settle(by_someone_else(order, body, fault), "someone else", self.now())

    def _signed(self, reply: Reply, request: web.BaseRequest, fault: Fault | None) -> Reply:
        key = self.keys.signing_key(request.headers.get("Wechatpay-Serial"))
        headers = {**reply.headers, "Request-ID": f"{secrets.token_hex(20).upper()}-{reply.tail}"}
        signature = fault.signature if fault is not None else "valid"
        if signature != "absent":
            offset = fault.offset if fault is not None else 0
            signed_body = reply.body + b" " if signature == "wrong" else reply.body
            headers |= signing.reply_headers(key, signed_body, offset=offset)
        if signature == "signtest":
            headers["Wechatpay-Signature"] = _PROBE + headers["Wechatpay-Signature"][len(_PROBE) :]
        if signature == "unknown-serial":
            headers["Wechatpay-Serial"] = f"{secrets.randbits(158) | 1 << 158:040X}"
        if fault is not None and fault.missing_header:
            headers = {n: v for n, v in headers.items() if n.lower() != fault.missing_header.lower()}
        return replace(reply, headers=headers)
