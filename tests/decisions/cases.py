"""What WeChat Pay and the network can answer, one entry per answer, and how the order has to end.

Written from the official pages and not from `reply_rules`: a row added there fails until it is met here.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.replies import UNVERIFIABLE, genuine, refusal

OPEN, UNCONFIRMED = "open", "unconfirmed"
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


# Ends, evidence, completes, queries, times: the main host and the backup host alike, nothing applied.
BOTH_HOSTS = ("WeChatPayUnavailable", None, 2, 2, None)


def _lost() -> list[Case]:
    row = "no whole reply"
    return [
        Case(row, "reset before it was read, once", {"fault": "reset_before"}, SETTLED, "REPLY", completes=2),
        Case(row, "reset before it was read", {"fault": "reset_before"}, *BOTH_HOSTS),
        Case(row, "reset after it was applied", {"fault": "reset_after"}, SETTLED, "QUERY"),
        Case(row, "a body cut short", {"fault": "truncated_body"}, SETTLED, "QUERY"),
        Case(row, "a body of 3 MB", {"fault": "oversized_body", "size": 3 << 20}, SETTLED, "QUERY"),
        Case(row, "a body without end", {"fault": "oversized_chunked", "size": 3 << 20}, SETTLED, "QUERY"),
    ]


def _unproven() -> list[Case]:
    row = "2xx not verified"
    unsigned = genuine({}) | {"signed": False}
    return [
        *(Case(row, kind, {"fault": kind}, SETTLED, "QUERY") for kind in UNVERIFIABLE),
        Case(row, "200, unsigned, not applied, once", unsigned, SETTLED, "REPLY", completes=2),
        Case(row, "200, unsigned, not applied", unsigned, *BOTH_HOSTS),
        Case(row, "202, unsigned", unsigned | {"status": 202}, *BOTH_HOSTS),
    ]


def _unexpected() -> list[Case]:
    row, contradicts = "202, 204", "200 that contradicts what was asked"
    kinds = ("not_json", "wrong_shape", "duplicate_keys", "other_order")
    return [
        Case(row, "202", {"fault": "accepted_202"}, "WeChatPayUnavailable"),
        Case(row, "204, applied", {"fault": "no_content_204"}, SETTLED, "QUERY"),
        *(Case(contradicts, kind, {"fault": kind}, SETTLED, "QUERY") for kind in kinds),
        Case(contradicts, "of another shape, not applied", genuine([]), "OutcomeUnknown"),
        Case(contradicts, "of no order, not applied", genuine({}), "OutcomeUnknown"),
    ]


def _about_state() -> list[Case]:
    reentry, running = "re-entry with other parameters", "a debit is running or has failed"
    state = "state does not allow it"
    refusals: list[tuple[str, str, str, str, str]] = [
        (reentry, "PARAM_ERROR", "订单重入参数校验失败", "", "订单重入参数校验失败"),
        (reentry, "PARAM_ERROR", "", "271316598", "271316598"),
        (running, "PARAM_ERROR", "单据正在扣款中", "", "单据正在扣款中"),
        (running, "INVALID_REQUEST", "", "271316754", "271316754"),
        (running, "INVALID_REQUEST", "支付分扣款失败", "", "支付分扣款失败"),
        (running, "INVALID_REQUEST", "", "271316574", "271316574"),
        (state, "ORDER_DONE", "", "", "ORDER_DONE"),
        (state, "ORDER_CLOSED", "", "", "ORDER_CLOSED"),
        (state, "ORDER_CANCELED", "", "", "ORDER_CANCELED"),
        (state, "INVALID_ORDER_STATE", "", "", "INVALID_ORDER_STATE"),
        (state, "INVALID_REQUEST", "", "271302262", "271302262"),
        (state, "INVALID_REQUEST", "", "271302332", "271302332"),
        (state, "INVALID_REQUEST", "", "271302333", "271302333"),
        (state, "INVALID_REQUEST", "", "271316592", "271316592"),
        (state, "INVALID_REQUEST", "", "271316657", "271316657"),
        (state, "INVALID_REQUEST", "当前订单状态不允许取消", "", "订单状态不允许取消"),
        (state, "PARAM_ERROR", "完结订单状态不合法", "", "订单状态不合法"),
        (state, "INVALID_REQUEST", "当前订单状态不合法", "", "订单状态不合法"),
        (state, "INVALID_REQUEST", "单据状态错误", "", "单据状态错误"),
    ]
    return [
        Case(
            row,
            f"{code} {message or tail} {signed=} {applied=}",
            refusal(400, code, message, tail, signed=signed) | {"applied": applied},
            SETTLED if applied else "WeChatPayUnavailable" if row == state else "OutcomeUnknown",
            "QUERY" if applied else None,
            proves=frozenset({proves}),
        )
        for row, code, message, tail, proves in refusals
        for signed in (True, False)
        for applied in (True, False)
    ]


def _ticket() -> list[Case]:
    row = "finish_ticket refused"
    proves = frozenset({"完结凭证"})
    refused = refusal(400, "PARAM_ERROR", "校验完结凭证错误")
    unsigned = refusal(400, "PARAM_ERROR", "校验完结凭证错误", signed=False)
    detail = refused | {"message": "参数错误", "detail": {"field": "finish_ticket", "issue": "无效"}}
    named = frozenset({"finish_ticket"})
    return [
        Case(row, "stale", {"fault": "stale_ticket"}, SETTLED, "REPLY", completes=2, proves=proves),
        Case(row, "unsigned, once", unsigned, SETTLED, "REPLY", completes=2, proves=proves),
        Case(row, "for ever", refused, "WeChatPayUnavailable", None, 2, 2, None, proves),
        Case(row, "unsigned, applied", unsigned | {"applied": True}, SETTLED, "QUERY", proves=proves),
        Case(row, "by its name, for ever", detail, "WeChatPayUnavailable", None, 2, 2, None, named),
    ]


def _about_merchant() -> list[Case]:
    slow, setup, refused = "rate limited", "the merchant's set-up", "signature refused"
    serial = "Wechatpay-Serial refused"
    codes = ("FREQUENCY_LIMIT_EXCEED", "FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "RATE_LIMITED")
    both = (True, False)
    cases = []

    def lasting(row: str, name: str, fault: dict[str, Any], ends: str, proves: str) -> Case:
        return Case(row, name, fault, ends, None, 1, 0, proves=frozenset({proves}))

    for signed in both:
        name = "signed" if signed else "unsigned"
        wrong = refusal(401, "SIGN_ERROR", "错误的签名", signed=signed)
        other = refusal(401, "INVALID_REQUEST", "商户证书序列号有误", signed=signed)
        elsewhere = refusal(400, "INVALID_REQUEST", "", "270924332", signed=signed)
        serials = refusal(400, "PARAM_ERROR", "平台证书序列号Wechatpay-Serial错误", signed=signed)
        spaced = refusal(400, "PARAM_ERROR", "平台证书序列号 Wechatpay-Serial 错误", signed=signed)
        cases += [
            Case(refused, f"{name}, once", wrong, SETTLED, "REPLY", 2, 0, proves=frozenset({"SIGN_ERROR"})),
            Case(refused, f"{name}, for ever", wrong, "MerchantMisconfigured", None, 2, 0, None),
            Case(
                refused,
                f"270924332 {name}",
                elsewhere,
                *("MerchantMisconfigured", None, 2, 0, None),
                frozenset({"270924332"}),
            ),
            Case("401", f"{name}, once", other, SETTLED, "REPLY", 2, 0),
            Case("401", f"{name}, for ever", other, "MerchantMisconfigured", None, 2, 0, None),
            Case(serial, f"{name}, once", serials, SETTLED, "REPLY", 2, 0, proves=_SERIAL),
            Case(serial, f"{name}, with spaces", spaced, SETTLED, "REPLY", 2, 0, proves=_SERIAL),
            Case(serial, f"{name}, for ever", serials, "MerchantMisconfigured", None, 2, 0, None, _SERIAL),
            Case("403", name, refusal(403, "OTHER", signed=signed), "MerchantMisconfigured", None, 1, 0),
            Case("429", name, refusal(429, "OTHER", signed=signed), "WeChatPayRateLimited", None, 1, 0),
            *(
                lasting(
                    slow,
                    f"{status} {code} {name}",
                    refusal(status, code, signed=signed),
                    "WeChatPayRateLimited",
                    code,
                )
                for code in codes
                for status in (400, 403)
            ),
            lasting(
                slow,
                f"268435472 {name}",
                refusal(400, "INVALID_REQUEST", "", "268435472", signed=signed),
                "WeChatPayRateLimited",
                "268435472",
            ),
            *(
                lasting(
                    setup,
                    f"{status} {code} {message or tail} {name}",
                    refusal(status, code, message, tail, signed=signed),
                    "MerchantMisconfigured",
                    proves,
                )
                for status, code, message, tail, proves in (
                    (403, "NO_AUTH", "商户号该产品权限未开通", "", "NO_AUTH"),
                    (403, "NO_AUTH", "此IP地址不允许调用该接口", "", "NO_AUTH"),
                    (400, "APPID_MCHID_NOT_MATCH", "", "", "APPID_MCHID_NOT_MATCH"),
                    (400, "MCH_NOT_EXISTS", "", "", "MCH_NOT_EXISTS"),
                    (400, "INVALID_REQUEST", "", "271302144", "271302144"),
                    (400, "INVALID_REQUEST", "", "271302149", "271302149"),
                    (400, "INVALID_REQUEST", "", "268503786", "268503786"),
                    (400, "PARAM_ERROR", "mch_id 不存在", "", "mch_id 不存在"),
                    (400, "PARAM_ERROR", "mch_id 和 appid 未绑定", "", "mch_id 和 appid 未绑定"),
                    (400, "PARAM_ERROR", "mch_id和appid未绑定", "", "mch_id 和 appid 未绑定"),
                    (400, "INVALID_REQUEST", "无权限", "", "无权限"),
                )
            ),
            *(
                lasting(
                    "appid, service_id, mchid: the merchant's set-up",
                    f"{name} {word}",
                    refusal(400, "PARAM_ERROR", f"{word} 不合法", signed=signed),
                    "MerchantMisconfigured",
                    word,
                )
                for word in ("appid", "service_id", "mchid", "mch_id", "公众账号ID", "服务ID", "商户号")
            ),
        ]
    return cases


_SERIAL = frozenset({"Wechatpay-Serial错误"})


def _refused() -> list[Case]:
    """The closed list: final on a first attempt, once a verified query shows the order open."""
    row = "risk cap, end before start, out of range"
    listed = [
        ("PARAM_ERROR", "", "271316656", "271316656"),
        ("INVALID_REQUEST", "完结金额超过服务风险金额上限", "", "风险金额"),
        ("PARAM_ERROR", "服务结束时间不能早于服务开始时间", "271316637", "271316637"),
        ("PARAM_ERROR", "", "268435464", "268435464"),
    ]
    wrong, unsigned = refusal(400, "PARAM_ERROR", "参数错误"), {"fault": "unsigned_4xx"}
    code = frozenset({"PARAM_ERROR"})
    cases = [
        Case("PARAM_ERROR", "once", wrong, SETTLED, "REPLY", 2, 1, proves=code),
        Case("PARAM_ERROR", "for ever", wrong, "REJECTED", "REPLY", 2, 2, None, code),
        Case("PARAM_ERROR", "applied", wrong | {"applied": True}, SETTLED, "QUERY", proves=code),
        Case("PARAM_ERROR", "unsigned, once", unsigned, SETTLED, "REPLY", 2, 1),
        Case("PARAM_ERROR", "unsigned, for ever", unsigned, "REJECTED", "QUERY", 2, 2, None),
        Case("PARAM_ERROR", "unsigned, applied", {"fault": "unsigned_4xx_applied"}, SETTLED, "QUERY"),
    ]
    for listed_code, message, tail, proves in listed:
        refused, named = refusal(400, listed_code, message, tail), frozenset({proves})
        cases += [
            Case(row, f"{message or tail}", refused, "REJECTED", "REPLY", proves=named),
            Case(row, f"{proves} applied", refused | {"applied": True}, SETTLED, "QUERY", proves=named),
            Case(row, f"{proves} unsigned", refused | {"signed": False}, "REJECTED", "QUERY", proves=named),
        ]
    return cases


def _times() -> list[Case]:
    """Clocks differ: never final."""
    row = "the times: clocks differ"
    refusals = [
        ("服务结束时间不能晚于当前时间", "结束时间"),
        ("实际结束时间不能晚于使用完结接口的时间", "结束时间"),
        ("开始时间有误", "开始时间"),
        ("real_service_start_time 有误", "start_time"),
        ("real_service_end_time 有误", "end_time"),
        ("time_range 有误", "time_range"),
        ("服务时间段有误", "服务时间"),
    ]
    return [
        Case(
            row,
            f"{message} {'signed' if signed else 'unsigned'} {'applied' if applied else 'open'}",
            refusal(400, "PARAM_ERROR", message, signed=signed) | {"applied": applied},
            SETTLED if applied else "WeChatPayUnavailable",
            "QUERY" if applied else None,
            proves=frozenset({proves}),
        )
        for message, proves in refusals
        for signed in (True, False)
        for applied in (True, False)
    ]


def _not_found() -> list[Case]:
    """A completion that is refused by 404 while a query finds the order: it may have been behind."""
    row = "404 ORDER_NOT_EXIST"
    refusals = [("ORDER_NOT_EXIST", "", "ORDER_NOT_EXIST"), ("RESOURCE_NOT_EXISTS", "271317510", "271317510")]
    return [
        Case(
            row,
            f"{proves} {'signed' if signed else 'unsigned'} {'applied' if applied else 'open'}",
            refusal(404, code, "订单不存在", tail, signed=signed) | {"applied": applied},
            SETTLED if applied else "WeChatPayUnavailable",
            "QUERY" if applied else None,
            proves=frozenset({proves}),
        )
        for code, tail, proves in refusals
        for signed in (True, False)
        for applied in (True, False)
    ]


def _unlisted() -> list[Case]:
    """What nobody foresaw, and pages of something in between: asked about, then retried."""
    row, page = "any other 4xx", "4xx without a code of WeChat Pay's"
    codes = [
        (400, "ACCOUNT_FROZEN"),
        (400, "SYSTEM_BUSY"),
        (404, "RESOURCE_NOT_EXISTS"),
        (408, "REQUEST_TIMEOUT"),
        (409, "CONFLICT"),
        (422, "ANYTHING_NEW"),
        (423, "LOCKED"),
        (425, "TOO_EARLY"),
    ]
    html = {"fault": "reply", "content": "<html>no</html>", "content_type": "text/html", "signed": False}
    gateway = {"fault": "reply", "content": '{"code": "404", "message": "no route"}', "signed": False}
    lower = {"fault": "reply", "content": '{"code": "not_found"}', "signed": False}
    pages = [html | {"status": status} for status in (400, 401, 403, 404, 405, 408, 413)]
    pages += [gateway | {"status": 404}, gateway | {"status": 401}, lower | {"status": 403}]
    faults = [
        *(
            (row, f"{status} {code} {signed}", refusal(status, code, signed=signed))
            for status, code in codes
            for signed in (True, False)
        ),
        *((page, f"{each['status']} {each['content']}", each | {"applied": False}) for each in pages),
    ]
    return [
        *(Case(where, name, fault, "WeChatPayUnavailable") for where, name, fault in faults),
        *(
            Case(where, f"{name}, applied", fault | {"applied": True}, SETTLED, "QUERY")
            for where, name, fault in faults
        ),
        Case("429", "HTML", html | {"status": 429, "applied": False}, "WeChatPayRateLimited", None, 1, 0),
    ]


def _failing() -> list[Case]:
    row = "5xx, 3xx and all else"
    kinds = ["system_error", "bad_gateway", "unavailable"]
    return [
        *(Case(row, f"{kind}, once", {"fault": kind}, SETTLED, "REPLY", completes=2) for kind in kinds),
        *(Case(row, f"{kind}, for ever", {"fault": kind}, *BOTH_HOSTS) for kind in kinds),
        *(Case(row, f"{kind}_applied", {"fault": f"{kind}_applied"}, SETTLED, "QUERY") for kind in kinds),
        Case(row, "unsigned 500", refusal(500, "SYSTEM_ERROR", signed=False), *BOTH_HOSTS),
        Case(row, "504", refusal(504, "GATEWAY_TIMEOUT"), *BOTH_HOSTS),
        Case(row, "redirect", {"fault": "redirect"}, *BOTH_HOSTS),
    ]


REPLY_CASES = [
    *_lost(),
    *_unproven(),
    *_unexpected(),
    *_about_state(),
    *_ticket(),
    *_about_merchant(),
    *_refused(),
    *_times(),
    *_not_found(),
    *_unlisted(),
    *_failing(),
]


@dataclass(frozen=True)
class StateCase:
    """One state an order can be found in, and what it means for a wish.

    Attributes:
        state, settled_as, amount: as the simulator holds the order; None for one nobody settled.
        finish_type: the wish, of 1200 fen when 2.
        ends: as in `Case`; OPEN when it can still be settled, UNCONFIRMED by the call `cancel`.
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
    StateCase("CREATED", None, None, 1, UNCONFIRMED),
    StateCase("CREATED", None, None, 2, "WeChatPayUnavailable"),
    StateCase("EXPIRED", None, None, 1, SETTLED),
    StateCase("EXPIRED", None, None, 2, "REJECTED"),
]
