"""What WeChat Pay and the network can answer, one entry per answer, and what has to come of it.

Written from the official pages and not from `decisions`: a row added there fails until it is met here.
"""

from dataclasses import dataclass, field
from typing import Any

OPEN, APPLIED = "open", "applied"
SETTLED = ("COMPLETED", "CANCELLED")


@dataclass(frozen=True)
class Case:
    """One answer to a completion.

    Attributes:
        row: name of the row that must decide it.
        name: what is answered.
        fault: what the simulator is told to do, once unless `times` says more.
        ends: what the function must return, `SETTLED` for the outcome of the finish_type, or raise.
        evidence: as in the result.
        completes, queries: calls that must arrive at WeChat Pay for an event that carries its ticket.
        proves: the part of the row that this case is about: a code, an internal code or words of a message.
    """

    row: str
    name: str
    fault: dict[str, Any]
    ends: object
    evidence: str | None = None
    completes: int = 1
    queries: int = 1
    times: int | None = 1
    proves: frozenset[str] = field(default_factory=frozenset)

    def __str__(self) -> str:
        return f"{self.row}: {self.name}"


def says(status: int, code: str, message: str = "", tail: str = "", *, signed: bool = True) -> dict[str, Any]:
    """An error of WeChat Pay's that changes nothing."""
    named = {"status": status, "code": code, "message": message, "applied": False, "signed": signed}
    return {"fault": "reply", **named, **({"tail": tail} if tail else {})}


def _lost() -> list[Case]:
    row = "no whole reply"
    return [
        Case(row, "reset before it was read", {"fault": "reset_before"}, "WeChatPayUnavailable"),
        Case(row, "reset after it was applied", {"fault": "reset_after"}, SETTLED, "QUERY"),
        Case(row, "a body cut short", {"fault": "truncated_body"}, SETTLED, "QUERY"),
        Case(row, "a body of 3 MB", {"fault": "oversized_body", "size": 3 << 20}, SETTLED, "QUERY"),
        Case(row, "a body without end", {"fault": "oversized_chunked", "size": 3 << 20}, SETTLED, "QUERY"),
    ]


def _unproven() -> list[Case]:
    row = "2xx not verified"
    applied = [
        "unsigned",
        "wrong_signature",
        "signtest",
        "unknown_serial",
        "stale_timestamp",
        "future_timestamp",
        "missing_header",
    ]
    unsigned = {"fault": "reply", "status": 200, "content": "{}", "signed": False, "applied": False}
    return [
        *(Case(row, kind, {"fault": kind}, SETTLED, "QUERY") for kind in applied),
        Case(row, "200, unsigned, not applied", unsigned, "WeChatPayUnavailable"),
        Case(row, "202, unsigned", unsigned | {"status": 202}, "WeChatPayUnavailable"),
    ]


def _unexpected() -> list[Case]:
    row = "202, 204, another shape or order"
    return [
        Case(row, "202", {"fault": "accepted_202"}, "WeChatPayUnavailable"),
        Case(row, "204, applied", {"fault": "no_content_204"}, SETTLED, "QUERY"),
        *(
            Case(row, kind, {"fault": kind}, SETTLED, "QUERY")
            for kind in ("not_json", "wrong_shape", "duplicate_keys", "other_order")
        ),
    ]


def _about_state() -> list[Case]:
    reentry, running = "re-entry with other parameters", "a debit is running"
    state = "state does not allow completion"
    told: list[tuple[str, str, str, str, str]] = [
        (reentry, "PARAM_ERROR", "订单重入参数校验失败", "", "订单重入参数校验失败"),
        (reentry, "PARAM_ERROR", "", "271316598", "271316598"),
        (running, "PARAM_ERROR", "单据正在扣款中", "", "单据正在扣款中"),
        (running, "INVALID_REQUEST", "", "271316754", "271316754"),
        (state, "ORDER_DONE", "", "", "ORDER_DONE"),
        (state, "ORDER_CLOSED", "", "", "ORDER_CLOSED"),
        (state, "ORDER_CANCELED", "", "", "ORDER_CANCELED"),
        (state, "INVALID_REQUEST", "", "271302262", "271302262"),
        (state, "INVALID_REQUEST", "", "271302332", "271302332"),
        (state, "INVALID_REQUEST", "", "271302333", "271302333"),
        (state, "PARAM_ERROR", "完结订单状态不合法", "", "完结订单状态不合法"),
        (state, "INVALID_REQUEST", "当前订单状态不合法", "", "当前订单状态不合法"),
    ]
    return [
        Case(
            row,
            f"{proves} {'signed' if signed else 'unsigned'} {'applied' if applied else 'still open'}",
            says(400, code, message, tail, signed=signed) | {"applied": applied},
            SETTLED if applied else "WeChatPayUnavailable",
            "QUERY" if applied else None,
            proves=frozenset({proves}),
        )
        for row, code, message, tail, proves in told
        for signed in (True, False)
        for applied in (True, False)
    ]


def _ticket() -> list[Case]:
    row, words = "finish_ticket refused", "校验完结凭证错误"
    proves = frozenset({words})
    refused = says(400, "PARAM_ERROR", words)
    unsigned = says(400, "PARAM_ERROR", words, signed=False)
    return [
        Case(row, "stale", {"fault": "stale_ticket"}, SETTLED, "REPLY", completes=2, proves=proves),
        Case(row, "unsigned, once", unsigned, SETTLED, "REPLY", completes=2, proves=proves),
        Case(row, "for ever", refused, "REJECTED", "QUERY", 2, 2, None, proves),
        Case(row, "unsigned, applied", unsigned | {"applied": True}, SETTLED, "QUERY", proves=proves),
    ]


def _about_merchant() -> list[Case]:
    slow = "rate limited under another status"
    codes = ("FREQUENCY_LIMIT_EXCEED", "FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "RATE_LIMITED")
    both = (True, False)
    cases = []
    for signed in both:
        name = "signed" if signed else "unsigned"
        wrong = says(401, "SIGN_ERROR", "错误的签名", signed=signed)
        cases += [
            Case("401", f"{name}, once", wrong, SETTLED, "REPLY", 2, 0),
            Case("401", f"{name}, for ever", wrong, "MerchantMisconfigured", None, 2, 0, None),
            Case("403", name, says(403, "NO_AUTH", signed=signed), "MerchantMisconfigured", None, 1, 0),
            Case("429", name, says(429, "OTHER", signed=signed), "WeChatPayRateLimited", None, 1, 0),
            *(
                Case(
                    slow,
                    f"{status} {code} {name}",
                    says(status, code, signed=signed),
                    "WeChatPayRateLimited",
                    None,
                    1,
                    0,
                    proves=frozenset({code}),
                )
                for code in codes
                for status in (400, 403)
            ),
        ]
    return cases


def _refused() -> list[Case]:
    row = "refused: PARAM_ERROR, risk cap, times, range, ORDER_NOT_EXIST, any other verified 4xx"
    told = [
        (400, "PARAM_ERROR", "参数错误", ""),
        (400, "PARAM_ERROR", "完结金额超过服务风险金额上限", "271316656"),
        (400, "PARAM_ERROR", "服务结束时间不能早于服务开始时间", "271316637"),
        (400, "PARAM_ERROR", "服务结束时间不能晚于当前时间", ""),
        (400, "PARAM_ERROR", "", "268435464"),
        (404, "ORDER_NOT_EXIST", "订单不存在", "271317510"),
        (422, "ANYTHING_NEW", "", ""),
    ]
    signed = [
        Case(
            row,
            f"{status} {code} {message or tail}",
            says(status, code, message, tail),
            "REJECTED",
            "REPLY",
        )
        for status, code, message, tail in told
    ]
    settled = [
        Case(
            row,
            f"{status} {code} {message or tail}, applied",
            says(status, code, message, tail) | {"applied": True},
            SETTLED,
            "QUERY",
        )
        for status, code, message, tail in told
    ]
    unsigned = "4xx not verified"
    absent = says(404, "ORDER_NOT_EXIST", signed=False)
    page = "4xx without a code of WeChat Pay's"
    html = {"fault": "reply", "content": "<html>no</html>", "content_type": "text/html", "signed": False}
    pages = [html | {"status": status, "applied": False} for status in (400, 401, 403, 404, 405, 408, 413)]
    return [
        *signed,
        *settled,
        Case("404 not verified", "still open", absent, "WeChatPayUnavailable"),
        Case("404 not verified", "applied", absent | {"applied": True}, SETTLED, "QUERY"),
        Case(unsigned, "once", {"fault": "unsigned_4xx"}, SETTLED, "REPLY", completes=2),
        Case(unsigned, "for ever", {"fault": "unsigned_4xx"}, "REJECTED", "QUERY", 2, 2, None),
        Case(unsigned, "applied", {"fault": "unsigned_4xx_applied"}, SETTLED, "QUERY"),
        *(Case(page, f"HTML {each['status']}", each, "WeChatPayUnavailable") for each in pages),
        *(
            Case(page, f"HTML {each['status']}, applied", each | {"applied": True}, SETTLED, "QUERY")
            for each in pages
        ),
        Case("429", "HTML", html | {"status": 429, "applied": False}, "WeChatPayRateLimited", None, 1, 0),
    ]


def _failing() -> list[Case]:
    row = "5xx, 3xx and all else"
    kinds = ["system_error", "bad_gateway", "unavailable"]
    return [
        *(Case(row, kind, {"fault": kind}, "WeChatPayUnavailable") for kind in kinds),
        *(Case(row, f"{kind}_applied", {"fault": f"{kind}_applied"}, SETTLED, "QUERY") for kind in kinds),
        Case(row, "unsigned 500", says(500, "SYSTEM_ERROR", signed=False), "WeChatPayUnavailable"),
        Case(row, "504", says(504, "GATEWAY_TIMEOUT"), "WeChatPayUnavailable"),
        Case(row, "redirect", {"fault": "redirect"}, "WeChatPayUnavailable"),
    ]


REPLY_CASES = [
    *_lost(),
    *_unproven(),
    *_unexpected(),
    *_about_state(),
    *_ticket(),
    *_about_merchant(),
    *_refused(),
    *_failing(),
]


@dataclass(frozen=True)
class StateCase:
    """One state an order can be found in, and what it means for a wish.

    Attributes:
        state, settled_as, amount: as the simulator holds the order; None for one nobody settled.
        finish_type: the wish, of 1200 fen when 2.
        ends: as in `Case`; OPEN when it can still be settled.
    """

    state: str
    settled_as: int | None
    amount: int | None
    finish_type: int
    ends: object

    def __str__(self) -> str:
        return f"{self.state}/{self.settled_as}/{self.amount} asked {self.finish_type}"


STATE_CASES = [
    StateCase("USER_ACCEPTED", None, None, 1, OPEN),
    StateCase("USER_ACCEPTED", None, None, 2, OPEN),
    StateCase("FINISHED", 1, 0, 1, SETTLED),
    StateCase("FINISHED", 1, 0, 2, "CONFLICT"),
    StateCase("FINISHED", 2, 1200, 1, "CONFLICT"),
    StateCase("FINISHED", 2, 1200, 2, SETTLED),
    StateCase("FINISHED", 2, 1199, 2, "CONFLICT"),
    StateCase("FINISHED", 2, 0, 2, "CONFLICT"),
    StateCase("USER_PAID", 2, 1200, 1, "CONFLICT"),
    StateCase("USER_PAID", 2, 1200, 2, SETTLED),
    StateCase("USER_PAID", 2, 1201, 2, "CONFLICT"),
    StateCase("REVOKED", None, None, 1, SETTLED),
    StateCase("REVOKED", None, None, 2, "CONFLICT"),
    StateCase("CREATED", None, None, 1, "REJECTED"),
    StateCase("CREATED", None, None, 2, "REJECTED"),
    StateCase("EXPIRED", None, None, 1, "REJECTED"),
    StateCase("EXPIRED", None, None, 2, "REJECTED"),
]
