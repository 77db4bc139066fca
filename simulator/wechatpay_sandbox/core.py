"""WeChat Pay's side of the wire without the wire: a request in, a reply out, in one thread and by one clock.

The clock and the randomness are handed in, so that a simulation can drive the same core that
``server.py`` puts on sockets.
"""

import itertools
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from wechatpay_sandbox.arrivals import Arrival, Call, Request, new_record, route
from wechatpay_sandbox.fault import Fault, Signature
from wechatpay_sandbox.fault_effects import answer_wrongly, by_someone_else, claimed, wanted
from wechatpay_sandbox.fault_options import make
from wechatpay_sandbox.faults import Misbehaviour
from wechatpay_sandbox.keys import Keys
from wechatpay_sandbox.notifications import Notifier
from wechatpay_sandbox.orders import Orders
from wechatpay_sandbox.outbox import Outbox
from wechatpay_sandbox.reader import Reader, parse_leniently
from wechatpay_sandbox.replies import Reply, ok
from wechatpay_sandbox.rules import Refusal, Rulebook
from wechatpay_sandbox.ruleset import RULES
from wechatpay_sandbox.service_order import ServiceOrder
from wechatpay_sandbox.signing import ReplySigner, encrypted_certificate
from wechatpay_sandbox.smart_retail import SmartRetail
from wechatpay_sandbox.verifier import Verifier

KEPT_REQUESTS = 20_000
KEPT_BODY = 4096
"""Bytes of an answer's body that are kept for the records."""


class Core:
    """One simulated merchant's WeChat Pay.

    ``clock`` is the machine's, in UNIX seconds; ``random`` makes numbers, tickets and nonces.
    """

    def __init__(self, keys: Keys, orders: Orders, *, clock: Callable[[], float], random: Random) -> None:
        self.keys = keys
        self.orders = orders
        self.clock = clock
        self.clock_skew = 0.0
        """Seconds that WeChat Pay's clock is ahead of the machine's; below 0, behind."""
        self.clock_offset = 0.0
        self.rules = Rulebook(RULES)
        self.misbehaviour = Misbehaviour()
        self.requests: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)
        self.refused: Callable[[Mapping[str, Any]], None] | None = None
        """Called with the record of each request that a rule refused."""
        self._random = random
        self._signer = ReplySigner(self.wechat_clock, random)
        self._verifier = Verifier(keys, self.wechat_clock)
        self.notifier = Notifier(keys, self._signer, random)
        self.outbox = Outbox(orders, self.notifier)
        self._reader = Reader(self.rules)
        families = (SmartRetail(orders, self._reader), ServiceOrder(orders, self._reader))
        self._families = {api: family for family in families for api in family.apis}
        self._numbers = itertools.count(1)

    def wechat_clock(self) -> float:
        """WeChat Pay's own clock, which dates its signatures."""
        return self.clock() + self.clock_skew

    def now(self) -> float:
        """The orders' clock: WeChat Pay's, plus what time was moved on."""
        return self.wechat_clock() + self.clock_offset

    def answer(self, request: Request) -> Reply:
        """The signed reply to a request; ``reply.fault`` says how its bytes would travel."""
        arrival = self.arrive(request)
        if arrival.fault is not None and arrival.fault.acts_on_arrival:
            return Reply(0, fault=arrival.fault)
        return self.reply(arrival, request)

    def arrive(self, request: Request) -> Arrival:
        """A request arrives: record it, and draw the fault that it meets."""
        call = route(request.method, request.target)
        fault = None
        if call.operation and call.operation != "create":
            fault = self.misbehaviour.next_fault(call.out_order_no, call.operation)
        record = new_record(next(self._numbers), self.clock(), request, call, fault)
        self.requests.append(record)
        order = self.orders.find(call.out_order_no, self.now())
        if order is not None:
            order.calls[call.operation] += 1
        return Arrival(call, fault, record)

    def reply(self, arrival: Arrival, request: Request) -> Reply:
        """Answer a request that has arrived whole."""
        call, fault, record = arrival.call, arrival.fault, arrival.record
        record["body"] = request.body.decode(errors="replace")
        if call.operation == "create":
            number = parse_leniently(request.body).get("out_order_no")
            call = replace(call, out_order_no=number if isinstance(number, str) else "")
            fault = self.misbehaviour.next_fault(call.out_order_no, call.operation)
            record |= {"out_order_no": call.out_order_no, "fault": fault.name if fault else None}
            if fault is not None and fault.acts_on_arrival:
                return Reply(0, fault=fault)
        headers = {name.lower(): value for name, value in request.headers.items()}
        reply, fault = self._answer(request, headers, call, fault, record)
        record["status"] = reply.status
        signed = self._signed(reply, headers.get("wechatpay-serial"), fault)
        if fault is None or fault.wire not in ("reset", "silent"):
            sent = signed.body[:KEPT_BODY].decode(errors="replace")
            record["reply"] = {"headers": dict(signed.headers), "body": sent}
        return replace(signed, fault=fault)

    def _answer(
        self,
        request: Request,
        headers: Mapping[str, str],
        call: Call,
        fault: Fault | None,
        record: dict[str, Any],
    ) -> tuple[Reply, Fault | None]:
        """The reply to send and the fault still to act on while sending it."""
        try:
            if not call.operation:
                self.rules.refuse("request.path")
            self._reader.check_headers(headers, request.method)
            self._verifier.verify(headers.get("authorization", ""), request)
            record["verified"] = True
        except Refusal as refusal:
            return self._refused(refusal, record), None
        order = self.orders.find(call.out_order_no, self.now())
        if order is not None and call.operation in ("complete", "cancel"):
            order.wanted = wanted(call.operation, request.body)
        if fault is None:
            return self._process(call, request, record), None
        if fault.order_change:
            self._change_order(call, request.body, fault)
        for operation, name in fault.then:
            self.misbehaviour.script(call.out_order_no, operation, make(name, {}), 1)
        reply = self._process(call, request, record) if fault.applied else Reply(200)
        if fault.claim and order is not None and order.api == call.api:
            lie = claimed(order, self._families[order.api], call.operation, fault, self.now())
            reply = lie or reply
        return answer_wrongly(reply, call.out_order_no, fault, order), fault

    def _process(self, call: Call, request: Request, record: dict[str, Any]) -> Reply:
        try:
            if call.operation == "certificates":
                return self._certificates()
            return self._of_order(call, request)
        except Refusal as refusal:
            return self._refused(refusal, record)

    def _of_order(self, call: Call, request: Request) -> Reply:
        family, now = self._families[call.api], self.now()
        if call.operation == "query":
            return family.query(call.api, request.target.partition("?")[2], now)
        if call.operation == "create":
            return family.create(call.api, request.body, now)
        number = self._reader.order_number(call.segment)
        act = {"complete": family.complete, "cancel": family.cancel, "sync": family.sync}[call.operation]
        return act(call.api, number, request.body, now)

    def _refused(self, refusal: Refusal, record: dict[str, Any]) -> Reply:
        rule = refusal.rule
        record["refused"] = {"rule": refusal.name, "reason": rule.reason, "source": rule.source}
        if refusal.detail is not None:
            record["refused"]["field"] = refusal.detail["field"]
        if self.refused is not None:
            self.refused(record | {"status": rule.status})
        return refusal.reply()

    def _certificates(self) -> Reply:
        if self.keys.mode == "public_key":
            self.rules.refuse("certificates.public_key_merchant")
        entries = [
            encrypted_certificate(key, self.keys.api_v3_key, self._random) for key in self.keys.certificates
        ]
        return ok({"data": entries})

    def _change_order(self, call: Call, body: bytes, fault: Fault) -> None:
        """What someone else does to the order in the moment before this request."""
        order = self.orders.find(call.out_order_no, self.now())
        if order is None:
            return
        if fault.order_change == "tickets-expired":
            order.tickets.clear()
        elif order.completion is None and order.state == "USER_ACCEPTED":
            order.settle(by_someone_else(order, body, fault), "someone else", self.now())

    def _signed(self, reply: Reply, wanted_serial: str | None, fault: Fault | None) -> Reply:
        key = self.keys.signing_key(wanted_serial)
        headers = {**reply.headers, "Request-ID": f"{self._random.randbytes(20).hex().upper()}-{reply.tail}"}
        if fault is None:
            signature: Signature = "valid" if reply.signed else "absent"
            return replace(reply, headers=headers | self._signer.headers(key, reply.body, signature))
        if fault.signature == "foreign":
            key = replace(key, private_key=self.keys.foreign)
        headers |= self._signer.headers(key, reply.body, fault.signature, offset=fault.offset)
        missing = fault.missing_header.lower()
        return replace(reply, headers={name: v for name, v in headers.items() if name.lower() != missing})
