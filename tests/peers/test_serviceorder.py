"""wechatpayv3 (PyPI), unchanged, takes orders of serviceorder from creation to payment."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from wechatpay_sandbox import Simulator
from wechatpay_sandbox.order import OPENID
from wechatpayv3 import WeChatPay, WeChatPayType

from tests.notify_url import NotifyUrl, notify_url

GOODS = [{"name": "商品信息", "amount": 300, "description": "可乐", "count": 1}]
END = {"end_time": "20251001183147"}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(debit_after=3600) as running:
        yield running


@pytest.fixture(scope="module")
def merchant() -> Iterator[NotifyUrl]:
    with notify_url() as running:
        yield running


@pytest.fixture(scope="module")
def peer(simulator: Simulator, merchant: NotifyUrl) -> WeChatPay:
    secret = simulator.secret()
    peer = WeChatPay(
        WeChatPayType.MINIPROG,
        secret["mchid"],
        secret["merchant_private_key"],
        secret["merchant_serial_no"],
        secret["appid"],
        secret["api_v3_key"],
        notify_url=merchant.url,
        timeout=10,
        public_key=secret["wechatpay_public_key"],
        public_key_id=secret["wechatpay_public_key_id"],
    )
    peer._core._gate_way = simulator.hosts[0]
    return peer


def created(peer: WeChatPay, number: str, *, confirming: bool = False) -> dict[str, Any]:
    status, text = peer.payscore_create(
        number,
        "500001",
        "智能柜购物",
        {"start_time": "OnAccept"},
        {"name": "ESTIMATE_ORDER_COST", "amount": 20000},
        need_user_confirm=confirming,
        openid=None if confirming else OPENID,
    )
    assert status == 200, text
    return dict(json.loads(text))


def state(peer: WeChatPay, number: str) -> tuple[str, str | None]:
    status, text = peer.payscore_query("500001", number)
    assert status == 200, text
    order = json.loads(text)
    return order["state"], order.get("state_description")


def test_an_order_goes_from_created_to_paid(
    simulator: Simulator, peer: WeChatPay, merchant: NotifyUrl
) -> None:
    assert created(peer, "PAID", confirming=True)["state"] == "CREATED"
    simulator.confirm("PAID")
    assert state(peer, "PAID") == ("DOING", "USER_CONFIRM")
    status, text = peer.payscore_complete("PAID", "500001", GOODS, 300, time_range=END)
    assert (status, json.loads(text)["state_description"]) == (200, "MCH_COMPLETE"), text
    simulator.advance(3600)
    assert state(peer, "PAID") == ("DONE", None)
    arrived = [merchant.arrived.get(timeout=10) for _ in range(2)]
    received = [peer.callback(each.headers, each.body) for each in arrived]
    assert [each["event_type"] for each in received] == ["PAYSCORE.USER_CONFIRM", "PAYSCORE.USER_PAID"]
    assert received[1]["resource"]["collection"]["paid_amount"] == 300


def test_an_order_is_cancelled_before_it_is_completed_only(simulator: Simulator, peer: WeChatPay) -> None:
    created(peer, "CANCELLED")
    assert peer.payscore_cancel("CANCELLED", "500001", "未取货")[0] == 200
    assert state(peer, "CANCELLED") == ("REVOKED", None)
    created(peer, "OWED")
    peer.payscore_complete("OWED", "500001", GOODS, 300, time_range=END)
    status, text = peer.payscore_cancel("OWED", "500001", "未取货")
    assert (status, json.loads(text)["code"]) == (400, "INVALID_ORDER_STATE")


def test_a_payment_before_the_completion_is_not_synced(simulator: Simulator, peer: WeChatPay) -> None:
    created(peer, "SYNCED")
    peer.payscore_complete("SYNCED", "500001", GOODS, 300, time_range=END)
    wrong = {"paid_time": "20200101000000"}
    assert peer.payscore_sync("SYNCED", "500001", detail=wrong)[0] == 400
    entry = simulator.order("SYNCED")
    assert (entry["state"], entry["charged"]) == ("FINISHED", 0)


def test_an_order_without_an_end_needs_one_at_completion(peer: WeChatPay) -> None:
    created(peer, "ENDLESS")
    status, text = peer.payscore_complete("ENDLESS", "500001", GOODS, 300)
    assert (status, "结束时间必填" in json.loads(text)["message"]) == (400, True)
