"""The fields of an order event as data, each rule with its source: section 2 of the contract.

An event is refused only by a rule that WeChat Pay would refuse it by, or that keeps hostile text out: goods
must not go unpaid over a field that could be left out. What the sources mean: `wechatpay.fields`.
"""

import json
from typing import Any

from wechatpay.fields import Entries, FieldRule, Object
from wechatpay.forms import ORDER_API, BrokenRule, Flag, Integer, Matching, Text, Time, kind

CANCEL, FINISH = 1, 2
GOODS = "商品信息"
DESCRIPTION_LENGTH = 30
METADATA_BYTES = 4096
# Step Functions computes in double precision: beyond this an amount would change on its way.
LARGEST_AMOUNT = 2**53 - 1

_IDENTIFIER = Matching(r"[0-9A-Za-z_\-]{1,32}", "1-32 letters, digits, _ or -")
_AMOUNT = Integer(0, LARGEST_AMOUNT)


class Metadata:
    """The caller's own: any JSON object of at most 4 KiB."""

    def read(self, value: Any) -> dict[str, Any]:
        """Return the object."""
        if not isinstance(value, dict):
            raise BrokenRule(f"must be an object, is {kind(value)}")
        try:
            size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode())
        except (ValueError, TypeError, RecursionError):
            raise BrokenRule("must be JSON in UTF-8") from None
        if size > METADATA_BYTES:
            raise BrokenRule(f"must be at most {METADATA_BYTES} bytes, is {size}")
        return value


FEE = (
    FieldRule("fee_name", Text(20), "T: 付费项目名称, 1-20 characters", required=True),
    FieldRule("fee_count", Integer(1, 100), "T: 付费数量, 1-100"),
    FieldRule("fee_amount", _AMOUNT, "T: 付费金额, fen, >= 0"),
    FieldRule("fee_desc", Text(30), "T: 付费说明, 1-30 characters, never empty"),
)
DISCOUNT = (
    FieldRule("discount_name", Text(20), "T: 优惠名称, 1-20 characters", required=True),
    FieldRule("discount_amount", Integer(1, LARGEST_AMOUNT), "T: 优惠金额, fen, > 0", required=True),
    FieldRule("discount_desc", Text(30), "T: 优惠说明, 1-30 characters, never empty"),
)
DEVICE = (
    FieldRule("start_device_id", Text(32), "V for serviceorder: its name (2025-03); T: its length"),
    FieldRule("end_device_id", Text(32), "V for serviceorder: its name (2025-03); T: its length"),
    FieldRule("materiel_no", Text(32), "V for serviceorder: its name (2025-03); T: its length"),
)
ORDER = (
    FieldRule(
        "out_order_no",
        Matching(r"[0-9A-Za-z_\-|*]{1,32}", "1-32 of 0-9 A-Z a-z _ - | *"),
        "V: 只能由数字、大小写字母_-|*组成, at most 32 characters",
        required=True,
    ),
    FieldRule("mchid", Matching(r"[0-9]{1,32}", "1-32 digits"), "V: 商户号, digits, at most 32 characters"),
    FieldRule("order_api", ORDER_API, "D: the last segment of the path the order was created at"),
    FieldRule("appid", _IDENTIFIER, "V: at most 32 characters"),
    FieldRule("service_id", _IDENTIFIER, "V: at most 32 characters"),
    FieldRule("finish_type", Integer(CANCEL, FINISH), "T: 1 not used, 2 finished", required=True),
    FieldRule("cancel_reason", Text(30), "T: 1-30 characters"),
    FieldRule("real_service_start_time", Time(), "T: yyyyMMddHHmmss or yyyyMMdd"),
    FieldRule("real_service_end_time", Time(), "T: yyyyMMddHHmmss or yyyyMMdd"),
    FieldRule("real_service_end_location", Text(20), "T: 1-20 characters"),
    FieldRule("fees", Entries(Object(FEE), 100), "T: at most 100 entries"),
    FieldRule("discounts", Entries(Object(DISCOUNT)), "T: how many depends on the API, see family_rules"),
    FieldRule("total_amount", _AMOUNT, "V: fen, >= 0"),
    FieldRule("finish_ticket", Text(512), "T: opaque, at most 512 characters"),
    FieldRule("profit_sharing", Flag(), "T: true or false"),
    FieldRule("goods_tag", Text(32), "V for serviceorder: at most 32 characters"),
    FieldRule("device", Object(DEVICE), "V for serviceorder: an object"),
    FieldRule("metadata", Metadata(), "D: the caller's own, at most 4 KiB"),
)
