"""An order that ends ahead of the function's clock is sent when its time has come, and not before."""

from datetime import UTC, datetime, timedelta

import pytest
from complete_order.order import Order
from complete_order.readiness import SETTLING_SECONDS, WAIT_SECONDS, wait_until_ready
from wechatpay.deadline import Deadline
from wechatpay.errors import WeChatPayUnavailable
from wechatpay.forms import SHANGHAI

from tests.function import Function
from tests.unit.complete_order.events import NOW, finished, parsed
from tests.unit.complete_order.orders import arrived, finish, opened


def ending(seconds: int) -> Order:
    end = (NOW + timedelta(seconds=seconds)).astimezone(SHANGHAI).strftime("%Y%m%d%H%M%S")
    return parsed(finished(real_service_end_time=end))


def waited(wanted: Order, left: float = 28.5) -> list[float]:
    """The seconds waited for with so many seconds of the invocation left."""
    seconds: list[float] = []
    wait_until_ready(wanted, NOW, Deadline(left, clock=lambda: 0.0), sleep=seconds.append)
    return seconds


def test_an_order_that_has_ended_is_not_waited_for() -> None:
    assert waited(ending(0)) == waited(ending(-60)) == []
    assert waited(parsed(finished())) == []


@pytest.mark.parametrize("seconds", [1, 3, int(WAIT_SECONDS)])
def test_an_end_some_seconds_ahead_is_waited_for_in_the_invocation(seconds: int) -> None:
    assert waited(ending(seconds)) == [seconds]


@pytest.mark.parametrize("seconds", [int(WAIT_SECONDS) + 1, 600])
def test_an_end_further_ahead_is_left_to_a_retry_and_names_its_time(seconds: int) -> None:
    until = (NOW + timedelta(seconds=seconds)).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    with pytest.raises(WeChatPayUnavailable) as raised:
        waited(ending(seconds))
    assert str(raised.value) == (f"SR-1 ends at {until} (Asia/Shanghai), {seconds} s ahead; not sent before")
    assert raised.value.metric == "OrderNotReady"


def test_nothing_is_waited_for_when_too_little_time_is_left_to_settle() -> None:
    assert waited(ending(3), left=SETTLING_SECONDS + 3) == [3]
    with pytest.raises(WeChatPayUnavailable):
        waited(ending(3), left=SETTLING_SECONDS + 2.9)


def shanghai(ahead: timedelta) -> str:
    return (datetime.now(UTC) + ahead).astimezone(SHANGHAI).strftime("%Y%m%d%H%M%S")


def test_a_cabinet_clock_ahead_of_the_functions_loses_no_order(function: Function, order_no: str) -> None:
    opened(function, order_no)
    early = finish(order_no, real_service_end_time=shanghai(timedelta(minutes=9)))
    with pytest.raises(WeChatPayUnavailable, match="not sent before"):
        function(early)
    assert arrived(function, order_no) == []
    assert "OrderNotReady" in function.output.getvalue()
    assert '"WeChatPayUnavailable":' not in function.output.getvalue()
    ended = finish(order_no, real_service_end_time=shanghai(timedelta(0)))
    assert function(ended)["outcome"] == "COMPLETED"


def test_an_end_a_second_ahead_settles_in_the_same_invocation(function: Function, order_no: str) -> None:
    opened(function, order_no)
    event = finish(order_no, real_service_end_time=shanghai(timedelta(seconds=1)))
    assert function(event)["outcome"] == "COMPLETED"
