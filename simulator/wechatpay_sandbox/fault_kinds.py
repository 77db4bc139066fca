"""Misbehaviour as data: every kind of fault by its name."""

from collections.abc import Mapping
from typing import Any

from wechatpay_sandbox.fault import OPERATIONS, Fault

type _Axes = dict[str, Any]
_NOT_APPLIED: _Axes = {"applied": False}
_UNSIGNED: _Axes = {"signature": "absent"}
_RARE: _Axes = {"chaos": False}
_ON_COMPLETE: _Axes = {"operations": ("complete",)}
_PROXY: _Axes = {"signature": "absent", "body": "html"}
_OVERSIZED: _Axes = {"body": "oversized", "chaos": False}
_EMPTY: _Axes = {"body": "empty"}
_ON_QUERY: _Axes = {"operations": ("query",)}
_OF_ORDER: _Axes = {"operations": ("complete", "query", "cancel")}
_STALE: _Axes = {"offset": -301}
_FOREIGN: _Axes = {"signature": "foreign"}
_ACCEPTED: _Axes = {"claim": "accepted", "operations": ("complete", "cancel"), **_NOT_APPLIED}
_PAID: _Axes = {"claim": "paid", **_ON_QUERY, **_NOT_APPLIED}


def _error(status: int, code: str, message: str, tail: str = "") -> _Axes:
    return {"status": status, "code": code, "message": message, "tail": tail}


def _odd(status: int, code: str, message: str) -> _Axes:
    return _error(status, code, message) | _NOT_APPLIED | _OF_ORDER


_NOT_FOUND: _Axes = _odd(404, "ORDER_NOT_EXIST", "订单不存在") | {"tail": "271317510"}
_BEHIND: _Axes = {"claim": "open", **_ON_QUERY}
_SYSTEM_ERROR = _error(500, "SYSTEM_ERROR", "系统异常，请稍后重试")
_PARAM_ERROR = _error(400, "PARAM_ERROR", "参数错误")

_TABLE: Mapping[str, tuple[str, _Axes]] = {
    # The service or a proxy in front of it fails.
    "system_error": ("500 SYSTEM_ERROR, nothing applied", _SYSTEM_ERROR | _NOT_APPLIED),
    "system_error_applied": ("500 SYSTEM_ERROR, yet applied", _SYSTEM_ERROR),
    "bad_gateway": ("502 HTML from a proxy, not applied", _PROXY | _NOT_APPLIED | {"status": 502}),
    "bad_gateway_applied": ("502 HTML from a proxy, yet applied", _PROXY | {"status": 502}),
    "unavailable": ("503 HTML from a proxy, not applied", _PROXY | _NOT_APPLIED | {"status": 503}),
    "unavailable_applied": ("503 HTML from a proxy, yet applied", _PROXY | {"status": 503}),
    "rate_limited": (
        "429 FREQUENCY_LIMIT_EXCEED, not applied",
        _error(429, "FREQUENCY_LIMIT_EXCEED", "频率超限") | _NOT_APPLIED,
    ),
    "sign_error": (
        "401 SIGN_ERROR, not applied",
        _error(401, "SIGN_ERROR", "错误的签名，验签失败") | _NOT_APPLIED | _RARE,
    ),
    "no_auth": ("403 NO_AUTH, not applied", _error(403, "NO_AUTH", "商户无权限") | _NOT_APPLIED | _RARE),
    "unsigned_4xx": ("unsigned 400 PARAM_ERROR, not applied", _PARAM_ERROR | _UNSIGNED | _NOT_APPLIED),
    "unsigned_4xx_applied": ("unsigned 400 PARAM_ERROR, yet applied", _PARAM_ERROR | _UNSIGNED),
    "accepted_202": ("signed 202 without a body, not applied", _EMPTY | _NOT_APPLIED | {"status": 202}),
    "no_content_204": ("signed 204, applied", _EMPTY | _ON_COMPLETE | {"status": 204}),
    "redirect": (
        "302 to another host, not applied",
        _EMPTY | _NOT_APPLIED | {"status": 302, "location": "http://127.0.0.2:9/"},
    ),
    # The request is processed and the reply cannot be believed.
    "unsigned": ("the real reply without its signature headers", _UNSIGNED),
    "wrong_signature": ("the real reply, its signature made over other bytes", {"signature": "wrong"}),
    "signtest": ("the real reply with a WECHATPAY/SIGNTEST/ probe as signature", {"signature": "signtest"}),
    "unknown_serial": ("the real reply under a serial nobody was given", {"signature": "unknown-serial"}),
    "stale_timestamp": ("the real reply, correctly signed 301 s ago", {"offset": -301}),
    "future_timestamp": ("the real reply, correctly signed 310 s from now", {"offset": 310}),
    "missing_header": ("the real reply without Wechatpay-Nonce", {"missing_header": "Wechatpay-Nonce"}),
    "wrong_content_type": ("the real reply, signed, called text/html", {"content_type": "text/html"}),
    "not_json": ("a signed 200 that is no JSON", {"content": "<xml>OK</xml>"}),
    "wrong_shape": ("a signed 200 whose JSON has another shape", {"content": "[]"}),
    "duplicate_keys": ("a signed 200 with out_order_no in it twice", {"body": "duplicate-keys"}),
    "other_order": ("a signed 200 that belongs to another order", {"body": "other-order"}),
    "oversized_body": ("a signed body of 32 MB", _OVERSIZED),
    "oversized_chunked": ("a signed body of 32 MB without a Content-Length", _OVERSIZED | {"chunked": True}),
    "oversized_gzip": ("a signed body of 32 MB, compressed to some KB", _OVERSIZED | {"gzip": True}),
    # The reply lies: nothing was applied, and it says the contrary.
    "forged_accepted_unsigned": ("an unsigned 200 that accepts, nothing applied", _ACCEPTED | _UNSIGNED),
    "forged_accepted_stale": ("a 200 that accepts, signed 301 s ago, nothing applied", _ACCEPTED | _STALE),
    "forged_accepted_foreign": (
        "a 200 that accepts, signed with another merchant's key, nothing applied",
        _ACCEPTED | _FOREIGN,
    ),
    "forged_accepted_other_order": (
        "a correctly signed 200 that accepts another order, nothing applied",
        _ACCEPTED | {"body": "other-order"},
    ),
    "forged_finished_unsigned": (
        "an unsigned query that says finished, whatever the order is",
        _PAID | _UNSIGNED | {"claim": "finished"},
    ),
    "forged_paid_unsigned": ("an unsigned query that says paid, whatever the order is", _PAID | _UNSIGNED),
    "forged_paid_stale": ("a query that says paid, signed 301 s ago, whatever the order is", _PAID | _STALE),
    "forged_paid_foreign": (
        "a query that says paid, signed with another merchant's key, whatever the order is",
        _PAID | _FOREIGN,
    ),
    "forged_paid_other_order": (
        "a correctly signed query that says another order is paid",
        _PAID | {"body": "other-order"},
    ),
    "forged_404_unsigned": ("an unsigned 404 ORDER_NOT_EXIST, nothing applied", _NOT_FOUND | _UNSIGNED),
    "forged_404_foreign": (
        "a 404 ORDER_NOT_EXIST signed with another merchant's key, nothing applied",
        _NOT_FOUND | _FOREIGN,
    ),
    # Verified, and behind: a reader that has not seen yet what the writer did.
    "behind_open": ("a signed query that shows the order still open after it was settled", _BEHIND),
    "behind_created": (
        "a signed query that shows the order not even confirmed after it was settled",
        _BEHIND | {"claim": "created"},
    ),
    "not_found": ("a signed 404 ORDER_NOT_EXIST, nothing applied", _NOT_FOUND | _RARE),
    "lost_then_404": (
        "applied and never answered, and the next query and call say 404",
        _ON_COMPLETE
        | {
            "wire": "reset",
            "then": (("query", "not_found"), ("complete", "not_found"), ("query", "not_found")),
        },
    ),
    # Refusals that are on nobody's list, nothing applied.
    "timeout_408": ("408 REQUEST_TIMEOUT, nothing applied", _odd(408, "REQUEST_TIMEOUT", "请求超时")),
    "conflict_409": ("409 RESOURCE_CONFLICT, nothing applied", _odd(409, "RESOURCE_CONFLICT", "资源冲突")),
    "conflict_409_applied": (
        "409 RESOURCE_CONFLICT, yet applied",
        _odd(409, "RESOURCE_CONFLICT", "资源冲突") | {"applied": True},
    ),
    "locked_423": ("423 ORDER_LOCKED, nothing applied", _odd(423, "ORDER_LOCKED", "订单处理中，请稍后")),
    "too_early_425": ("425 TOO_EARLY, nothing applied", _odd(425, "TOO_EARLY", "请稍后重试")),
    "unlisted_code": ("400 with a code nobody knows, nothing applied", _odd(400, "BIZ_BUSY", "业务繁忙")),
    "gateway_code": (
        "400 whose code is a number: a gateway's, not WeChat Pay's, unsigned",
        _odd(400, "0", "bad request") | _UNSIGNED | {"body": "numeric-code"},
    ),
    "lower_case_code": (
        "404 whose code is in lower case: a gateway's, not WeChat Pay's, unsigned",
        _odd(404, "not_found", "no route") | _UNSIGNED,
    ),
    "quoting_refusal": (
        "400 with a code nobody knows whose message quotes the ticket, the openid and a phone number",
        _odd(400, "BIZ_BUSY", "业务繁忙:") | {"body": "quoting"},
    ),
    # The network fails.
    "host_down": (
        "every connection of the host is broken, and new ones are refused for a second",
        _NOT_APPLIED | _RARE | {"wire": "refuse", "seconds": 1.0},
    ),
    "reset_before": ("reset before the request is read", _NOT_APPLIED | {"wire": "reset"}),
    "reset_after": ("reset after the request was applied", {"wire": "reset"}),
    "silence": ("no answer, nothing applied, the connection stays open", _NOT_APPLIED | {"wire": "silent"}),
    "silence_applied": ("no answer, yet applied, the connection stays open", {"wire": "silent"}),
    "late_reply": ("the real reply, a second late", {"wire": "late", "seconds": 1.0}),
    "truncated_body": ("the connection closes in the middle of the body", {"wire": "truncated"}),
    "slow_body": ("the body arrives a byte at a time", _RARE | {"wire": "slow-body"}),
    "slow_headers": ("status line and headers arrive a byte at a time", _RARE | {"wire": "slow-head"}),
    # The order changes under the request, which is then processed as it should be.
    "settled_same": (
        "someone else finishes the order first: same amount, another parameter",
        _ON_COMPLETE | _RARE | {"order_change": "settled-same"},
    ),
    "settled_amount": (
        "someone else finishes the order first, with another amount",
        _ON_COMPLETE | _RARE | {"order_change": "settled-amount"},
    ),
    "settled_cancelled": (
        "someone else cancels the order first",
        _ON_COMPLETE | _RARE | {"order_change": "cancelled"},
    ),
    "stale_ticket": (
        "every finish_ticket issued so far has expired",
        _ON_COMPLETE | {"order_change": "tickets-expired"},
    ),
    "debit_in_progress": (
        "400 单据正在扣款中: applied, and a debit is running",
        _ON_COMPLETE | _error(400, "PARAM_ERROR", "单据正在扣款中", "271316754"),
    ),
    # Anything else.
    "reply": ("any answer: status, code, message, tail, detail, content, signed, applied", _RARE),
}

KINDS: Mapping[str, Fault] = {name: Fault(name, meaning, **axes) for name, (meaning, axes) in _TABLE.items()}


def describe() -> list[dict[str, str]]:
    """Every kind with its meaning, for the documentation and ``faults``."""
    return [
        {
            "fault": f"`{kind.name}`",
            "on": "any" if kind.operations == OPERATIONS else ", ".join(kind.operations),
            "in chaos": "yes" if kind.chaos else "",
            "meaning": kind.meaning,
        }
        for kind in KINDS.values()
    ]
