"""WeChat Pay in one shop: the sandbox's real core, held to the oracle at every effect."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from random import Random
from typing import NamedTuple

from wechatpay_sandbox import MCHID, SERVICE_ID
from wechatpay_sandbox.arrivals import Call, Request, route
from wechatpay_sandbox.core import Core
from wechatpay_sandbox.fault import Fault
from wechatpay_sandbox.order import FINISH, Order
from wechatpay_sandbox.orders import Orders
from wechatpay_sandbox.replies import Reply
from wechatpay_sandbox.times import shanghai

from simulation import oracle
from simulation.audit import Audit
from simulation.fate import BEHIND_SECONDS, KNOWN, Fate
from simulation.kernel import Kernel
from simulation.keys import ShopKeys
from simulation.network import Sender
from simulation.orders import APPID, SimulatedOrder
from simulation.trace import Trace

_OTHER = "someone else"


class WeChat:
    """Answers what arrives, and holds each effect to the oracle's model of the order.

    Attributes:
        fate: decides which fault a call meets.
        doubled: numbers of orders that come more than once.
        calls, faults: how many of which, for the report.
    """

    def __init__(
        self, kernel: Kernel, random: Random, keys: ShopKeys, fate: Fate, audit: Audit, trace: Trace
    ) -> None:
        self.kernel = kernel
        self.fate = fate
        self.audit = audit
        self.trace = trace
        self.doubled: set[str] = set()
        self.calls: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        orders = Orders(MCHID, APPID, SERVICE_ID, None, random)
        self.core = Core(keys, orders, clock=lambda: kernel.now, random=random)

    def open(self, planned: SimulatedOrder) -> None:
        """Put an order into the world."""
        if len(planned.arrivals) > 1:
            self.doubled.add(planned.number)
        settings = planned.settings
        if planned.purse is not None:
            settings = {**settings, "openid": f"o{planned.number}"}
            self.core.orders.purses[settings["openid"]] = planned.purse
        order = self.core.orders.open(planned.number, self.core.now(), settings)
        model = oracle.Order(planned.number, order.risk_cap, order.opened_at, order.api, order.state)
        model.has_end = order.service_end_time is not None
        model.cancelled_state = order.cancelled_state
        model.tickets |= order.tickets.keys()
        self.audit.models[planned.number] = model
        self.trace.add(self.kernel.now, planned.number, "opened", order.state, planned.amount)

    def arrived(self, request: Request, sender: Sender, *, late: bool) -> Reply:
        """Answer a request that has arrived whole, at the moment it does."""
        call = route(request.method, request.target)
        number, step = call.out_order_no, f"-> {call.operation}"
        self.calls[call.operation] += 1
        order = self.caught_up(number) if number in self.audit.models else None
        before = _counts(order) if order is not None else None
        fault = self._planned(call, sender)
        reply = self.core.answer(request)
        met = fault or KNOWN.get(self.core.requests[-1]["fault"] or "")
        sender.met = met.name if met is not None else ""
        if fault is not None and fault.name == "doubled":
            reply = replace(reply, fault=fault)
        if order is not None and before is not None:
            effect = self._judge(call, request, order, before, reply, met, None if late else sender)
            self.trace.add(
                self.kernel.now, number, step, request.host, effect, reply.status, sender.met or "-"
            )
        return reply

    def _planned(self, call: Call, sender: Sender) -> Fault | None:
        """Plan the fault that a call meets by fate, unless one waits for it already."""
        number, misbehaviour = call.out_order_no, self.core.misbehaviour
        waiting = [(each["out_order_no"], each["operation"]) for each in misbehaviour.pending()]
        if (number, call.operation) in waiting:
            return None
        fault = self.fate.fault(number, call.operation, sender.who)
        # A first attempt believes WeChat Pay's own 404, given twice: see docs/testing.md.
        if fault is None or (fault.then and number in self.doubled):
            return None
        self.faults[fault.name] += 1
        if fault.name != "doubled":
            misbehaviour.script(number, call.operation, fault, 1)
        if fault.then:  # no reader is behind for longer
            self.kernel.after(BEHIND_SECONDS, lambda: misbehaviour.clear(number))
        return fault

    def caught_up(self, number: str) -> Order:
        """Let happen what was due by now, to the sandbox's order and to the oracle's."""
        order = self.core.orders.find(number, self.core.now())
        assert order is not None
        model = self.audit.models[number]
        model.pass_time(self.core.now())
        synced = sum(payment.amount for payment in order.payments if payment.by_merchant)
        if (order.charged, synced) != (model.debited, model.synced):
            model.collected(order.charged, synced, self.core.now() if synced else order.paid_at)
            self.trace.add(self.kernel.now, number, "collected", model.debited, model.synced)
        model.compare(order.state, order.amount)
        self.audit.conserved(model)
        return order

    def act(self, planned: SimulatedOrder, what: str) -> bool:
        """Let shopper or merchant do something. Returns whether the order allowed it."""
        number, now = planned.number, self.core.now()
        order, model = self.caught_up(number), self.audit.models[number]
        collectable = order.state == "FINISHED" and model.open_amount > 0
        if what == "confirm" and order.state == "CREATED":
            self.core.orders.confirm(order)
            model.confirm()
        elif what == "pays by hand" and collectable:
            self.core.orders.pay(order, None, now)
        elif what == "pays a part by hand" and collectable and model.open_amount > 1:
            self.core.orders.pay(order, model.open_amount // 2, now)
        elif what == "has money":
            self.core.orders.fill(order.openid, None, now)
        elif what == "lowered" and collectable and order.completion is not None and not order.payments:
            less = max(1, order.amount // 3)
            order.completion["total_amount"] -= less
            model.waive(less)
        elif what == "waived" and collectable:
            order.revoke("商户取消", _OTHER, now)
            model.waive_all()
        elif what in _ELSEWHERE and order.state == "USER_ACCEPTED":
            finish_type, more = _ELSEWHERE[what]
            amount = planned.amount + more if finish_type == FINISH else 0
            order.settle({"finish_type": finish_type, "total_amount": amount}, _OTHER, now)
            self._settled_elsewhere(order)
        else:
            return False
        self.trace.add(self.kernel.now, number, what)
        self.caught_up(number)
        return True

    def _settled_elsewhere(self, order: Order) -> None:
        done = order.completion
        assert done is not None
        asked = oracle.Asked("complete", order.api, done["finish_type"], done["total_amount"], "elsewhere")
        self.audit.models[order.out_order_no].apply(asked, elsewhere=True)

    def _judge(
        self,
        call: Call,
        request: Request,
        order: Order,
        before: _Counts,
        reply: Reply,
        fault: Fault | None,
        sender: Sender | None,
    ) -> str:
        """Hold the effect of a request to the oracle, and return it in words."""
        model, record = self.audit.models[order.out_order_no], self.core.requests[-1]
        if call.operation == "complete" and sender is not None:
            refused = reply.status in range(400, 500) and (fault is None or fault.signature == "valid")
            self.audit.sent(order.out_order_no, sender, request, refused=refused)
        if fault is not None and fault.order_change == "tickets-expired" and record["verified"]:
            model.tickets.clear()
        if order.settled_by == _OTHER and order.completion is not None and not model.settled:
            self._settled_elsewhere(order)
        if call.operation in ("query", "sync"):
            model.tickets |= order.tickets.keys()  # what a query says is compared where it is believed
            self.caught_up(order.out_order_no)
            return "queried" if call.operation == "query" else "synced" if model.synced else "not synced"
        decided, processed = "refused", record["verified"] and (fault is None or fault.applied)
        if processed:
            decided = self._decided(call, request.body, model, sender)
        absorbed = processed and call.operation == "cancel" and record["refused"] is None
        effect = _effect(before, _counts(order), absorbed=absorbed)
        if effect != decided:
            what = f"{call.operation} was {effect}, the oracle says {decided}: {record['refused']}"
            raise oracle.Divergence(f"{order.out_order_no}: {what}")
        self.caught_up(order.out_order_no)
        return decided

    def _decided(self, call: Call, sent: bytes, model: oracle.Order, sender: Sender | None) -> str:
        """Let the oracle decide, and apply what it accepts."""
        body = json.loads(sent)
        canonical = json.dumps({k: v for k, v in body.items() if k != "finish_ticket"}, sort_keys=True)
        asked = oracle.asked_of(call.operation, call.api, body, canonical)
        decided = model.decide(asked, shanghai(self.core.now()))
        if decided == "accepted":
            model.apply(asked)
            self.audit.accepted(model, asked, sender.who if sender is not None else "a late request")
        return decided


class _Counts(NamedTuple):
    accepted: int
    reentries: int
    revoked_reason: str | None


def _counts(order: Order) -> _Counts:
    return _Counts(order.accepted, order.reentries, order.revoked_reason)


def _effect(before: _Counts, after: _Counts, *, absorbed: bool) -> str:
    if after.accepted > before.accepted or after.revoked_reason != before.revoked_reason:
        return "accepted"
    again = after.reentries > before.reentries or (absorbed and after.revoked_reason is not None)
    return "re-entered" if again else "refused"


_ELSEWHERE = {"finished the same": (2, 0), "finished for more": (2, 100), "cancelled": (1, 0)}
