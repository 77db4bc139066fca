"""Fields of requests as data: type, limits and where each comes from; every limit becomes a named rule."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wechatpay_sandbox.rules import Rule

OUT_OF_RANGE_TAIL = "268435464"
MAX_INT = 2**53

_TYPES = {
    str: ("a text", "字符串"),
    int: ("an integer", "整数"),
    bool: ("true or false", "布尔值"),
    list: ("a list of objects", "数组"),
    dict: ("an object", "对象"),
}
"""Each type for the reason in plain words, and for the refusal's message."""


@dataclass(frozen=True)
class Field:
    """A field's type and limits: characters for text, value for integers, items for lists; ``high`` 0: none.

    ``source`` is where type and limits come from, ``required`` where it says that the field must be there
    (empty: it may be left out); ``firm``: nothing can be processed without it. ``fields`` are those of an
    object, or of each object of a list. ``time``: a text that is a time, or one of ``words``.
    """

    type: type
    low: int = 0
    high: int = 0
    source: str = ""
    required: str = ""
    firm: bool = False
    time: bool = False
    words: tuple[str, ...] = ()
    fields: "Mapping[str, Field] | None" = None


REQUEST_RULES = {
    "request.headers": Rule(
        "V: https://pay.weixin.qq.com/doc/v3/merchant/4012081606; T: probed: answered before the signature",
        "a request needs Accept: application/json and a User-Agent",
        "Http头缺少Accept或User-Agent",
        code="INVALID_REQUEST",
        gateway=True,
    ),
    "request.content_type": Rule(
        "V: https://pay.weixin.qq.com/doc/v3/merchant/4012081606",
        "a POST needs Content-Type: application/json",
        "Http头Content-Type应为application/json",
        gateway=True,
    ),
    "request.out_order_no": Rule(
        "V: 只能由数字、大小写字母_-|*组成, 1-32 characters",
        "an order number has 1 to 32 characters of 0-9 A-Z a-z _ - | *; in a path it is percent-encoded once",
        "商户服务订单号格式不正确",
        firm=True,
    ),
    "request.query": Rule(
        "I: each parameter once, percent-encoded, none that is not documented",
        "the query string holds a parameter that is unknown, given twice or not percent-encoded",
        "查询参数格式不正确",
        firm=True,
    ),
    "request.query_required": Rule(
        "V: service_id, out_order_no and appid are all required",
        "a query needs service_id, out_order_no and appid",
        "缺少必填参数",
        firm=True,
    ),
    "json.syntax": Rule(
        "V: APIv3 is JSON in UTF-8", "the body is no JSON object in UTF-8", "请求体不是合法的JSON", firm=True
    ),
    "json.duplicate_key": Rule(
        "I: what a repeated key means is undefined in JSON",
        "a JSON object holds a key twice",
        "duplicate key in a JSON object",
        firm=True,
    ),
    "json.null": Rule(
        "T: operators' code removes nulls before sending",
        "a field is null; what is absent must be left out",
        "null is not allowed",
    ),
    "json.unknown_field": Rule(
        "I: whether unknown fields are ignored is not documented",
        "the API has no field of this name; misspelt?",
        "unknown field",
    ),
    "text.four_bytes": Rule(
        "V: texts may hold no character outside the basic multilingual plane (emoji)",
        "a text holds a character of four bytes in UTF-8, such as an emoji",
        "4-byte UTF-8 is not allowed",
    ),
    "text.control": Rule(
        "D: no control characters",
        "a text holds a control character, such as a line break",
        "字段包含非法字符",
    ),
    "text.blank": Rule(
        "D: a text of blanks alone is an empty one", "a text holds nothing but blanks", "字段不能为空"
    ),
}


def field_rules(prefix: str, fields: Mapping[str, Field]) -> dict[str, Rule]:
    """One rule a limit: ``<prefix>.<field>.type``, ``.length``, ``.required``, ``.time``."""
    return dict(_each_rule(prefix, fields))


def _each_rule(prefix: str, fields: Mapping[str, Field]) -> Iterator[tuple[str, Rule]]:
    for name, field in fields.items():
        at = f"{prefix}.{name}"
        words, chinese = _TYPES[field.type]
        yield f"{at}.type", Rule(field.source, f"{name} must be {words}", f"应为{chinese}", firm=True)
        if field.high:
            yield f"{at}.length", _length_rule(name, field)
        if field.time:
            reason = f"{name} must be a real time, yyyyMMddHHmmss or yyyyMMdd"
            message = "时间格式应为yyyyMMddHHmmss或yyyyMMdd"
            yield f"{at}.time", Rule(field.source, reason, message, firm=True)
        if field.required:
            rule = Rule(field.required, f"{name} must be sent", "缺少必填参数", firm=field.firm)
            yield f"{at}.required", rule
        if field.fields is not None:
            yield from _each_rule(at, field.fields)


def _length_rule(name: str, field: Field) -> Rule:
    unit = " characters" if field.type is str else " items" if field.type is list else ""
    limits = f"{field.low} to {field.high}{unit}"
    if field.high == MAX_INT and not field.low:
        limits = "at least 0"
    return Rule(
        field.source,
        f"{name} must {'have' if unit else 'be'} {limits}",
        f"取值或长度应在{field.low}到{field.high}之间",
        tail=OUT_OF_RANGE_TAIL,
        firm=field.type is int or field.time,
    )
