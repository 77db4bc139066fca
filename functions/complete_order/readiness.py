"""Waiting for an order whose end lies a little ahead: the clocks of cabinet, function and WeChat Pay differ.

WeChat Pay refuses an end after its own clock (实际结束时间不能晚于使用完结接口的时间) [T].
"""

import time
from collections.abc import Callable
from datetime import datetime

from wechatpay.deadline import Deadline
from wechatpay.errors import WeChatPayUnavailable
from wechatpay.forms import SHANGHAI

from complete_order.order import Order

# Waited for here, because an attempt of the workflow costs more than these seconds of the function.
WAIT_SECONDS = 5.0
# Kept of the deadline after the wait: a completion, and the queries that prove its outcome.
SETTLING_SECONDS = 18.0


def wait_until_ready(
    order: Order, now: datetime, deadline: Deadline, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Return once the order's end has come, when that is a matter of seconds.

    Args:
        order: what was asked.
        now: the time it was checked at.
        deadline: of this invocation.
        sleep: waits so many seconds.

    Raises:
        WeChatPayUnavailable: the end lies further ahead; Retry sends the order when it has come.
    """
    if order.ready_at is None:
        return
    seconds = (order.ready_at - now).total_seconds()
    if seconds > WAIT_SECONDS or deadline.remaining() - seconds < SETTLING_SECONDS:
        until = order.ready_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
        raise WeChatPayUnavailable(
            f"{order.out_order_no} ends at {until} (Asia/Shanghai), {seconds:.0f} s ahead; not sent before",
            order_not_ready=True,
        )
    sleep(seconds)
