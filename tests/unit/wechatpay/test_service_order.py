"""serviceorder: what is sent of an order, and how each of its answers is read."""

import json
import re
from typing import Any

import pytest
from wechatpay.errors import ServiceError, UnexpectedReply
from wechatpay.orders import Accepted, OrderKey, OrderState, Transaction
from wechatpay.service_order import (
    STATES,
    SYNC,
    TAKES_TICKET,
    Collected,
    StateReading,
    body,
    cancel,
    complete,
    query,
)
from wechatpay_sandbox import Simulator

from tests.replies import genuine
from tests.unit.wechatpay.merchant import WarmMerchant

GOODS = {"fee_name": "商品信息", "fee_amount": 1300, "fee_desc": "无糖乌龙茶 500ml", "fee_count": 3}
FINISH = {
    "finish_type": 2,
    "fees": [GOODS],
    "discounts": [{"discount_name": "立减", "discount_amount": 100, "discount_desc": "新客"}],
    "total_amount": 1200,
    "profit_sharing": False,
}
EVERYTHING = {
    **FINISH,
    "real_service_start_time": "20260101120000",
    "real_service_end_time": "20260101120130",
    "real_service_end_location": "深圳南山3号柜",
    "goods_tag": "夏季",
    "device": {"start_device_id": "S", "end_device_id": "E", "materiel_no": "M"},
}
REQUEST_ID = re.compile(r"[0-9A-F]{40}-\d+")
UNDOCUMENTED = "state and state_description are none that are documented"
CANCEL = {"finish_type": 1, "cancel_reason": "误开门", "total_amount": 0, "profit_sharing": False}


class World:
    """A merchant, and an order of serviceorder."""

    def __init__(self, simulator: Simulator, order_no: str) -> None:
        self.simulator, self.order_no = simulator, order_no
        self.merchant = WarmMerchant(simulator)
        self.key: OrderKey = self.merchant.key(order_no)._replace(order_api="serviceorder")

    def open(self, **settings: Any) -> None:
        self.simulator.open_order(self.order_no, api="serviceorder", **settings)

    def complete(self, parameters: dict[str, Any] = FINISH) -> Accepted:
        return complete(self.merchant.client(), self.key, parameters)

    def cancel(self, reason: str = "误开门") -> Accepted:
        return cancel(self.merchant.client(), self.key, reason)

    def query(self) -> OrderState:
        return query(self.merchant.client(), self.key)

    def replies(self, operation: str, **document: Any) -> None:
        """Let the next answer be this one, signed as genuine."""
        names = {"mchid": self.key.mchid, "appid": self.key.appid, "service_id": self.key.service_id}
        whole = {**names, "out_order_no": self.order_no, **document}
        present = {name: value for name, value in whole.items() if value is not None}
        self.simulator.script(self.order_no, operation, **genuine(present))

    def bodies(self) -> list[dict[str, Any]]:
        requests = self.simulator.requests(self.order_no)
        return [json.loads(each["body"]) for each in requests if each["body"]]


def exactly(why: str) -> str:
    """Pattern of the whole error of an answer refused for this reason."""
    return rf"^HTTP 200 \| {re.escape(why)} \| Request-ID [0-9A-F]{{40}}-\d+$"


@pytest.fixture
def world(simulator: Simulator, order_no: str) -> World:
    return World(simulator, order_no)


def test_a_completion_is_sent_under_the_names_of_serviceorder(world: World) -> None:
    world.open()
    accepted = world.complete(EVERYTHING)
    assert accepted.order_id
    assert REQUEST_ID.fullmatch(accepted.request_id)
    assert world.bodies() == [
        {
            "appid": world.key.appid,
            "service_id": world.key.service_id,
            "post_payments": [
                {"name": "商品信息", "amount": 1300, "description": "无糖乌龙茶 500ml", "count": 3}
            ],
            "post_discounts": [{"name": "立减", "amount": 100, "description": "新客"}],
            "total_amount": 1200,
            "profit_sharing": False,
            "goods_tag": "夏季",
            "device": {"start_device_id": "S", "end_device_id": "E", "materiel_no": "M"},
            "time_range": {"start_time": "20260101120000", "end_time": "20260101120130"},
            "location": {"end_location": "深圳南山3号柜"},
        }
    ]


def test_what_is_not_given_is_not_sent(world: World) -> None:
    world.open()
    world.complete({**FINISH, "discounts": [], "fees": [GOODS | {"fee_amount": 1200}]})
    assert world.bodies()[0].keys() == {
        *("appid", "service_id", "post_payments", "total_amount", "profit_sharing")
    }


def test_no_parameters_make_an_empty_body() -> None:
    assert body({}) == {}


def test_it_takes_no_ticket_and_is_synced_at_its_own_path() -> None:
    assert TAKES_TICKET is False
    assert SYNC == "serviceorder"


def test_the_same_completion_is_accepted_again_and_another_is_not(world: World) -> None:
    world.open()
    assert world.complete().order_id == world.complete().order_id
    with pytest.raises(ServiceError, match="订单重入参数校验失败"):
        world.complete({**FINISH, "fees": [GOODS | {"fee_amount": 1400}], "total_amount": 1300})


@pytest.mark.parametrize("state", ["CREATED", "USER_ACCEPTED"])
def test_a_cancellation_has_a_call_and_a_reason_of_its_own(world: World, state: str) -> None:
    world.open(state=state)
    assert world.complete(CANCEL).order_id == world.cancel().order_id
    assert REQUEST_ID.fullmatch(world.cancel().request_id)
    names = {"appid": world.key.appid, "service_id": world.key.service_id}
    assert world.bodies() == [{**names, "reason": "误开门"}] * 3
    with pytest.raises(ServiceError, match="271316598"):
        world.cancel("另一原因")
    assert world.query().state == "REVOKED"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"out_order_no": "another"}, "out_order_no is not the one asked for"),
        ({"mchid": "1900000002"}, "mchid is not the one asked for"),
        ({"appid": None}, "appid is not the one asked for"),
        ({"service_id": "1"}, "service_id is not the one asked for"),
        ({"order_id": None}, "order_id is missing"),
        ({"total_amount": 1201}, "total_amount is not the one asked for"),
        ({"state": "DOING", "state_description": "USER_CONFIRM"}, "state is none of a completed order"),
        ({"state": "REVOKED"}, "state is none of a completed order"),
        ({"state": "DOING"}, UNDOCUMENTED),
        ({"state": "SOMETHING_NEW"}, UNDOCUMENTED),
    ],
    ids=str,
)
def test_a_genuine_reply_that_contradicts_a_completion_accepts_nothing(
    world: World, changes: dict[str, Any], why: str
) -> None:
    world.replies("complete", **{"order_id": "1", "total_amount": 1200, **changes})
    with pytest.raises(UnexpectedReply, match=exactly(why)):
        world.complete()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {
            "state": "DOING",
            "state_description": "MCH_COMPLETE",
            "total_amount": 1200,
            "need_collection": True,
        },
        {"state": "DONE", "total_amount": 1200, "need_collection": False},
    ],
    ids=str,
)
def test_a_reply_that_says_completed_or_nothing_of_it_accepts(world: World, fields: dict[str, Any]) -> None:
    world.replies("complete", order_id="1", **fields)
    assert world.complete().order_id == "1"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"state": "DOING", "state_description": "USER_CONFIRM"}, "state is none of a cancelled order"),
        ({"state": "DOING", "state_description": "MCH_COMPLETE"}, "state is none of a cancelled order"),
        ({"state": "DONE", "total_amount": 0}, "state is none of a cancelled order"),
        ({"state": "CREATED"}, "state is none of a cancelled order"),
        ({"state": "EXPIRED"}, "state is none of a cancelled order"),
        ({"state": "SOMETHING_NEW"}, UNDOCUMENTED),
    ],
    ids=str,
)
def test_a_cancellation_answered_without_a_revoked_order_is_not_accepted(
    world: World, fields: dict[str, Any], why: str
) -> None:
    world.replies("cancel", order_id="1", **fields)
    with pytest.raises(UnexpectedReply, match=exactly(why)):
        world.cancel()


@pytest.mark.parametrize("fields", [{}, {"state": "REVOKED"}], ids=str)
def test_a_reply_that_says_revoked_or_no_state_accepts_a_cancellation(
    world: World, fields: dict[str, Any]
) -> None:
    world.replies("cancel", order_id="1", **fields)
    assert world.cancel().order_id == "1"


def detail(amount: int, transaction_id: str | None = "42", paid_type: str = "NEWTON") -> dict[str, Any]:
    shown = {"seq": 1, "amount": amount, "paid_type": paid_type, "paid_time": "20260101120200"}
    return shown | ({"transaction_id": transaction_id} if transaction_id else {})


def collection(state: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"state": state, "total_amount": 1200, "details": list(details)}


COMPLETED = {"total_amount": 1200, "need_collection": True}
CONFIRMED = {"state": "DOING", "state_description": "USER_CONFIRM"}
MCH_COMPLETE = {"state": "DOING", "state_description": "MCH_COMPLETE", **COMPLETED}
DONE = {"state": "DONE", **COMPLETED}
PAID = "USER_PAID"
READ = [
    ({"state": "CREATED"}, "CREATED"),
    (CONFIRMED, "USER_ACCEPTED"),
    (MCH_COMPLETE, "FINISHED"),
    ({**MCH_COMPLETE, "collection": collection("USER_PAYING")}, "FINISHED"),
    ({**MCH_COMPLETE, "collection": collection("USER_PAYING", detail(500))}, "FINISHED"),
    ({**MCH_COMPLETE, "collection": collection(PAID, detail(1200))}, "FINISHED"),
    ({**DONE, "collection": collection(PAID, detail(1200))}, PAID),
    ({**DONE, "collection": collection(PAID, detail(500), detail(700, "43"))}, PAID),
    ({**DONE, "collection": collection(PAID, detail(1200, None, "MCH"))}, PAID),
    ({**DONE, "collection": collection(PAID)}, PAID),
    ({**DONE, "collection": collection(PAID, detail(500))}, "FINISHED"),
    ({**DONE, "collection": collection("USER_PAYING", detail(500))}, "FINISHED"),
    (DONE, "FINISHED"),
    ({**DONE, "need_collection": False}, PAID),
    ({"state": "DONE", "total_amount": 0}, PAID),
    ({"state": "REVOKED"}, "REVOKED"),
    ({"state": "EXPIRED"}, "EXPIRED"),
]


@pytest.mark.parametrize(("fields", "means"), READ, ids=str)
def test_a_state_is_judged_by_state_description_and_collection(
    world: World, fields: dict[str, Any], means: str
) -> None:
    world.replies("query", **fields)
    order = world.query()
    assert order.state == means
    assert order.finish_type == (2 if means in ("FINISHED", PAID) else None)
    assert order.reported == "/".join(v for v in (fields["state"], fields.get("state_description")) if v)
    assert order.reported in str(order)
    assert order.total_amount == fields.get("total_amount")
    assert REQUEST_ID.fullmatch(order.request_id)


@pytest.mark.parametrize("state", ["CREATED", "DONE", "REVOKED", "EXPIRED"])
def test_a_description_in_free_text_is_not_repeated(world: World, state: str) -> None:
    world.replies("query", state=state, state_description="用户13800138000" * 9999)
    assert world.query().reported == state


def test_no_two_rows_fit_one_answer() -> None:
    done = [row.collected for row in STATES if row.state == "DONE"]
    assert done == [Collected.ALL, Collected.NOTHING_TO_COLLECT, Collected.PART]


def test_every_row_of_states_is_met() -> None:
    met = {means for _, means in READ} | {None}
    assert {row.means for row in STATES} <= met
    assert all(isinstance(row, StateReading) for row in STATES)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"state": "DOING"}, UNDOCUMENTED),
        ({"state": "DOING", "state_description": "SOMETHING_NEW"}, UNDOCUMENTED),
        ({"state": "USER_PAID"}, UNDOCUMENTED),
        ({"state": None}, "state is missing"),
        ({**DONE, "total_amount": "1200"}, "total_amount must be int"),
        (
            {**DONE, "total_amount": 1201, "collection": collection(PAID, detail(1200))},
            "total_amount is not the one of the collection",
        ),
        ({**DONE, "need_collection": "true"}, "need_collection must be bool"),
        ({**DONE, "collection": [1]}, "collection must be dict"),
        (
            {**DONE, "collection": collection(PAID, detail(1200) | {"amount": None})},
            "collection.details.amount is missing",
        ),
        ({**DONE, "collection": {"state": PAID, "details": ["x"]}}, "collection.details must be objects"),
        ({**DONE, "collection": {"state": PAID, "details": {}}}, "details must be list"),
        ({**DONE, "collection": {"state": 1}}, "state must be str"),
        ({**DONE, "collection": {"total_amount": "1200"}}, "total_amount must be int"),
        ({**CONFIRMED, "state_description": 1}, "state_description must be str"),
        ({**CONFIRMED, "out_order_no": "another"}, "out_order_no is not the one asked for"),
    ],
    ids=str,
)
def test_a_genuine_answer_that_says_nothing_documented_is_no_state(
    world: World, fields: dict[str, Any], why: str
) -> None:
    world.replies("query", **fields)
    with pytest.raises(UnexpectedReply, match=exactly(why)):
        world.query()


def test_every_transaction_of_a_payment_is_listed(world: World) -> None:
    world.open(debit_after=None)
    world.complete()
    world.simulator.pay(world.order_no, 500)
    assert world.query().state == "FINISHED"
    world.simulator.pay(world.order_no)
    order = world.query()
    assert [each.amount for each in order.transactions] == [500, 700]
    ids = [each.transaction_id for each in order.transactions]
    assert len(set(ids)) == 2
    assert (order.finish_transaction_id, order.pay_type) == (ids[1], None)
    assert order.pay_succ_time == order.transactions[1].paid_time


def test_an_order_paid_by_other_means_names_them(world: World) -> None:
    world.replies("query", **DONE, collection=collection(PAID, detail(1200, None, "MCH")))
    order = world.query()
    assert order.transactions == (Transaction(1200, "MCH", "20260101120200", None),)
    assert (order.finish_transaction_id, order.pay_type) == (None, "MchChannelPayType")
    world.replies("query", **DONE, collection=collection(PAID, detail(700), detail(500, None, "MCH")))
    order = world.query()
    assert (order.finish_transaction_id, order.pay_type) == ("42", None)
