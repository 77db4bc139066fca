import json

import pytest
from complete_order import order
from complete_order.result import Failure, Result
from wechatpay.errors import Problem
from wechatpay.orders import OrderKey

from tests.unit.complete_order.events import cancelled, finished, parsed

KEY = OrderKey("1900000001", "wxd678efh567hg6787", "500001", "SR-1")


def test_a_completed_order_has_exactly_the_fields_of_the_contract() -> None:
    event = finished(
        fees=[{"fee_name": "可乐", "fee_amount": 1200}], total_amount=1200, metadata={"cabinet": "3号"}
    )
    result = Result.settled(parsed(event), KEY, "REPLY", "08F7-0", order_id="1500")
    assert result.to_json() == {
        "outcome": "COMPLETED",
        "out_order_no": "SR-1",
        "mchid": "1900000001",
        "appid": "wxd678efh567hg6787",
        "service_id": "500001",
        "order_api": "smartretail-orders",
        "order_id": "1500",
        "finish_type": 2,
        "total_amount": 1200,
        "evidence": "REPLY",
        "request_id": "08F7-0",
        "metadata": {"cabinet": "3号"},
    }


def test_a_query_gives_no_order_id_and_the_field_is_left_out() -> None:
    result = Result.settled(parsed(cancelled()), KEY, "QUERY", "08F7-0").to_json()
    assert (result["outcome"], result["finish_type"], result["total_amount"]) == ("CANCELLED", 1, 0)
    assert result.keys().isdisjoint({"order_id", "error"})


def test_a_refusal_carries_everything_that_is_known_of_it() -> None:
    problem = Problem(400, "PARAM_ERROR", "参数错误", "totalAmount", "08F7-268435464", verified=True)
    failure = Failure.quoting("REJECTED", problem)
    result = Result.failed(parsed(finished()), KEY, "REPLY", failure).to_json()
    assert result["outcome"] == "FAILED"
    assert result["request_id"] == "08F7-268435464"
    assert result["error"] == {
        "category": "REJECTED",
        "code": "PARAM_ERROR",
        "status": 400,
        "message": "参数错误",
        "detail": "totalAmount",
        "request_id": "08F7-268435464",
        "verified": True,
    }


def test_an_invalid_event_lists_its_problems_and_names_its_order() -> None:
    event = {"out_order_no": "A/B", "finish_type": 2, "total_amount": 5, "metadata": {"a": 1}, "appid": 7}
    result = Result.invalid(event, ["out_order_no: wrong", "appid: wrong"]).to_json()
    assert result == {
        "outcome": "FAILED",
        "out_order_no": "A/B",
        "mchid": None,
        "appid": None,
        "service_id": None,
        "finish_type": 2,
        "total_amount": 5,
        "evidence": None,
        "request_id": "",
        "metadata": {"a": 1},
        "error": {
            "category": "INVALID_INPUT",
            "code": "",
            "status": None,
            "message": "2 problem(s) in the order event",
            "detail": ["out_order_no: wrong", "appid: wrong"],
            "request_id": "",
            "verified": None,
        },
    }


@pytest.mark.parametrize("order_api", ["smartretail-orders", "payafter-orders", "serviceorder"])
def test_a_result_says_by_which_api_the_order_settles(order_api: str) -> None:
    key = KEY._replace(order_api=order_api)
    assert Result.settled(parsed(finished()), key, "REPLY", "08F7-0").to_json()["order_api"] == order_api
    assert Result.invalid({"order_api": order_api}, ["x: y"]).to_json()["order_api"] == order_api


@pytest.mark.parametrize("order_api", ["", "smartretail", None, 7, ["serviceorder"]])
def test_an_unknown_api_is_not_echoed(order_api: object) -> None:
    assert "order_api" not in Result.invalid({"order_api": order_api}, ["x: y"]).to_json()


@pytest.mark.parametrize(
    ("field", "value", "echoed"),
    [
        ("finish_type", True, None),
        ("finish_type", 3, None),
        ("finish_type", 2.0, None),
        ("finish_type", [2], None),
        ("total_amount", True, None),
        ("total_amount", 2**53, None),
        ("total_amount", -(2**53), None),
        ("total_amount", "1", None),
        ("out_order_no", "A" * 65, "A" * 64),
        ("out_order_no", "\ud800", "\\ud800"),
        ("out_order_no", {"a": 1}, None),
        ("metadata", [], {}),
    ],
)
def test_an_invalid_event_is_echoed_only_as_far_as_it_can_be_carried_on(
    field: str, value: object, echoed: object
) -> None:
    result = Result.invalid({field: value}, ["x: y"]).to_json()
    assert result[field] == echoed
    json.dumps(result, ensure_ascii=False).encode()


@pytest.mark.parametrize("event", [None, [], "event", 1, True])
def test_an_event_that_is_no_object_is_not_echoed(event: object) -> None:
    assert Result.invalid(event, ["(event): must be a JSON object"]).to_json()["out_order_no"] is None


def test_metadata_with_a_problem_is_not_echoed() -> None:
    assert Result.invalid({"metadata": {"a": 1}}, ["metadata: must be at most"]).metadata == {}
    assert Result.invalid({"metadata": {"a": 1}}, ["metadata_x: unknown field"]).metadata == {"a": 1}


def test_a_flood_of_problems_still_fits_into_a_state_of_the_workflow() -> None:
    event = {"🥤" * 60 + str(number): 1 for number in range(30_000)}
    with pytest.raises(order.InvalidOrder) as raised:
        parsed(event)
    result = Result.invalid(event, raised.value.problems).to_json()
    assert len(json.dumps(result)) < 256 * 1024
    assert result["error"]["message"] == "30002 problem(s) in the order event"
    assert result["error"]["detail"][-1] == "(event): 29802 more problems"
