import contextlib
import json
from typing import Any

import pytest
from wechatpay.errors import ReplyError, ServiceError, UnexpectedReply, WeChatPayError
from wechatpay.orders import Accepted, OrderKey, OrderState
from wechatpay.smart_retail import STATES, cancel, complete, query
from wechatpay_sandbox import Simulator

from tests.paths import escaped
from tests.replies import genuine
from tests.unit.wechatpay.merchant import WarmMerchant


def finish(simulator: Simulator, order_no: str, **changes: Any) -> dict[str, Any]:
    """Open the order and give the parameters that finish it for 12 yuan."""
    opened = simulator.open_order(order_no)
    return {
        "finish_type": 2,
        "profit_sharing": False,
        "total_amount": 1200,
        "fees": [{"fee_name": "可乐", "fee_amount": 1300}],
        "discounts": [{"discount_name": "优惠", "discount_amount": 100}],
        "finish_ticket": opened.get("finish_ticket"),
    } | changes


def test_an_order_is_completed_and_then_found_finished(simulator: Simulator, order_no: str) -> None:
    merchant = WarmMerchant(simulator)
    client, key = merchant.client(), merchant.key(order_no)
    accepted = complete(client, key, finish(simulator, order_no))
    assert accepted.order_id == simulator.order(order_no)["order_id"]
    order = query(client, key)
    assert (order.state, order.finish_type, order.total_amount, order.finish_ticket) == (
        "FINISHED",
        2,
        1200,
        None,
    )
    assert order.request_id.endswith("-0")


def test_the_order_number_is_in_the_path_encoded_once_and_not_in_the_body(
    simulator: Simulator, order_no: str
) -> None:
    merchant = WarmMerchant(simulator)
    complete(merchant.client(), merchant.key(order_no), finish(simulator, order_no))
    query(merchant.client(), merchant.key(order_no))
    posted, got = simulator.requests(order_no)
    number = escaped(order_no)
    assert posted["target"] == f"/v3/payscore/smartretail-orders/{number}/complete"
    assert "out_order_no" not in json.loads(posted["body"])
    assert "mchid" not in json.loads(posted["body"])
    assert got["target"] == (
        f"/v3/payscore/smartretail-orders?service_id=500001&out_order_no={number}&appid=wxd678efh567hg6787"
    )
    assert posted["verified"]
    assert got["verified"]


def test_the_same_completion_again_is_accepted_again(simulator: Simulator, order_no: str) -> None:
    merchant = WarmMerchant(simulator)
    parameters = finish(simulator, order_no)
    first, second = (complete(merchant.client(), merchant.key(order_no), parameters) for _ in range(2))
    assert first.order_id == second.order_id
    assert simulator.order(order_no)["accepted"] == 1


def test_a_ticket_comes_with_an_accepted_order_and_is_not_shown(simulator: Simulator, order_no: str) -> None:
    simulator.open_order(order_no)
    merchant = WarmMerchant(simulator)
    order = query(merchant.client(), merchant.key(order_no))
    assert order.state == "USER_ACCEPTED"
    assert order.finish_ticket
    assert order.finish_ticket not in repr(order)


def test_a_paid_order_says_when_and_by_which_transaction(simulator: Simulator, order_no: str) -> None:
    simulator.open_order(order_no, state="USER_PAID", finish_type=2, total_amount=700)
    merchant = WarmMerchant(simulator)
    order = query(merchant.client(), merchant.key(order_no))
    assert (order.state, order.total_amount) == ("USER_PAID", 700)
    assert order.finish_transaction_id
    assert order.pay_succ_time


@pytest.mark.parametrize("state", sorted(STATES))
def test_every_documented_state_is_understood(simulator: Simulator, order_no: str, state: str) -> None:
    simulator.open_order(order_no, state=state)
    merchant = WarmMerchant(simulator)
    assert query(merchant.client(), merchant.key(order_no)).state == state


def test_an_order_nobody_opened_is_a_verified_404(simulator: Simulator, order_no: str) -> None:
    merchant = WarmMerchant(simulator)
    with pytest.raises(ServiceError) as caught:
        query(merchant.client(), merchant.key(order_no))
    problem = caught.value.problem
    assert (problem.status, problem.code, problem.verified) == (404, "ORDER_NOT_EXIST", True)


# Genuine replies that do not answer the question


def replied(simulator: Simulator, order_no: str, operation: str, document: object) -> None:
    simulator.script(order_no, operation, times=2, **genuine(document))


def answer(key: OrderKey, **changes: Any) -> dict[str, Any]:
    fields = {
        "mchid": key.mchid,
        "appid": key.appid,
        "service_id": key.service_id,
        "out_order_no": key.out_order_no,
    } | changes
    return {name: value for name, value in fields.items() if value is not ...}


def completed(simulator: Simulator, order_no: str, **changes: Any) -> Accepted:
    """Finish an order; the answer is about it, with these changes."""
    merchant = WarmMerchant(simulator)
    key = merchant.key(order_no)
    parameters = finish(simulator, order_no)
    replied(simulator, order_no, "complete", answer(key, **changes))
    return complete(merchant.client(), key, parameters)


def queried(simulator: Simulator, order_no: str, **changes: Any) -> OrderState:
    """Query an order; the answer is about it, with these changes."""
    simulator.open_order(order_no)
    merchant = WarmMerchant(simulator)
    key = merchant.key(order_no)
    replied(simulator, order_no, "query", answer(key, **changes))
    return query(merchant.client(), key)


OTHER_ORDERS = [
    *({name: "another"} for name in ("mchid", "appid", "service_id", "out_order_no")),
    {"out_order_no": None},
    {"out_order_no": ...},
    {"mchid": 1900000001},
]


@pytest.mark.parametrize(
    "change", [*OTHER_ORDERS, {"mchid": ...}, {"appid": ...}, {"service_id": None}], ids=str
)
def test_a_genuine_acceptance_of_another_order_is_no_acceptance(
    simulator: Simulator, order_no: str, change: dict[str, Any]
) -> None:
    with pytest.raises(UnexpectedReply, match=f"{next(iter(change))} is not the one asked for"):
        completed(simulator, order_no, order_id="1", **change)


@pytest.mark.parametrize("order_id", [..., None, "", 7, ["1"], True])
def test_an_acceptance_names_the_order_id(simulator: Simulator, order_no: str, order_id: object) -> None:
    with pytest.raises(UnexpectedReply, match="order_id"):
        completed(simulator, order_no, order_id=order_id)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"total_amount": 1201}, "total_amount is not the one asked for"),
        ({"total_amount": None}, "total_amount is not the one asked for"),
        ({"finish_type": 1}, "finish_type is not the one asked for"),
        ({"state": "USER_ACCEPTED"}, "state is none of a settled order"),
        ({"state": "EXPIRED"}, "state is none of a settled order"),
        ({"state": None}, "state is none of a settled order"),
        ({"state": "REVOKED"}, "state is none of a settled order"),
    ],
    ids=str,
)
def test_a_genuine_acceptance_that_contradicts_what_was_asked_is_none(
    simulator: Simulator, order_no: str, change: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UnexpectedReply, match=complaint):
        completed(simulator, order_no, order_id="1", **change)


@pytest.mark.parametrize("state", ["USER_PAID", "CREATED"])
def test_a_genuine_cancellation_of_what_is_charged_is_none(
    simulator: Simulator, order_no: str, state: str
) -> None:
    merchant = WarmMerchant(simulator)
    key = merchant.key(order_no)
    simulator.open_order(order_no)
    replied(simulator, order_no, "complete", answer(key, order_id="1", state=state))
    wish = {"finish_type": 1, "cancel_reason": "误开门", "total_amount": 0, "profit_sharing": False}
    with pytest.raises(UnexpectedReply, match="none of a settled order"):
        complete(merchant.client(), key, {**wish, "finish_ticket": "T"})
    replied(simulator, order_no, "cancel", answer(key, order_id="1", state=state))
    with pytest.raises(UnexpectedReply, match="none of a settled order"):
        cancel(merchant.client(), key, "误开门")


def test_a_genuine_acceptance_may_say_more_of_what_was_asked(simulator: Simulator, order_no: str) -> None:
    more = {"total_amount": 1200, "finish_type": 2, "state": "FINISHED"}
    assert completed(simulator, order_no, order_id="1", **more).order_id == "1"


def test_the_path_names_the_api_the_order_was_created_with(simulator: Simulator, order_no: str) -> None:
    merchant = WarmMerchant(simulator)
    key = merchant.key(order_no)._replace(order_api="payafter-orders")
    with contextlib.suppress(WeChatPayError):
        complete(merchant.client(), key, finish(simulator, order_no))
    with contextlib.suppress(WeChatPayError):
        cancel(merchant.client(), key, "误开门")
    with contextlib.suppress(WeChatPayError):
        query(merchant.client(), key)
    targets = [request["target"] for request in simulator.requests() if "payafter" in request["target"]]
    number = escaped(order_no)
    paths = [target.partition("?")[0].removeprefix("/v3/payscore/payafter-orders") for target in targets]
    assert paths[:2] == [f"/{number}/complete", f"/{number}/cancel"]
    assert set(paths[2:]) == {""}


@pytest.mark.parametrize("change", OTHER_ORDERS, ids=str)
def test_a_genuine_state_of_another_order_is_no_state(
    simulator: Simulator, order_no: str, change: dict[str, Any]
) -> None:
    with pytest.raises(UnexpectedReply, match=f"{next(iter(change))} is not the one asked for"):
        queried(simulator, order_no, state="FINISHED", **change)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({}, "state is missing"),
        ({"state": None}, "state is missing"),
        ({"state": ""}, "state is missing"),
        ({"state": 1}, "state must be str"),
        ({"state": "DONE"}, "state is none that is documented"),
        ({"state": "finished"}, "state is none that is documented"),
        ({"state": "FINISHED", "total_amount": "1200"}, "total_amount must be int"),
        ({"state": "FINISHED", "total_amount": 1200.0}, "total_amount must be int"),
        ({"state": "FINISHED", "total_amount": True}, "total_amount must be int"),
        ({"state": "FINISHED", "finish_type": "2"}, "finish_type must be int"),
        ({"state": "USER_ACCEPTED", "finish_ticket": 7}, "finish_ticket must be str"),
        ({"state": "USER_PAID", "finish_transaction_id": {}}, "finish_transaction_id must be str"),
        ({"state": "USER_PAID", "pay_succ_time": 20260101}, "pay_succ_time must be str"),
    ],
)
def test_a_state_that_is_not_well_formed_is_unexpected(
    simulator: Simulator, order_no: str, fields: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UnexpectedReply, match=complaint) as caught:
        queried(simulator, order_no, **fields)
    assert caught.value.problem.verified


def test_a_query_need_only_name_the_order(simulator: Simulator, order_no: str) -> None:
    simulator.open_order(order_no)
    merchant = WarmMerchant(simulator)
    replied(simulator, order_no, "query", {"out_order_no": order_no, "state": "CREATED"})
    assert query(merchant.client(), merchant.key(order_no)).state == "CREATED"


# The ticket


@pytest.mark.parametrize("ticket", ["T-short", 'quote"back\\slash', "A" * 512, "票据", "a+/=" * 20 + " b"])
def test_a_ticket_that_is_quoted_back_reaches_no_error(
    simulator: Simulator, order_no: str, ticket: str
) -> None:
    merchant = WarmMerchant(simulator)
    parameters = finish(simulator, order_no, finish_ticket=ticket)
    simulator.script(
        order_no,
        fault="reply",
        status=400,
        code="PARAM_ERROR",
        message=f"ticket {ticket} is wrong",
        detail={"field": "finish_ticket", "value": ticket, "issue": f"got {ticket}"},
    )
    with pytest.raises(ReplyError) as caught:
        complete(merchant.client(), merchant.key(order_no), parameters)
    error = caught.value
    for shown in (str(error), repr(error), repr(error.problem)):
        assert ticket not in shown
        assert json.dumps(ticket, ensure_ascii=False)[1:-1] not in shown
    assert "is wrong" in error.problem.message
    assert (error.problem.status, error.problem.code) == (400, "PARAM_ERROR")


def test_what_is_returned_is_plain_data() -> None:
    assert Accepted("1", "2") == Accepted("1", "2")
    assert OrderState("CREATED").finish_ticket is None
