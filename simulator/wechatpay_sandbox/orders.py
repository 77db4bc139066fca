"""Orders in their states, and the ledger of what truly happened to each. No I/O; the clock is an argument."""

import base64
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from wechatpay_sandbox.replies import Refusal

STATES = ("CREATED", "USER_ACCEPTED", "FINISHED", "USER_PAID", "REVOKED", "EXPIRED")
SETTLED = ("FINISHED", "USER_PAID", "REVOKED")
CANCEL, FINISH = 1, 2
RISK_CAP = 500_00
"""Fen: the most one order of the service may charge."""
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


def shanghai(now: float, form: str = "%Y%m%d%H%M%S") -> str:
    """UNIX seconds as WeChat Pay writes time."""
    return datetime.fromtimestamp(now, SHANGHAI).strftime(form)


@dataclass
class Order:
    """One order. Amounts in fen, times in UNIX seconds.

    ``debit_after`` seconds after it was finished the shopper is charged; ``None`` is never. ``debit_amount``
    charges something else than asked. ``cancelled_state`` is what a cancellation leaves: REVOKED, or FINISHED
    with finish_type 1.
    """

    out_order_no: str
    mchid: str
    appid: str
    service_id: str
    opened_at: float
    debit_after: float | None
    state: str = "USER_ACCEPTED"
    risk_cap: int = RISK_CAP
    debit_amount: int | None = None
    cancelled_state: str = "REVOKED"
    order_id: str = field(default_factory=lambda: "".join(secrets.choice("0123456789") for _ in range(28)))
    tickets: set[str] = field(default_factory=set)
    completion: dict[str, Any] | None = None
    settled_by: str | None = None
    finished_at: float = 0.0
    paid_at: float = 0.0
    accepted: int = 0
    reentries: int = 0
    debits: int = 0
    charged: int = 0
    calls: Counter[str] = field(default_factory=Counter)

    def catch_up(self, now: float) -> None:
        """Charge the shopper when the time has come: lazily, and once."""
        if self.state != "FINISHED" or self.debit_after is None or self.completion is None:
            return
        due = self.finished_at + self.debit_after
        amount = int(self.completion.get("total_amount", 0))
        if self.completion.get("finish_type") != FINISH or amount == 0 or now < due:
            return
        self.state = "USER_PAID"
        self.paid_at = due
        self.debits += 1
        self.charged += amount if self.debit_amount is None else self.debit_amount

    def issue_ticket(self) -> str:
        """A new finish_ticket; those issued before stay valid."""
        ticket = base64.b64encode(secrets.token_bytes(96)).decode()
        self.tickets.add(ticket)
        return ticket

    def complete(self, body: Mapping[str, Any], now: float) -> None:
        """Accept the completion once, absorb an identical one, refuse every other."""
        asked = {name: value for name, value in body.items() if name != "finish_ticket"}
        if self.completion is not None:
            if asked != self.completion:
                raise Refusal(400, "PARAM_ERROR", "订单重入参数校验失败", tail="271316598")
            self.reentries += 1
            return
        if self.state != "USER_ACCEPTED":
            raise Refusal(400, "PARAM_ERROR", "完结订单状态不合法")
        self._check_limits(asked, now)
        if body["finish_ticket"] not in self.tickets:
            raise Refusal(400, "PARAM_ERROR", "校验完结凭证错误")
        self.settle(asked, "merchant", now)

    def settle(self, completion: Mapping[str, Any], by: str, now: float) -> None:
        """Finish or cancel the order; ``by`` is ``merchant`` for the requests under test."""
        self.completion = dict(completion)
        self.settled_by = by
        self.finished_at = now
        self.accepted += by == "merchant"
        self.state = "FINISHED" if completion["finish_type"] == FINISH else self.cancelled_state

    def _check_limits(self, asked: Mapping[str, Any], now: float) -> None:
        if asked.get("total_amount", 0) > self.risk_cap:
            raise Refusal(400, "PARAM_ERROR", "完结金额超过服务风险金额上限", tail="271316656")
        start, end = asked.get("real_service_start_time"), asked.get("real_service_end_time")
        if end is not None and end > shanghai(now)[: len(end)]:
            raise Refusal(400, "PARAM_ERROR", "服务结束时间不能晚于当前时间")
        if start is not None and end is not None:
            length = min(len(start), len(end))
            if end[:length] < start[:length]:
                raise Refusal(400, "PARAM_ERROR", "服务结束时间不能早于服务开始时间", tail="271316637")

    def query_document(self) -> dict[str, Any]:
        """What a query returns. Each call in USER_ACCEPTED brings a fresh ticket."""
        document: dict[str, Any] = {
            "appid": self.appid,
            "mchid": self.mchid,
            "out_order_no": self.out_order_no,
            "service_id": self.service_id,
            "state": self.state,
            "service_start_time": shanghai(self.opened_at),
            "service_introduction": "智能柜购物",
            "risk_amount": self.risk_cap,
        }
        for name, value in (self.completion or {}).items():
            if name not in ("appid", "service_id", "profit_sharing", "cancel_reason"):
                document[name] = value
        if self.state == "USER_ACCEPTED":
            document["finish_ticket"] = self.issue_ticket()
        if self.state == "USER_PAID":
            document["total_amount"] = self.charged
            document["finish_transaction_id"] = f"42{self.order_id[2:]}"
            document["pay_succ_time"] = shanghai(self.paid_at)
        return document

    def accepted_document(self) -> dict[str, str]:
        """The body of a 200 to a completion: these five fields and no state."""
        return {
            "appid": self.appid,
            "mchid": self.mchid,
            "out_order_no": self.out_order_no,
            "service_id": self.service_id,
            "order_id": self.order_id,
        }

    def ledger_entry(self) -> dict[str, Any]:
        """What an audit compares with: the truth about this order."""
        settled = self.completion or {}
        return {
            "out_order_no": self.out_order_no,
            "state": self.state,
            "order_id": self.order_id,
            "finish_type": settled.get("finish_type"),
            "total_amount": settled.get("total_amount"),
            "settled_by": self.settled_by,
            "accepted": self.accepted,
            "reentries": self.reentries,
            "debits": self.debits,
            "charged": self.charged,
            "calls": dict(self.calls),
        }


_SETTINGS = {
    "appid": str,
    "service_id": str,
    "state": str,
    "risk_cap": int,
    "debit_after": (int, float, type(None)),
    "debit_amount": (int, type(None)),
    "cancelled_state": str,
    "finish_ticket": str,
    "finish_type": int,
    "total_amount": int,
}


class Orders:
    """All orders of the simulated merchant."""

    def __init__(self, mchid: str, appid: str, service_id: str, debit_after: float | None) -> None:
        self.mchid = mchid
        self.appid = appid
        self.service_id = service_id
        self.debit_after = debit_after
        self._orders: dict[str, Order] = {}

    def open(self, out_order_no: str, now: float, settings: Mapping[str, Any]) -> Order:
        """Put an order in the world, replacing one of that number.

        ``settings``: appid, service_id, state, risk_cap, debit_after, debit_amount, cancelled_state,
        finish_ticket (a first valid one), and finish_type with total_amount for an order settled already.
        """
        for name, value in settings.items():
            if name not in _SETTINGS:
                raise ValueError(f"unknown order setting {name!r}; known: {', '.join(_SETTINGS)}")
            if isinstance(value, bool) or not isinstance(value, _SETTINGS[name]):  # type: ignore[arg-type]
                raise ValueError(f"order setting {name!r} has the wrong type")  # noqa: TRY004 - one error type for callers
        own = {
            "appid": self.appid,
            "service_id": self.service_id,
            "debit_after": self.debit_after,
            **settings,
        }
        ticket, finish_type = own.pop("finish_ticket", None), own.pop("finish_type", None)
        amount, state = own.pop("total_amount", None), own.pop("state", "USER_ACCEPTED")
        if state not in STATES:
            raise ValueError(f"state must be one of {', '.join(STATES)}, not {state!r}")
        order = Order(out_order_no=out_order_no, mchid=self.mchid, opened_at=now, **own)
        if ticket is not None:
            order.tickets.add(ticket)
        if finish_type is not None or (state in SETTLED and amount is not None):
            kind = finish_type or (CANCEL if state == "REVOKED" else FINISH)
            order.settle({"finish_type": kind, "total_amount": amount or 0}, "someone else", now)
        if state == "USER_PAID":
            order.paid_at, order.debits, order.charged = now, 1, amount or 0
        order.state = state if state != "USER_ACCEPTED" or finish_type is None else order.state
        self._orders[out_order_no] = order
        return order

    def find(self, out_order_no: str, now: float) -> Order | None:
        """The order as it stands now, debits included."""
        order = self._orders.get(out_order_no)
        if order is not None:
            order.catch_up(now)
        return order

    def get(self, out_order_no: str, now: float) -> Order:
        """The order as it stands now, or WeChat Pay's 404."""
        order = self.find(out_order_no, now)
        if order is None:
            raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在", tail="271317510")
        return order

    def ledger(self, now: float) -> list[dict[str, Any]]:
        """Every order's entry, in the order of opening."""
        for order in self._orders.values():
            order.catch_up(now)
        return [order.ledger_entry() for order in self._orders.values()]
