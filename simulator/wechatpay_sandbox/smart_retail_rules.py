"""What may stand in a request about smartretail-orders or payafter-orders, and these families' rules."""

from wechatpay_sandbox.fields import MAX_INT, Field, field_rules
from wechatpay_sandbox.order import CANCEL, FINISH
from wechatpay_sandbox.order_rules import CANCEL as CANCEL_FIELDS
from wechatpay_sandbox.order_rules import IDENTIFIERS
from wechatpay_sandbox.rules import Rule

_AMOUNT = "V: an integer of fen"
_LIKE_SERVICEORDER = "V: for serviceorder, I for these"
_TIME = "T: yyyyMMddHHmmss or yyyyMMdd"
_TIME_OR_WORD = "T: yyyyMMddHHmmss, yyyyMMdd or OnAccept"
_CREATED = "T: two clients refuse a creation without it"
_OFFICIAL_TEXT = "T: an operator's code with the official text beside each field"

FEES = {
    "fee_name": Field(str, 1, 20, _LIKE_SERVICEORDER, required=_LIKE_SERVICEORDER, firm=True),
    "fee_count": Field(int, 1, 100, _LIKE_SERVICEORDER),
    "fee_amount": Field(int, 0, MAX_INT, _AMOUNT),
    "fee_desc": Field(str, 1, 30, _LIKE_SERVICEORDER),
}
DISCOUNTS = {
    "discount_name": Field(str, 1, 20, _LIKE_SERVICEORDER, required=_LIKE_SERVICEORDER, firm=True),
    "discount_amount": Field(int, 1, MAX_INT, "T: above 0", required=_LIKE_SERVICEORDER, firm=True),
    "discount_desc": Field(str, 1, 30, _LIKE_SERVICEORDER),
}
COMPLETE = {
    **IDENTIFIERS,
    "finish_type": Field(int, CANCEL, FINISH, "T: 1 not used, 2 finished", required="T: 必填", firm=True),
    "cancel_reason": Field(str, 1, 30, "T: 1-30 characters"),
    "real_service_start_time": Field(str, 8, 14, _TIME, time=True),
    "real_service_end_time": Field(str, 8, 14, _TIME, time=True),
    "real_service_end_location": Field(str, 1, 20, "T: 20 characters at most"),
    "fees": Field(list, 1, 100, "T: 100 at most; I: none is left out", fields=FEES),
    "discounts": Field(list, 1, 5, "T: 5 at most; I: none is left out", fields=DISCOUNTS),
    "total_amount": Field(int, 0, MAX_INT, _AMOUNT, required=_OFFICIAL_TEXT),
    "finish_ticket": Field(str, 1, 512, "T: 512 characters at most", required="T: 必填", firm=True),
    "profit_sharing": Field(bool, source="T: true or false", required="T: 必填"),
}
CREATE = {
    "out_order_no": Field(str, source="V: 32 characters at most", required=_CREATED, firm=True),
    **IDENTIFIERS,
    "service_start_time": Field(str, 8, 14, _TIME_OR_WORD, required=_CREATED, time=True, words=("OnAccept",)),
    "service_end_time": Field(str, 8, 14, _TIME, time=True),
    "service_start_location": Field(str, 1, 20, "T: 20 characters at most", required=_CREATED),
    "service_end_location": Field(str, 1, 20, "T: 20 characters at most"),
    "service_introduction": Field(str, 1, 20, "T: 20 characters at most", required=_CREATED),
    "fees": Field(list, 0, 100, "T: 100 at most", fields=FEES),
    "discounts": Field(
        list, 0, 5, "T: 5 at most", fields={n: DISCOUNTS[n] for n in ("discount_name", "discount_desc")}
    ),
    "risk_amount": Field(int, 1, MAX_INT, "T: 大于0的数字,单位为分", required=_CREATED, firm=True),
    "attach": Field(str, 1, 200, "T: 200 characters at most, URL-encoded"),
    "need_user_confirm": Field(bool, source="T: default true"),
    "openid": Field(str, 1, 128, "V: string(128)"),
    "notify_url": Field(str, 1, 255, "I: as serviceorder has it"),
}

RULES = {
    **field_rules("smartretail.complete", COMPLETE),
    **field_rules("smartretail.create", CREATE),
    **field_rules("smartretail.cancel", CANCEL_FIELDS),
    "smartretail.complete.reason_with_1": Rule(
        "T: required when cancelling", "a cancellation must say why: cancel_reason", "缺少必填参数"
    ),
    "smartretail.complete.reason_only_with_1": Rule(
        "T: only when cancelling", "cancel_reason goes with finish_type 1 only", "only with finish_type 1"
    ),
    "smartretail.complete.total_amount.zero_with_1": Rule(
        _OFFICIAL_TEXT, "a cancellation charges nothing: total_amount must be 0", "取消订单时总金额应为0"
    ),
    "smartretail.complete.end_location_only_with_2": Rule(
        "T: absent when cancelling",
        "real_service_end_location goes with finish_type 2 only",
        "only with finish_type 2",
    ),
    "smartretail.complete.end_location_differs": Rule(
        "T: absent when it equals the start place, else an error",
        "real_service_end_location is the place the order was created with: leave it out",
        "服务结束地点不能与服务开始地点相同",
    ),
    "smartretail.complete.fee_names_differ": Rule(
        "V: for serviceorder, I for these: no name twice, but 商品信息",
        "two fees have one name; only 商品信息 may repeat",
        "付费项目名称不能重复",
    ),
    "smartretail.complete.discount_names_differ": Rule(
        "V: for serviceorder (同一单多个优惠项目名称不可重复), I for these",
        "two discounts have one name",
        "优惠项目名称不能重复",
    ),
    "smartretail.complete.fee_says_something": Rule(
        "T: at least one of amount and desc",
        "a fee needs fee_amount or fee_desc",
        "fee_amount和fee_desc至少填写一个",
    ),
    "smartretail.complete.total_amount.is_sum": Rule(
        "V: total_amount = sum(fees) - sum(discounts)",
        "total_amount is not the sum of the fees less the discounts",
        "总金额不等于付费项目总和减去优惠总和",
    ),
    "smartretail.complete.ticket": Rule(
        "T: 校验完结凭证错误",
        "the finish_ticket is none of this order's; a query brings one",
        "校验完结凭证错误",
        firm=True,
    ),
    "smartretail.complete.state": Rule(
        "T: 完结订单状态不合法; only USER_ACCEPTED can be completed",
        "the order is not in USER_ACCEPTED",
        "完结订单状态不合法",
        firm=True,
    ),
    "smartretail.cancel.state": Rule(
        "T: three mirrors and merchants' code: only before the shopper confirmed",
        "only an order in CREATED can be cancelled by this call",
        "单据状态错误",
        code="INVALID_ORDER_STATE",
        firm=True,
    ),
    "smartretail.create.risk_cap": Rule(
        "T: 订单风险金额≤每个服务ID的服务风险金额",
        "risk_amount is above what the service may charge for one order",
        "订单风险金额超过服务风险金额上限",
        tail="271316656",
    ),
}
