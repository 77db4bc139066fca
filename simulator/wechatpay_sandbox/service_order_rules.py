"""What may stand in a request about serviceorder (微信支付分 公共API), and the rules of this family.

Sources: https://pay.weixin.qq.com/doc/v3/merchant/4012587900 (create) and its neighbours, unless marked.
"""

from wechatpay_sandbox.fields import MAX_INT, Field, field_rules
from wechatpay_sandbox.order_rules import CANCEL, IDENTIFIERS
from wechatpay_sandbox.rules import Rule

_TIME = "V: yyyyMMddHHmmss or yyyyMMdd"
_AMOUNT = "V: an integer of fen, at least 0"
_MUST = "V: 必填"

PAYMENTS = {
    "name": Field(str, 1, 20, "V: 不能超过20个字符", required=_MUST, firm=True),
    "amount": Field(int, 0, MAX_INT, _AMOUNT, required=_MUST, firm=True),
    "description": Field(str, 1, 30, "V: 不超过30个字符"),
    "count": Field(int, 1, 100, "V: [1,100]"),
}
DISCOUNTS = {
    "name": Field(str, 1, 20, "V: 不超过20个字符", required=_MUST, firm=True),
    "description": Field(str, 1, 30, "V: 不超过30个字符"),
    "amount": Field(
        int, 1, MAX_INT, "V: an integer of fen, above 0", required="I: the sum needs it", firm=True
    ),
    "count": Field(int, 1, 100, "V: [1,100]"),
}
DEVICE = {
    name: Field(str, 1, 32, "V: string(32)") for name in ("start_device_id", "end_device_id", "materiel_no")
}
PLACES = {name: Field(str, 1, 50, "V: 50 characters") for name in ("start_location", "end_location")}
RISK_NAMES = ("DEPOSIT", "ADVANCE", "CASH_DEPOSIT", "ESTIMATE_ORDER_COST")
COMPLETE = {
    **IDENTIFIERS,
    "post_payments": Field(list, 1, 100, "V: 最多100条", required=_MUST, fields=PAYMENTS),
    "post_discounts": Field(list, 1, 30, "V: 最多30条; I: none is left out", fields=DISCOUNTS),
    "total_amount": Field(int, 0, MAX_INT, _AMOUNT, required=_MUST),
    "time_range": Field(
        dict,
        source="V: 选填",
        fields={name: Field(str, 8, 14, _TIME, time=True) for name in ("start_time", "end_time")},
    ),
    "location": Field(dict, source="V: 选填", fields=PLACES),
    "profit_sharing": Field(bool, source="V: 选填, default false"),
    "goods_tag": Field(str, 1, 32, "V: string(32)"),
    "device": Field(dict, source="V: 选填", fields=DEVICE),
}
CREATE = {
    "out_order_no": Field(str, source="V: 要求32个字符内", required=_MUST, firm=True),
    **IDENTIFIERS,
    "service_introduction": Field(str, 1, 20, "V: 不超过20个字符", required=_MUST),
    "post_payments": Field(
        list, 0, 100, "V: 最多100条", fields=PAYMENTS | {"amount": Field(int, 0, MAX_INT, _AMOUNT)}
    ),
    "post_discounts": Field(
        list, 0, 30, "V: 最多30条", fields=DISCOUNTS | {"amount": Field(int, 1, MAX_INT, _AMOUNT)}
    ),
    "time_range": Field(
        dict,
        source="V: 必填",
        required=_MUST,
        firm=True,
        fields={
            "start_time": Field(
                str, 8, 14, _TIME + ", or OnAccept", required=_MUST, time=True, words=("OnAccept",)
            ),
            "end_time": Field(str, 8, 14, _TIME, time=True),
            "start_time_remark": Field(str, 1, 20, "V: 不超过20个字符"),
            "end_time_remark": Field(str, 1, 20, "V: 不超过20个字符"),
        },
    ),
    "location": Field(dict, source="V: 选填", fields=PLACES),
    "risk_fund": Field(
        dict,
        source="V: 必填",
        required=_MUST,
        firm=True,
        fields={
            "name": Field(str, source="V: " + ", ".join(RISK_NAMES), required=_MUST),
            "amount": Field(int, 1, MAX_INT, "V: >0, an integer of fen", required=_MUST, firm=True),
            "description": Field(str, 1, 30, "V: 不超过30个字符"),
        },
    ),
    "attach": Field(str, 1, 256, "V: 256 characters at most"),
    "notify_url": Field(str, 1, 255, "V: string(255)", required=_MUST),
    "openid": Field(str, 1, 128, "V: string(128)"),
    "need_user_confirm": Field(bool, source="V: default true"),
    "device": Field(dict, source="V: 选填", fields=DEVICE),
}

RULES = {
    **field_rules("serviceorder.complete", COMPLETE),
    **field_rules("serviceorder.create", CREATE),
    **field_rules("serviceorder.cancel", CANCEL),
    "serviceorder.complete.goods_name": Rule(
        "V: unmanned retail names every payment 商品信息",
        "in unmanned retail every payment is called 商品信息; tolerate this rule for other trades",
        "付费项目名称应为商品信息",
    ),
    "serviceorder.complete.goods_description": Rule(
        "V: unmanned retail: description and count of every payment are required",
        "unmanned retail: every payment needs description and count; tolerate this rule for other trades",
        "缺少必填参数",
    ),
    "serviceorder.complete.payment_names_differ": Rule(
        "V: no name twice, but 商品信息",
        "two payments have one name; only 商品信息 may repeat",
        "付费项目名称不能重复",
    ),
    "serviceorder.complete.discount_names_differ": Rule(
        "V: 同一单多个优惠项目名称不可重复", "two discounts have one name", "优惠项目名称不能重复"
    ),
    "serviceorder.complete.total_amount.is_sum": Rule(
        "V: 收款总金额=后付费项目amount和-优惠项目amount和",
        "total_amount is not the sum of the payments less the discounts",
        "总金额不等于后付费项目总和减去商户优惠总和",
    ),
    "serviceorder.complete.state": Rule(
        "T: 完结订单状态不合法; only DOING/USER_CONFIRM can be completed",
        "the order is not in DOING/USER_CONFIRM",
        "完结订单状态不合法",
        firm=True,
    ),
    "serviceorder.cancel.completed": Rule(
        "D: the stricter of two official sources: skills of 2026-04 no, the page of 2025-02-13 yes",
        "the order is completed: cancelling it would waive what the shopper owes",
        "当前订单状态不允许取消",
        code="INVALID_ORDER_STATE",
        tail="271316592",
    ),
    "serviceorder.cancel.state": Rule(
        "V: only an order that is neither paid nor expired",
        "the order is paid or has expired",
        "当前订单状态不允许取消",
        code="INVALID_ORDER_STATE",
        tail="271316592",
        firm=True,
    ),
    "serviceorder.create.risk_name": Rule(
        "V: " + ", ".join(RISK_NAMES), "risk_fund.name is none of the documented ones", "风险名称不正确"
    ),
    "serviceorder.create.risk_cap": Rule(
        "V: 创单risk_fund.amount<=服务ID风险金额上限",
        "risk_fund.amount is above what the service may charge for one order",
        "订单风险金额超过服务风险金额上限",
        tail="271316656",
    ),
}
