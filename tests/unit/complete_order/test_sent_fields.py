"""What arrives at WeChat Pay of a completion, field by field: one test for each row of the known rules."""

import contextlib
import json
from typing import Any

import pytest
from wechatpay.errors import SettlementError
from wechatpay_sandbox import APPID, SERVICE_ID

from tests.function import Function
from tests.paths import escaped
from tests.unit.complete_order.orders import cancel, finish, opened

Body = dict[str, Any]
START, END, PLACE = "real_service_start_time", "real_service_end_time", "real_service_end_location"
GOODS = [
    {"fee_name": "商品信息", "fee_desc": name, "fee_count": 1, "fee_amount": 600} for name in ("茶", "饼")
]
TWICE = [{"discount_name": "立减", "discount_amount": 50}] * 2
FREE = {"fees": [{"fee_name": "商品信息", "fee_desc": "赠品"}], "discounts": [], "total_amount": 0}


def arrived(function: Function, event: Body) -> Body:
    """Settle an order; returns the body of its completion."""
    opened(function, event["out_order_no"], replace=True)
    assert function(event)["outcome"] in ("COMPLETED", "CANCELLED")
    body: Body = json.loads(function.simulator.requests(event["out_order_no"])[-1]["body"])
    return body


@pytest.mark.parametrize("wish", [finish, cancel])
def test_appid_service_id_finish_type_and_ticket_are_always_sent(
    function: Function, order_no: str, wish: Any
) -> None:
    body = arrived(function, wish(order_no))
    assert (body["appid"], body["service_id"]) == (APPID, SERVICE_ID)
    assert body["finish_type"] == wish(order_no)["finish_type"]
    assert body["finish_ticket"]


@pytest.mark.parametrize(
    ("event", "total"), [(finish("A"), 1200), (finish("A", **FREE), 0), (cancel("A"), 0)]
)
def test_total_amount_is_always_sent(function: Function, order_no: str, event: Body, total: int) -> None:
    assert arrived(function, event | {"out_order_no": order_no})["total_amount"] == total


@pytest.mark.parametrize("given", [{}, {"profit_sharing": False}, {"profit_sharing": True}])
def test_profit_sharing_is_always_sent(function: Function, order_no: str, given: Body) -> None:
    sent = arrived(function, finish(order_no, **given))["profit_sharing"]
    assert sent is given.get("profit_sharing", False)


def test_cancel_reason_is_sent_when_cancelling_and_only_then(function: Function, order_no: str) -> None:
    assert arrived(function, cancel(order_no))["cancel_reason"] == "用户未取商品"
    assert "cancel_reason" not in arrived(function, finish(order_no, cancel_reason=""))


@pytest.mark.parametrize(
    "times",
    [
        {},
        {END: "20260101"},
        {START: "20260101120000", END: "20260101120130"},
        {START: "20260101", END: "20260101000000"},
    ],
    ids=str,
)
def test_service_times_are_sent_as_given(function: Function, order_no: str, times: Body) -> None:
    body = arrived(function, finish(order_no, **times))
    assert {name: body[name] for name in (START, END) if name in body} == times


def test_the_end_location_is_sent_when_finishing_and_only_then(function: Function, order_no: str) -> None:
    assert arrived(function, finish(order_no, **{PLACE: "深圳南山3号柜"}))[PLACE] == "深圳南山3号柜"
    assert PLACE not in arrived(function, cancel(order_no, **{PLACE: ""}))


def test_fees_may_share_the_name_of_goods(function: Function, order_no: str) -> None:
    body = arrived(function, finish(order_no, fees=GOODS, discounts=[]))
    assert body["fees"] == GOODS
    assert "discounts" not in body


def test_discounts_of_one_name_are_sent_as_one(function: Function, order_no: str) -> None:
    body = arrived(function, finish(order_no, discounts=TWICE))
    assert body["discounts"] == [{"discount_name": "立减", "discount_amount": 100}]


def test_nothing_empty_and_no_null_is_sent(function: Function, order_no: str) -> None:
    fees = [{"fee_name": "茶", "fee_desc": " ", "fee_amount": 1200}]
    blank = dict.fromkeys((START, END, PLACE, "cancel_reason", "finish_ticket", "order_api"), "")
    body = arrived(function, finish(order_no, fees=fees, discounts=[], **blank))
    assert body["fees"] == [{"fee_name": "茶", "fee_amount": 1200}]
    assert not any(value in ("", None, []) for value in body.values())


def test_the_order_number_is_in_the_path_and_not_in_the_body(function: Function, order_no: str) -> None:
    assert "out_order_no" not in arrived(function, finish(order_no))


def test_payafter_orders_are_completed_under_their_own_path(function: Function, order_no: str) -> None:
    before = len(function.simulator.requests())
    with contextlib.suppress(SettlementError):
        function(finish(order_no, order_api="payafter-orders", finish_ticket="t" * 20))
    targets = {request["target"].split("?")[0] for request in function.simulator.requests()[before:]}
    path = "/v3/payscore/payafter-orders"
    assert f"{path}/{escaped(order_no)}/complete" in targets
    assert targets <= {f"{path}/{escaped(order_no)}/complete", path}
