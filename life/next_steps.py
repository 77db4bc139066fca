"""What a person does about an order, by why it did not come to its end. English and 中文.

One table for `make show`, `make stuck` and the console.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """What to do, in both languages. `{order}` stands for the order's number, quoted for a shell."""

    en: str
    zh: str

    def of(self, out_order_no: str) -> tuple[str, str]:
        """Return both texts for one order."""
        quoted = shlex.quote(out_order_no)  # `|` and `*` may be in it
        return self.en.replace("{order}", quoted), self.zh.replace("{order}", quoted)


NOTHING = Advice("nothing to do", "无需处理")
WAIT = Advice(
    "wait: it goes on by itself; a call that failed is tried again for about 24 hours",
    "等待即可：会自动继续，失败的调用约在 24 小时内持续重试",
)
WAIT_FOR_PAYMENT = Advice(
    "wait: WeChat Pay debits the shopper by itself, and the workflow asks again",
    "等待即可：微信支付自动扣款，工作流会再次查询扣款结果",
)
OVERDUE = Advice(
    "WeChat Pay goes on collecting; ask the shopper, or collect another way and sync the order",
    "微信支付会继续扣款；可联系用户付款，或以其他方式收款后同步订单",
)
NO_ORDER = Advice(
    "no execution was started: check the number and the merchant, the sender's log and the dead letters, "
    "then send Service Ended again",
    "没有对应的执行：请核对订单号与商户号、上游日志及死信队列，然后重新发送 Service Ended 事件",
)

COMPLETED_ELSEWHERE = Advice(
    "WeChat Pay has it completed, and no execution of this stack was found: look further back, and on the "
    "stack that settled it; do not send it again",
    "该订单在微信支付已完结，但本栈没有对应的执行：请查看更早的执行或其他栈，勿重新发送",
)

# FAILED results, by the category of their error: nothing was charged as asked; a redrive only fails again.
FAILED: Mapping[str, Advice] = {
    "INVALID_INPUT": Advice(
        "correct the event and send it again; nothing was applied at WeChat Pay; where the cause "
        "was not the event, make resubmit REASON=INVALID_INPUT ORDER={order}",
        "修正事件后重发；微信支付侧没有任何变更；若原因不在事件，"
        "则 make resubmit REASON=INVALID_INPUT ORDER={order}",
    ),
    "REJECTED": Advice(
        "the order is not completed as asked: correct the event and send it again; where the cause was not "
        "the event, make resubmit REASON=REJECTED ORDER={order}",
        "订单未按请求完结：修正事件后重发；若原因不在事件，则 make resubmit REASON=REJECTED ORDER={order}",
    ),
    "CONFLICT": Advice(
        "WeChat Pay has settled this order otherwise: compare amount and state (make show ORDER={order}), "
        "then refund or correct your books",
        "该订单在微信支付已按其他参数完结：核对金额与状态（make show ORDER={order}），必要时退款或调账",
    ),
}
FAILED_OTHERWISE = Advice(
    "read the error, correct the event and send it again as a new execution",
    "查看错误原因，修正事件后重发（新的执行）",
)

# Executions that ended without settling the order, by the error's name or the status. What follows is the
# command, chosen by the execution's age.
INTERRUPTED: Mapping[str, Advice] = {
    "MerchantMisconfigured": Advice(
        "put the merchant's secret or permission right (make doctor, make secret)",
        "先修正商户凭证或权限（make doctor、make secret）",
    ),
    "WeChatPayUnavailable": Advice(
        "check that WeChat Pay can be reached (make doctor)", "先确认微信支付可访问（make doctor）"
    ),
    "WeChatPayRateLimited": Advice("wait until WeChat Pay takes calls again", "先等待微信支付限流解除"),
    "OutcomeUnknown": Advice(
        "it may have been charged: check that WeChat Pay answers (make doctor); the same parameters are safe",
        "可能已扣款：先确认微信支付可应答（make doctor）；原参数重试是安全的",
    ),
    "ABORTED": Advice(
        "somebody stopped it: find out why; unless that was meant so",
        "该执行被人为中止：先查明原因；若非有意",
    ),
    "TIMED_OUT": Advice("it ran out of its 70 days", "该执行已超过 70 天时限"),
}
INTERRUPTED_OTHERWISE = Advice("take the cause away", "先消除原因")


def for_failed(category: str) -> Advice:
    """Return what to do about a FAILED result."""
    return FAILED.get(category, FAILED_OTHERWISE)


def for_interrupted(error: str, status: str, *, redrivable: bool) -> Advice:
    """Return what to do about an execution that ended without settling its order."""
    aborted = status == "ABORTED"
    cause = INTERRUPTED.get(status if aborted or status == "TIMED_OUT" else error, INTERRUPTED_OTHERWISE)
    reason = "REASON=ABORTED " if aborted else ""
    command = f"make {'redrive' if redrivable else 'resubmit'} {reason}ORDER={{order}}"
    return Advice(f"{cause.en}, then {command}", f"{cause.zh}，然后执行 {command}")
