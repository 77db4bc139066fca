"""Schemas and samples of events agree with the workflow and with the parser."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from complete_order.order import InvalidOrder, parse
from hypothesis import assume, given, settings
from jsonschema import Draft202012Validator

from tests.schemas import EVENTS, problems, schemas, undocumented
from tests.unit.complete_order.events import arbitrary_events, cancelled, finished, valid_events
from tools import workflow

WORKFLOW = workflow.definition()
PUBLISHED = {
    entry["DetailType"]
    for state in WORKFLOW["States"].values()
    for entry in (state.get("Arguments") or {}).get("Entries", [])
}
SAMPLES = sorted(EVENTS.glob("published/*.json"))
ORDERS = sorted(EVENTS.glob("*.json"))
NOW = datetime(2026, 3, 5, 4, tzinfo=UTC)
# Rules that JSON Schema has no words for, as the parser words them.
BEYOND = (
    "must be the sum",
    "must be unique",
    "is not a real date",
    "must not be more than 10 minutes ahead",
    "entries of different names",
    "must not be before",
    "must be at most 4096 bytes",
    "must be JSON in UTF-8",
)


def sample(path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("title", schemas())
def test_each_schema_is_one_of_draft_2020_12_and_explains_itself(title: str):
    schema = schemas()[title]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)
    assert schema["description"]
    assert (EVENTS / "schemas" / schema["$id"]).is_file()


def test_every_event_has_a_schema_and_every_published_one_a_sample():
    assert set(schemas()) == PUBLISHED | {"Service Ended"}
    assert {sample(path)["detail-type"] for path in SAMPLES} == PUBLISHED
    assert [path.name for path in SAMPLES] == [schemas()[sample(p)["detail-type"]]["$id"] for p in SAMPLES]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_each_sample_is_valid_and_shows_no_unknown_field(path):
    event = sample(path)
    assert event["source"] == "smartretail.orders"
    assert problems(event["detail-type"], event["detail"]) == []
    assert undocumented(event["detail-type"], event["detail"]) == set()


@pytest.mark.parametrize("title", sorted(PUBLISHED))
def test_what_all_published_events_have_is_described_alike(title: str):
    common, own = (schemas()[each]["properties"] for each in ("Order Completed", title))
    descriptions = {
        name: field.get("description", "").partition(";")[0].rstrip(".") for name, field in own.items()
    }
    assert {name: text for name, text in descriptions.items() if name in common} == {
        name: field.get("description", "").partition(";")[0].rstrip(".") for name, field in common.items()
    }


@pytest.mark.parametrize(
    ("title", "change"),
    [
        ("Order Paid", {"payment": {"state": "COLLECTING", "request_id": ""}}),
        ("Order Paid", {"payment": {"state": "PAID", "pay_succ_time": "20251001183205", "request_id": ""}}),
        ("Order Payment Overdue", {"payment": {"state": "PAID", "request_id": ""}}),
        ("Order Completed", {"outcome": "CANCELLED"}),
        ("Order Completed", {"total_amount": "1200"}),
        ("Order Completed", {"evidence": None}),
        ("Order Failed", {"error": {}}),
        ("Order Cancelled", {"total_amount": 1}),
    ],
)
def test_a_schema_refuses_what_is_no_such_event(title: str, change: dict[str, Any]):
    (event,) = (each for each in map(sample, SAMPLES) if each["detail-type"] == title)
    assert problems(title, {**event["detail"], **change})


# The order event: schema and parser agree


def parser_problems(event: object) -> list[str]:
    try:
        parse(event, default_mchid="1900000001", now=NOW)
    except InvalidOrder as invalid:
        return invalid.problems
    return []


def agree(event: object) -> bool:
    by_parser = [each for each in parser_problems(event) if not any(rule in each for rule in BEYOND)]
    return bool(by_parser) == bool(problems("Service Ended", event))


FEE = {"fee_name": "水", "fee_amount": 100}
DISCOUNT = {"discount_name": "新客立减", "discount_amount": 1}


@pytest.mark.parametrize(
    ("event", "valid"),
    [
        (finished(), True),
        (cancelled(), True),
        ([], False),
        (finished(out_order_no=...), False),
        (finished(out_order_no="A|b*_-" + "9" * 26), True),
        (finished(out_order_no="A" * 33), False),
        (finished(out_order_no=""), False),
        (finished(out_order_no="A\n"), False),
        (finished(out_order_no="订单"), False),
        (finished(mchid="1900000001"), True),
        (finished(mchid="x"), False),
        (finished(mchid=1900000001), False),
        (finished(appid="wx_1-A"), True),
        (finished(appid=None), False),
        (finished(service_id="5 0"), False),
        (finished(finish_type=...), False),
        (finished(finish_type=3), False),
        (finished(finish_type=True), False),
        (finished(finish_type="2"), False),
        (finished(total_amount=...), False),
        (finished(total_amount=True), False),
        (finished(total_amount="0"), False),
        (finished(total_amount=-1), False),
        (finished(total_amount=2**53, fees=[{**FEE, "fee_amount": 2**53}]), False),
        (finished(cancel_reason="误开门"), False),
        (cancelled(cancel_reason=...), False),
        (cancelled(cancel_reason=""), False),
        (cancelled(cancel_reason="误" * 31), False),
        (cancelled(cancel_reason="😀"), False),
        (cancelled(cancel_reason=" \u200b"), False),
        (cancelled(cancel_reason="误\n开"), False),
        (finished(cancel_reason=""), True),
        (cancelled(real_service_end_location=" "), True),
        (finished(mchid="", appid=" ", service_id="", order_api="", finish_ticket="\u3000"), True),
        (finished(real_service_start_time="", real_service_end_time=" "), True),
        (finished(order_api="payafter-orders"), True),
        (finished(order_api="serviceorder"), False),
        (finished(order_api="serviceorder", fees=[]), False),
        (finished(order_api="serviceorder", fees=[{"fee_name": "茶", "fee_desc": "茶"}]), False),
        (finished(order_api="serviceorder", fees=[{"fee_name": "茶", "fee_amount": 0}]), True),
        (finished(order_api="smartretail"), False),
        (finished(goods_tag="标" * 32, device={"start_device_id": "S" * 32, "materiel_no": ""}), True),
        (finished(goods_tag="标" * 33), False),
        (finished(device={"start_device_id": "S" * 33}), False),
        (finished(device={"id": "S"}), False),
        (finished(device=""), False),
        (cancelled(total_amount=0), True),
        (cancelled(total_amount=1), False),
        (cancelled(real_service_end_location="南山"), False),
        (finished(real_service_end_location="南" * 20), True),
        (finished(real_service_end_location="南" * 21), False),
        (finished(real_service_start_time="20260101"), True),
        (finished(real_service_start_time="20260101235959"), True),
        (finished(real_service_start_time="20261301"), False),
        (finished(real_service_start_time="2026010124000"), False),
        (finished(real_service_start_time="20260101240000"), False),
        (finished(real_service_start_time=20260101), False),
        (finished(fees=[FEE], total_amount=100), True),
        (finished(fees=[FEE | {"fee_count": 100, "fee_desc": ""}], total_amount=100), True),
        (finished(fees=[{"fee_name": "水", "fee_desc": "赠"}]), True),
        (finished(fees=[{"fee_name": "水"}]), False),
        (finished(fees=[{"fee_name": "水", "fee_desc": " "}]), False),
        (finished(fees=[{"fee_name": " ", "fee_amount": 0}]), False),
        (finished(fees=[{"fee_name": "水", "fee_amount": ""}]), False),
        (finished(fees=[{"fee_name": "商品信息", "fee_amount": 0}] * 2), True),
        (finished(fees=[{"fee_amount": 0}]), False),
        (finished(fees=[FEE | {"fee_count": 0}], total_amount=100), False),
        (finished(fees=[FEE | {"fee_count": 101}], total_amount=100), False),
        (finished(fees=[FEE | {"fee_prize": 1}], total_amount=100), False),
        (finished(fees=[{"fee_name": f"{n}", "fee_amount": 0} for n in range(100)]), True),
        (finished(fees=[{"fee_name": f"{n}", "fee_amount": 0} for n in range(101)]), False),
        (finished(fees={}), False),
        (finished(fees=[FEE], discounts=[DISCOUNT], total_amount=99), True),
        (finished(fees=[FEE], discounts=[DISCOUNT] * 5, total_amount=95), True),
        (finished(fees=[FEE], discounts=[DISCOUNT] * 6, total_amount=94), True),
        (finished(fees=[FEE], discounts=[{**DISCOUNT, "discount_amount": 0}], total_amount=100), False),
        (finished(fees=[FEE], discounts=[{"discount_name": "x"}], total_amount=100), False),
        (finished(discuonts=[]), False),
        (finished(finish_ticket="t" * 512), True),
        (finished(finish_ticket="t" * 513), False),
        (finished(profit_sharing=True), True),
        (finished(profit_sharing=1), False),
        (finished(metadata={"any": [None, 1.5]}), True),
        (finished(metadata=[]), False),
        (finished(metadata=None), False),
    ],
)
def test_schema_and_parser_agree_on_an_order_event(event: object, valid: bool):
    assert (parser_problems(event) == []) is valid
    assert (problems("Service Ended", event) == []) is valid


@pytest.mark.parametrize("path", ORDERS, ids=lambda path: path.stem)
def test_the_runnable_orders_are_valid_but_the_one_that_shows_mistakes(path):
    assert (problems("Service Ended", sample(path)) == []) is (path.stem != "invalid")


@given(valid_events())
@settings(deadline=None)
def test_every_valid_event_is_valid_by_the_schema(event: dict[str, Any]):
    assert problems("Service Ended", event) == []


@given(arbitrary_events)
@settings(deadline=None)
def test_whatever_the_event_schema_and_parser_agree(event: object):
    # JSON Schema holds 1.0 to be an integer.
    assume(not _has_whole_fractions(event))
    assert agree(event)


def _has_whole_fractions(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_whole_fractions, value.values()))
    if isinstance(value, list):
        return any(map(_has_whole_fractions, value))
    return isinstance(value, float) and value.is_integer()
