"""WeChat Pay's rules on a request, checked before any order is looked at.

A broken rule is a 400 ``PARAM_ERROR`` whose ``detail`` names the first field at fault, as WeChat Pay does.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import parse_qsl, unquote_to_bytes

from wechatpay_sandbox.orders import CANCEL, FINISH
from wechatpay_sandbox.replies import UNDOCUMENTED_TAIL, Refusal

OUT_OF_RANGE_TAIL = "268435464"
MAX_INT = 2**53

_ORDER_NO = re.compile(r"[0-9A-Za-z_\-|*]{1,32}")
_OUTSIDE_BMP = re.compile("[\ud800-\udfff\U00010000-\U0010ffff]")
_TIME = re.compile(r"[0-9]{8}(?:[0-9]{6})?")


@dataclass(frozen=True)
class Rule:
    """A field's type and its limits: characters for text, value for integers, items for lists."""

    type: type
    low: int = 0
    high: int = 0
    required: bool = False
    item: "Mapping[str, Rule] | None" = None


FEE = {
    "fee_name": Rule(str, 1, 20, required=True),
    "fee_count": Rule(int, 1, 100),
    "fee_amount": Rule(int, 0, MAX_INT),
    "fee_desc": Rule(str, 1, 30),
}
DISCOUNT = {
    "discount_name": Rule(str, 1, 20, required=True),
    "discount_amount": Rule(int, 1, MAX_INT, required=True),
    "discount_desc": Rule(str, 1, 30),
}
COMPLETE = {
    "appid": Rule(str, 1, 32, required=True),
    "service_id": Rule(str, 1, 32, required=True),
    "finish_type": Rule(int, CANCEL, FINISH, required=True),
    "cancel_reason": Rule(str, 1, 30),
    "real_service_start_time": Rule(str, 8, 14),
    "real_service_end_time": Rule(str, 8, 14),
    "real_service_end_location": Rule(str, 1, 20),
    "fees": Rule(list, 0, 100, item=FEE),
    "discounts": Rule(list, 0, 5, item=DISCOUNT),
    "total_amount": Rule(int, 0, MAX_INT),
    "finish_ticket": Rule(str, 1, 512, required=True),
    "profit_sharing": Rule(bool),
}
QUERY = ("service_id", "out_order_no", "appid")


def refuse(
    field: str, issue: str, *, location: str = "body", tail: str = UNDOCUMENTED_TAIL, value: object = None
) -> NoReturn:
    """Raise the 400 that WeChat Pay gives for a bad parameter."""
    detail: dict[str, Any] = {"field": field, "issue": issue, "location": location}
    if value is not None:
        detail["value"] = value
    raise Refusal(400, "PARAM_ERROR", f"参数错误: {issue}", tail=tail, detail=detail)


def check_headers(headers: Mapping[str, str], method: str) -> None:
    """Refuse a request without the headers APIv3 requires."""
    if "application/json" not in headers.get("Accept", "") or not headers.get("User-Agent", "").strip():
        refuse("Accept, User-Agent", "Http头缺少Accept或User-Agent", location="header")
    media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if method == "POST" and media_type != "application/json":
        refuse("Content-Type", "Http头Content-Type应为application/json", location="header")


def order_number(segment: str) -> str:
    """The order number of a path, percent-decoded once."""
    try:
        number = unquote_to_bytes(segment).decode("ascii")
    except UnicodeDecodeError:
        number = ""
    return check_order_number(number, location="path")


def check_order_number(number: str, *, location: str) -> str:
    """Refuse what can be no order number."""
    if _ORDER_NO.fullmatch(number) is None:
        refuse("out_order_no", "商户服务订单号格式不正确", location=location, value=number)
    return number


def parse_query(query: str) -> dict[str, str]:
    """The parameters of a query: each of the three once, none empty, nothing else."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        refuse("query", "查询参数格式不正确", location="query")
    for name, _ in pairs:
        if name not in QUERY:
            refuse(name, "unknown parameter", location="query")
    values = dict(pairs)
    for name in QUERY:
        if not values.get(name):
            refuse(name, "缺少必填参数", location="query")
    if len(pairs) != len(values):
        refuse("query", "parameter given twice", location="query")
    check_order_number(values["out_order_no"], location="query")
    return values


def parse_complete(body: bytes) -> dict[str, Any]:
    """The body of a completion, when it keeps every rule that needs no order to check."""
    document = _parse_json(body)
    _check_object(document, COMPLETE, "")
    _check_times(document)
    if document["finish_type"] == FINISH:
        _check_finished(document)
    else:
        _check_cancelled(document)
    return document


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        refuse("/", "duplicate key in a JSON object")
    return document


def _no_constant(name: str) -> NoReturn:
    refuse("/", f"{name} is not JSON")


def _parse_json(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        refuse("/", "请求体不是合法的JSON")
    if not isinstance(document, dict):
        refuse("/", "请求体应为JSON对象")
    return document


def _check_object(document: Mapping[str, Any], rules: Mapping[str, Rule], at: str) -> None:
    for name, value in document.items():
        rule = rules.get(name)
        if rule is None:
            refuse(f"{at}/{name}", "unknown field")
        _check_value(value, rule, f"{at}/{name}")
    for name, rule in rules.items():
        if rule.required and name not in document:
            refuse(f"{at}/{name}", "缺少必填参数")


def _check_value(value: object, rule: Rule, at: str) -> None:
    if value is None:
        refuse(at, "null is not allowed")
    if type(value) is not rule.type:
        refuse(
            at, f"应为{_TYPE_NAMES[rule.type]}", value=value if isinstance(value, str | int | float) else None
        )
    if isinstance(value, bool):
        return
    if isinstance(value, str) and _OUTSIDE_BMP.search(value):
        refuse(at, "4-byte UTF-8 is not allowed")
    size = len(value) if isinstance(value, str | list) else value
    if not isinstance(size, int) or not rule.low <= size <= rule.high:
        refuse(at, f"取值或长度应在{rule.low}到{rule.high}之间", tail=OUT_OF_RANGE_TAIL)
    if isinstance(value, list):
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                refuse(f"{at}/{index}", "应为对象")
            _check_object(item, rule.item or {}, f"{at}/{index}")


_TYPE_NAMES = {str: "字符串", int: "整数", bool: "布尔值", list: "数组"}


def _check_times(document: Mapping[str, Any]) -> None:
    for name in ("real_service_start_time", "real_service_end_time"):
        value = document.get(name)
        if value is not None and not _is_time(value):
            refuse(f"/{name}", "时间格式应为yyyyMMddHHmmss或yyyyMMdd", value=value)


def _is_time(text: str) -> bool:
    if _TIME.fullmatch(text) is None:
        return False
    try:
        datetime.strptime(text.ljust(14, "0"), "%Y%m%d%H%M%S")  # noqa: DTZ007 - no zone in it
    except ValueError:
        return False
    return True


def _check_finished(document: Mapping[str, Any]) -> None:
    if "cancel_reason" in document:
        refuse("/cancel_reason", "only with finish_type 1")
    if "total_amount" not in document:
        refuse("/total_amount", "缺少必填参数")
    fees = document.get("fees", [])
    names = [fee["fee_name"] for fee in fees if fee["fee_name"] != "商品信息"]
    if len(set(names)) != len(names):
        refuse("/fees", "付费项目名称不能重复")
    for index, fee in enumerate(fees):
        if "fee_amount" not in fee and "fee_desc" not in fee:
            refuse(f"/fees/{index}", "fee_amount和fee_desc至少填写一个")
    total = sum(fee.get("fee_amount", 0) for fee in fees)
    total -= sum(discount["discount_amount"] for discount in document.get("discounts", []))
    if total != document["total_amount"]:
        refuse("/total_amount", "总金额不等于付费项目总和减去优惠总和", value=document["total_amount"])


def _check_cancelled(document: Mapping[str, Any]) -> None:
    if "cancel_reason" not in document:
        refuse("/cancel_reason", "缺少必填参数")
    if document.get("total_amount", 0) != 0:
        refuse("/total_amount", "取消订单时总金额应为0", value=document["total_amount"])
    if "real_service_end_location" in document:
        refuse("/real_service_end_location", "only with finish_type 2")


def unquote_loosely(segment: str) -> str:
    """A percent-decoded name for the records, whatever it is; never used to decide."""
    return unquote_to_bytes(segment).decode(errors="replace")


def parse_leniently(body: bytes) -> dict[str, Any]:
    """An object if the body is one, else an empty one."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
