"""The rules that all families of orders share: whose an order is, its re-entry, its creation, its sync."""

from wechatpay_sandbox.fields import Field
from wechatpay_sandbox.rules import Rule

IDENTIFIERS = {
    "appid": Field(str, source="V: string(32)", required="V: 必填", firm=True),
    "service_id": Field(str, source="V: string(32)", required="V: 必填", firm=True),
}
CANCEL = {
    **IDENTIFIERS,
    "reason": Field(str, 1, 30, "V: 30 characters at most", required="V: 必填", firm=True),
}
SYNC = {
    **IDENTIFIERS,
    "type": Field(str, source="V: Order_Paid", required="V: 必填", firm=True),
    "detail": Field(
        dict,
        source="V: 场景类型为Order_Paid时必填",
        required="V: 场景类型为Order_Paid时必填",
        firm=True,
        fields={
            "paid_time": Field(str, 14, 14, "V: yyyyMMddHHmmss", required="V: 必填", firm=True, time=True)
        },
    ),
}

ORDER_RULES = {
    "order.unknown": Rule(
        "T: 271317510",
        "the merchant has no order of this number under this API, app and service",
        "订单不存在",
        404,
        "ORDER_NOT_EXIST",
        "271317510",
        firm=True,
    ),
    "order.twin_path": Rule(
        "I: an order is known on the path it was created on",
        "the order was created on the other of smartretail-orders and payafter-orders",
        "订单不存在",
        404,
        "ORDER_NOT_EXIST",
        "271317510",
    ),
    "order.appid": Rule(
        "V: 完结订单和取消订单需要和创单传入的appid保持一致",
        "the order was created with another appid",
        "与订单不一致",
    ),
    "order.service_id": Rule(
        "I: as the appid, of which it is V", "the order was created with another service_id", "与订单不一致"
    ),
    "order.reentry": Rule(
        "V: the same call may be repeated with the same parameters only",
        "the same call was accepted before with other parameters",
        "订单重入参数校验失败",
        tail="271316598",
        firm=True,
    ),
    "order.risk_cap": Rule(
        "V: total_amount is at most the risk amount",
        "the total is above what the service may charge for one order",
        "完结金额超过服务风险金额上限",
        tail="271316656",
    ),
    "order.end_in_future": Rule(
        "T: 实际结束时间不能晚于使用完结接口的时间; V: leave a margin, clocks differ",
        "the end of service is later than WeChat Pay's own clock",
        "实际结束时间不能晚于使用完结接口的时间",
    ),
    "order.end_before_start": Rule(
        "T: 271316637; I: also before the start that the order was created with",
        "the service ends before it starts",
        "服务结束时间不能早于服务开始时间",
        tail="271316637",
    ),
    "order.end_required": Rule(
        "T: 创建订单未填写服务结束时间,则结束时间必填",
        "the order was created without an end of service, and the completion has none either",
        "创建订单未填写服务结束时间,则结束时间必填",
    ),
    "create.appid_bound": Rule(
        "T: 271302149", "the appid is not bound to the merchant", "mch_id和appid未绑定", tail="271302149"
    ),
    "create.service_bound": Rule(
        "T: 268503786", "the service_id is not the merchant's", "无权限", tail="268503786"
    ),
    "create.openid": Rule(
        "V: openid is required without confirmation by the shopper, and left out with it",
        "openid goes with need_user_confirm false, and with nothing else",
        "openid仅在免确认订单时必填",
    ),
    "sync.type": Rule(
        "V: Order_Paid is the only one", "type must be Order_Paid", "type应为Order_Paid", firm=True
    ),
    "sync.state": Rule(
        "T: only a completed order that is not paid",
        "only a completed order that is not paid can be reported as paid elsewhere",
        "当前订单状态不合法",
        tail="271302262",
        firm=True,
    ),
    "sync.paid_time": Rule(
        "T: time of completion < paid_time <= time of this call",
        "paid_time must lie after the completion and not after now",
        "收款时间应晚于完结时间且不晚于当前时间",
    ),
}
