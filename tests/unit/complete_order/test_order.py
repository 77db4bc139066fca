import dataclasses
import json
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from complete_order import order
from complete_order.event_rules import LARGEST_AMOUNT
from complete_order.order import InvalidOrder
from hypothesis import given
from wechatpay.credentials import Credentials
from wechatpay.credentials import parse as parse_secret
from wechatpay.errors import MerchantMisconfigured

from tests.unit.complete_order.events import (
    FIELDS,
    MCHID,
    NOW,
    Event,
    arbitrary_events,
    cancelled,
    changed,
    finished,
    parsed,
    valid_events,
)
from tests.unit.wechatpay.material import secret


def problems_of(event: object, default_mchid: str = MCHID) -> list[str]:
    with pytest.raises(InvalidOrder) as raised:
        order.parse(event, default_mchid=default_mchid, now=NOW)
    assert str(raised.value) == "; ".join(raised.value.problems)
    return raised.value.problems


def fee(**changes: Any) -> dict[str, Any]:
    return changed({"fee_name": "可乐", "fee_amount": 300}, changes)


def discounted(names: int) -> dict[str, Any]:
    """Fees and so many discounts of different names that cost nothing together."""
    discounts = [discount(discount_name=f"立减{number}") for number in range(names)]
    return {"fees": [fee(fee_amount=100 * names)], "discounts": discounts}


def discount(**changes: Any) -> dict[str, Any]:
    return changed({"discount_name": "立减", "discount_amount": 100}, changes)


NUMBER = "must be text of 1-32 of 0-9 A-Z a-z _ - | *"
NAME = "must be text of 1-32 letters, digits, _ or -"
TIME = "must be text of yyyyMMddHHmmss or yyyyMMdd"
NULL = "must not be null; leave it out"
EMOJI = "must be UTF-8 without 4-byte characters (such as emoji): WeChat Pay refuses them"
CONTROL = "must not have control characters (such as line breaks)"
UNIQUE = "must be unique, unless it is 商品信息"
EITHER = "required when there is no fee_desc"
API = "must be one of smartretail-orders, payafter-orders, serviceorder"
START, END, PLACE = "real_service_start_time", "real_service_end_time", "real_service_end_location"

WRONG: list[tuple[Event, list[str]]] = [
    (finished(out_order_no=...), ["out_order_no: required"]),
    (finished(out_order_no=""), [f"out_order_no: {NUMBER}"]),
    (finished(out_order_no="A" * 33), [f"out_order_no: {NUMBER}"]),
    (finished(out_order_no="A/B"), [f"out_order_no: {NUMBER}"]),
    (finished(out_order_no="A%7C"), [f"out_order_no: {NUMBER}"]),
    (finished(out_order_no="A\n"), [f"out_order_no: {NUMBER}"]),
    (finished(out_order_no="订单"), [f"out_order_no: {NUMBER}"]),
    (finished(out_order_no="１"), [f"out_order_no: {NUMBER}"]),
    (finished(out_order_no=1), [f"out_order_no: {NUMBER}"]),
    (finished(mchid=1900000001), ["mchid: must be text of 1-32 digits"]),
    (finished(mchid="19x"), ["mchid: must be text of 1-32 digits"]),
    (finished(mchid="１９"), ["mchid: must be text of 1-32 digits"]),
    (finished(mchid="../other"), ["mchid: must be text of 1-32 digits"]),
    (finished(appid="wx d"), [f"appid: {NAME}"]),
    (finished(service_id="5" * 33), [f"service_id: {NAME}"]),
    (finished(service_id=500001), [f"service_id: {NAME}"]),
    (finished(finish_type=...), ["finish_type: required"]),
    (finished(finish_type=0), ["finish_type: must be from 1 to 2"]),
    (finished(finish_type=3), ["finish_type: must be from 1 to 2"]),
    (finished(finish_type="2"), ["finish_type: must be an integer, is text"]),
    (finished(finish_type=2.0), ["finish_type: must be an integer, is a fraction"]),
    (finished(finish_type=True), ["finish_type: must be an integer, is true or false"]),
    (finished(finish_type=None), [f"finish_type: {NULL}"]),
    (finished(cancel_reason="误开门"), ["cancel_reason: forbidden when finish_type is 2"]),
    (cancelled(cancel_reason=...), ["cancel_reason: required when finish_type is 1"]),
    (cancelled(cancel_reason=""), ["cancel_reason: required when finish_type is 1"]),
    (cancelled(cancel_reason=" \u3000\u200b"), ["cancel_reason: required when finish_type is 1"]),
    (cancelled(cancel_reason="误开门\n"), [f"cancel_reason: {CONTROL}"]),
    (cancelled(cancel_reason="误\x7f开门"), [f"cancel_reason: {CONTROL}"]),
    (cancelled(cancel_reason="误" * 31), ["cancel_reason: must have 1-30 characters, has 31"]),
    (cancelled(cancel_reason="误开门🚪"), [f"cancel_reason: {EMOJI}"]),
    (cancelled(cancel_reason="\ud800"), [f"cancel_reason: {EMOJI}"]),
    (cancelled(cancel_reason=7), ["cancel_reason: must be text, is a number"]),
    (cancelled(**{PLACE: "3号柜"}), [f"{PLACE}: forbidden when finish_type is 1"]),
    (cancelled(total_amount=1), ["total_amount: must be 0 or absent when finish_type is 1"]),
    (finished(**{PLACE: "柜" * 21}), [f"{PLACE}: must have 1-20 characters, has 21"]),
    (finished(**{START: "2026-01-01"}), [f"{START}: {TIME}"]),
    (finished(**{START: "202601010000"}), [f"{START}: {TIME}"]),
    (finished(**{START: 20260101}), [f"{START}: {TIME}"]),
    (finished(**{START: "２０２６０１０１"}), [f"{START}: {TIME}"]),
    (finished(**{START: "20260101\n"}), [f"{START}: {TIME}"]),
    (finished(**{START: "20260230"}), [f"{START}: is not a real date and time"]),
    (finished(**{START: "00000101"}), [f"{START}: is not a real date and time"]),
    (finished(**{START: "20260101240000"}), [f"{START}: is not a real date and time"]),
    (finished(**{END: "20260101235960"}), [f"{END}: is not a real date and time"]),
    (finished(**{END: "20260305121001"}), [f"{END}: must not be more than 10 minutes ahead (Asia/Shanghai)"]),
    (finished(**{END: "20260306"}), [f"{END}: must not be more than 10 minutes ahead (Asia/Shanghai)"]),
    (finished(**{END: "99991231"}), [f"{END}: must not be more than 10 minutes ahead (Asia/Shanghai)"]),
    (
        finished(**{START: "20260101000001", END: "20260101000000"}),
        [f"{END}: must not be before real_service_start_time"],
    ),
    (
        finished(**{START: "20260102", END: "20260101"}),
        [f"{END}: must not be before real_service_start_time"],
    ),
    (
        finished(**{START: "20260102000000", END: "20260101"}),
        [f"{END}: must not be before real_service_start_time"],
    ),
    (finished(fees={}), ["fees: must be a list, is an object"]),
    (
        finished(fees=[fee(fee_name=str(n), fee_amount=0) for n in range(101)]),
        ["fees: must have at most 100 entries, has 101"],
    ),
    (finished(fees=["可乐"]), ["fees[0]: must be an object, is text"]),
    (finished(fees=[[]]), ["fees[0]: must be an object, is a list"]),
    (finished(fees=[fee(fee_name=...)]), ["fees[0].fee_name: required"]),
    (finished(fees=[fee(fee_name="")]), ["fees[0].fee_name: must have 1-20 characters, has 0"]),
    (finished(fees=[fee(fee_name="  ")]), ["fees[0].fee_name: must not be only blanks"]),
    (finished(fees=[fee(fee_name="可\t乐")]), [f"fees[0].fee_name: {CONTROL}"]),
    (finished(fees=[fee(fee_name="可" * 21)]), ["fees[0].fee_name: must have 1-20 characters, has 21"]),
    (finished(fees=[fee(fee_name="酸奶🥛")]), [f"fees[0].fee_name: {EMOJI}"]),
    (finished(fees=[fee(), fee()], total_amount=600), [f"fees[1].fee_name: {UNIQUE}"]),
    (
        finished(fees=[1, fee(), fee()]),
        ["fees[0]: must be an object, is a number", f"fees[2].fee_name: {UNIQUE}"],
    ),
    (finished(fees=[fee(fee_count=0)]), ["fees[0].fee_count: must be from 1 to 100"]),
    (finished(fees=[fee(fee_count=101)]), ["fees[0].fee_count: must be from 1 to 100"]),
    (finished(fees=[fee(fee_amount=-1)]), [f"fees[0].fee_amount: must be from 0 to {LARGEST_AMOUNT}"]),
    (finished(fees=[fee(fee_amount=2**53)]), [f"fees[0].fee_amount: must be from 0 to {LARGEST_AMOUNT}"]),
    (finished(fees=[fee(fee_amount="300")]), ["fees[0].fee_amount: must be an integer, is text"]),
    (finished(fees=[fee(fee_amount=300.0)]), ["fees[0].fee_amount: must be an integer, is a fraction"]),
    (finished(fees=[fee(fee_amount=True)]), ["fees[0].fee_amount: must be an integer, is true or false"]),
    (finished(fees=[fee(fee_amount=...)]), [f"fees[0].fee_amount: {EITHER}"]),
    (
        finished(fees=[fee(fee_amount=..., fee_desc="描" * 31)]),
        ["fees[0].fee_desc: must have 1-30 characters, has 31"],
    ),
    (finished(fees=[fee(fee_amount=..., fee_desc="")]), [f"fees[0].fee_amount: {EITHER}"]),
    (finished(fees=[fee(price=1)], total_amount=300), ["fees[0].price: unknown field"]),
    (finished(discounts="立减"), ["discounts: must be a list, is text"]),
    (
        finished(order_api="smartretail-orders", **discounted(6)),
        ["discounts: must have at most 5 entries of different names, has 6"],
    ),
    (
        finished(order_api="payafter-orders", **discounted(6)),
        ["discounts: must have at most 5 entries of different names, has 6"],
    ),
    (
        finished(order_api="serviceorder", **discounted(31)),
        ["discounts: must have at most 30 entries of different names, has 31"],
    ),
    (finished(discounts=[None]), ["discounts[0]: must be an object, is null"]),
    (finished(discounts=[discount(discount_name=...)]), ["discounts[0].discount_name: required"]),
    (finished(discounts=[discount(discount_amount=...)]), ["discounts[0].discount_amount: required"]),
    (
        finished(discounts=[discount(discount_amount=0)]),
        [f"discounts[0].discount_amount: must be from 1 to {LARGEST_AMOUNT}"],
    ),
    (
        finished(discounts=[discount(discount_desc="描" * 31)]),
        ["discounts[0].discount_desc: must have 1-30 characters, has 31"],
    ),
    (
        finished(discounts=[discount(discount_name="立" * 21)]),
        ["discounts[0].discount_name: must have 1-20 characters, has 21"],
    ),
    (finished(total_amount=...), ["total_amount: required when finish_type is 2"]),
    (finished(total_amount=-1), [f"total_amount: must be from 0 to {LARGEST_AMOUNT}"]),
    (finished(total_amount=0.0), ["total_amount: must be an integer, is a fraction"]),
    (finished(total_amount=False), ["total_amount: must be an integer, is true or false"]),
    (
        finished(fees=[fee()], total_amount=299),
        ["total_amount: must be the sum of fees minus the sum of discounts, 300 - 0 = 300"],
    ),
    (
        finished(fees=[fee()], discounts=[discount()], total_amount=300),
        ["total_amount: must be the sum of fees minus the sum of discounts, 300 - 100 = 200"],
    ),
    (
        finished(discounts=[discount()], total_amount=0),
        ["total_amount: must be the sum of fees minus the sum of discounts, 0 - 100 = -100"],
    ),
    (finished(finish_ticket="t" * 513), ["finish_ticket: must have 1-512 characters, has 513"]),
    (finished(finish_ticket=["t"]), ["finish_ticket: must be text, is a list"]),
    (finished(profit_sharing="false"), ["profit_sharing: must be true or false, is text"]),
    (finished(profit_sharing=0), ["profit_sharing: must be true or false, is a number"]),
    (finished(metadata=[]), ["metadata: must be an object, is a list"]),
    (finished(metadata={"a": "a" * 4089}), ["metadata: must be at most 4096 bytes, is 4097"]),
    (finished(metadata={"a": "汉" * 1363}), ["metadata: must be at most 4096 bytes, is 4097"]),
    (finished(metadata={"a": float("nan")}), ["metadata: must be JSON in UTF-8"]),
    (finished(metadata={"a": "\udc00"}), ["metadata: must be JSON in UTF-8"]),
    (finished(order_api="smartretail"), [f"order_api: {API}"]),
    (finished(order_api=1), [f"order_api: {API}"]),
    (finished(order_api="serviceorder"), ["fees: must have an entry for serviceorder"]),
    (
        finished(order_api="serviceorder", fees=[fee(fee_amount=..., fee_desc="赠品")]),
        ["fees[0].fee_amount: required for serviceorder"],
    ),
    (finished(order_api="serviceorder", fees="cola"), ["fees: must be a list, is text"]),
    (finished(order_api="serviceorder", fees=["cola"]), ["fees[0]: must be an object, is text"]),
    (finished(goods_tag="标" * 33), ["goods_tag: must have 1-32 characters, has 33"]),
    (finished(device="SZ-3"), ["device: must be an object, is text"]),
    (finished(device={"start_device_id": 3}), ["device.start_device_id: must be text, is a number"]),
    *(
        (finished(device={name: "d" * 33}), [f"device.{name}: must have 1-32 characters, has 33"])
        for name in ("start_device_id", "end_device_id", "materiel_no")
    ),
    (finished(device={"id": "SZ-3"}), ["device.id: unknown field"]),
    (finished(discuonts=[discount()]), ["discuonts: unknown field"]),
    (finished(Mchid=MCHID), ["Mchid: unknown field"]),
    (finished(**{"a\nb": 1}), ["a\\nb: unknown field"]),
]


@pytest.mark.parametrize(
    ("event", "problems"), WRONG, ids=lambda value: str(value)[:90] if isinstance(value, list) else ""
)
def test_a_broken_rule_is_reported_under_its_field_and_alone(event: Event, problems: list[str]) -> None:
    assert problems_of(event) == problems


def test_a_fee_with_several_problems_has_each_reported() -> None:
    assert problems_of(finished(fees=[{"fee_name": 1}])) == [
        "fees[0].fee_name: must be text, is a number",
        "fees[0].fee_amount: required when there is no fee_desc",
    ]


@pytest.mark.parametrize("name", FIELDS)
def test_null_is_an_error_in_every_field(name: str) -> None:
    assert f"{name}: {NULL}" in problems_of(finished(**{name: None}))


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (None, "null"),
        ([], "a list"),
        ("event", "text"),
        (1, "a number"),
        (1.5, "a fraction"),
        (True, "true or false"),
    ],
)
def test_what_is_no_object_is_no_event(event: object, words: str) -> None:
    assert problems_of(event) == [f"(event): must be a JSON object, is {words}"]


def test_an_event_without_mchid_needs_a_default_merchant_of_the_stack() -> None:
    for event in (finished(), finished(mchid="")):
        with pytest.raises(
            MerchantMisconfigured, match="SR-1 names no mchid, and this stack has no DefaultMchid"
        ):
            order.parse(event, default_mchid="", now=NOW)
    assert problems_of(finished(total_amount=...), default_mchid="") == [
        "total_amount: required when finish_type is 2"
    ]
    assert problems_of(finished(mchid="x"), default_mchid="") == ["mchid: must be text of 1-32 digits"]
    assert order.parse(finished(mchid="19"), default_mchid="", now=NOW).mchid == "19"


def test_every_problem_is_reported_at_once() -> None:
    event = {
        "out_order_no": "a b",
        "finish_type": 2,
        "cancel_reason": "no",
        END: "20270101",
        PLACE: "柜" * 21,
        "fees": [{"fee_name": "", "fee_count": 0, "fee_amount": 1.5}, fee(), fee(fee_desc=1)],
        "discounts": [{}],
        "total_amount": "1",
        "finish_ticket": 1,
        "profit_sharing": 1,
        "metadata": 1,
        "unknown": 1,
    }
    paths = sorted(problem.partition(":")[0] for problem in problems_of(event))
    assert paths == sorted(
        [
            "out_order_no",
            "cancel_reason",
            END,
            PLACE,
            "fees[0].fee_name",
            "fees[0].fee_count",
            "fees[0].fee_amount",
            "fees[2].fee_name",
            "fees[2].fee_desc",
            "discounts[0].discount_name",
            "discounts[0].discount_amount",
            "total_amount",
            "finish_ticket",
            "profit_sharing",
            "metadata",
            "unknown",
        ]
    )


BOUNDARIES: list[Event] = [
    finished(),
    cancelled(),
    cancelled(total_amount=0),
    finished(out_order_no="-"),
    finished(out_order_no="|*_-" * 8),
    finished(mchid="1" * 32),
    finished(appid="azAZ09_-", service_id="AZ-_09az"),
    cancelled(cancel_reason="误"),
    cancelled(cancel_reason="误" * 30),
    finished(**{PLACE: "柜" * 20}),
    finished(**{END: "20260305120000"}),
    finished(**{END: "20260305"}),
    finished(**{END: "00010101"}),
    finished(**{START: "20260101120000", END: "20260101120000"}),
    finished(**{START: "20260101120000", END: "20260101"}),
    finished(**{START: "20260101", END: "20260101000000"}),
    finished(**{START: "20240229"}),
    finished(fees=[fee(fee_name=str(n), fee_amount=1) for n in range(100)], total_amount=100),
    finished(fees=[fee(fee_name="可" * 20, fee_count=100, fee_desc="描" * 30)], total_amount=300),
    finished(fees=[fee(fee_amount=0)]),
    finished(fees=[fee(fee_amount=..., fee_desc="赠品")]),
    finished(fees=[fee(fee_amount=LARGEST_AMOUNT)], total_amount=LARGEST_AMOUNT),
    finished(fees=[fee(), fee(fee_name="可乐 ")], total_amount=600),
    finished(**discounted(5)),
    finished(order_api="serviceorder", **discounted(30)),
    finished(order_api="serviceorder", fees=[fee()], total_amount=300),
    cancelled(order_api="serviceorder"),
    finished(order_api="payafter-orders"),
    finished(goods_tag="标" * 32, device={"start_device_id": "S", "end_device_id": "E", "materiel_no": "M"}),
    finished(finish_ticket="t"),
    finished(finish_ticket="t" * 512),
    finished(profit_sharing=True),
    finished(metadata={}),
    finished(metadata={"a": "a" * 4088}),
    finished(metadata={"表情": "🥤"}),
]


@pytest.mark.parametrize("event", BOUNDARIES, ids=lambda event: json.dumps(event, ensure_ascii=False)[:80])
def test_what_just_keeps_a_rule_is_accepted_and_sent_unchanged(event: Event) -> None:
    carried_unchanged(event)


GOODS = [
    {"fee_name": "商品信息", "fee_desc": "乌龙茶", "fee_count": 1, "fee_amount": 450},
    {"fee_name": "商品信息", "fee_desc": "薯片", "fee_count": 2, "fee_amount": 900},
]


def sent(event: Event) -> dict[str, Any]:
    return dict(parsed(event).parameters)


def test_goods_may_share_the_one_name_that_wechat_pay_prescribes() -> None:
    assert sent(finished(fees=GOODS, total_amount=1350))["fees"] == GOODS


@pytest.mark.parametrize("blank", ["", " ", "\u3000\t", "\u200b"], ids=ascii)
@pytest.mark.parametrize(
    "name", ["cancel_reason", START, END, PLACE, "finish_ticket", "mchid", "appid", "service_id", "order_api"]
)
def test_optional_text_that_is_blank_is_absent(name: str, blank: str) -> None:
    assert parsed(finished(**{name: blank})) == parsed(finished())


def test_blank_texts_inside_fees_discounts_and_device_are_absent() -> None:
    fees = [{"fee_name": "乌龙茶", "fee_desc": "", "fee_count": 1, "fee_amount": 450}]
    event = finished(fees=fees, discounts=[discount(discount_amount=1, discount_desc=" ")], total_amount=449)
    assert sent(event)["fees"] == [{"fee_name": "乌龙茶", "fee_count": 1, "fee_amount": 450}]
    assert sent(event)["discounts"] == [{"discount_name": "立减", "discount_amount": 1}]
    blank = finished(goods_tag="", device={"start_device_id": "", "end_device_id": "", "materiel_no": ""})
    assert sent(blank).keys().isdisjoint({"goods_tag", "device"})


def test_a_blank_end_location_does_not_forbid_a_cancellation() -> None:
    assert PLACE not in sent(cancelled(**{PLACE: ""}))


@pytest.mark.parametrize("amount", [{}, {"total_amount": 0}], ids=["absent", "0"])
def test_a_cancellation_sends_a_total_of_0_and_profit_sharing(amount: Event) -> None:
    expected = {"finish_type": 1, "cancel_reason": "误开门", "total_amount": 0, "profit_sharing": False}
    assert sent(cancelled(**amount)) == expected


def test_a_cancellation_sends_no_fees_because_they_would_not_add_up_to_0() -> None:
    assert sent(cancelled(fees=[fee()], discounts=[discount()])) == sent(cancelled())


def test_an_empty_list_is_not_sent() -> None:
    assert sent(finished(fees=[], discounts=[])) == sent(finished())


def test_fees_of_a_cancellation_need_not_add_up() -> None:
    assert sent(cancelled(fees=[fee()], total_amount=0)) == sent(cancelled())


def test_discounts_of_one_name_are_added_up_with_each_description_once() -> None:
    event = finished(
        fees=[fee(fee_amount=1000)],
        discounts=[
            discount(discount_desc="新客"),
            discount(discount_name="满减", discount_amount=50),
            discount(discount_amount=20, discount_desc="新客"),
            discount(discount_amount=3),
            discount(discount_amount=7, discount_desc="夜间"),
            discount(discount_amount=1, discount_desc="长" * 25),
            discount(discount_amount=9, discount_desc="周末"),
            discount(discount_amount=1, discount_desc="新客"),
            discount(discount_amount=1, discount_desc="满" * 21),
        ],
        total_amount=808,
    )
    assert sent(event)["discounts"] == [
        {"discount_name": "立减", "discount_amount": 142, "discount_desc": "新客；夜间；周末；" + "满" * 21},
        {"discount_name": "满减", "discount_amount": 50},
    ]


def test_discounts_of_one_name_count_once_towards_the_limit() -> None:
    event = finished(
        order_api="smartretail-orders", fees=[fee(fee_amount=600)], discounts=[discount()] * 6, total_amount=0
    )
    assert sent(event)["discounts"] == [{"discount_name": "立减", "discount_amount": 600}]


def credentials(**changes: Any) -> Credentials:
    return dataclasses.replace(parse_secret(json.dumps(secret()), MCHID), **changes)


@pytest.mark.parametrize(
    ("in_event", "in_secret", "order_api"),
    [
        ({}, None, "smartretail-orders"),
        ({}, "payafter-orders", "payafter-orders"),
        ({"order_api": "payafter-orders"}, None, "payafter-orders"),
        ({"order_api": "smartretail-orders"}, "payafter-orders", "smartretail-orders"),
        ({}, "serviceorder", "serviceorder"),
        ({"finish_ticket": "t"}, "serviceorder", "smartretail-orders"),
        ({"finish_ticket": "t"}, "payafter-orders", "payafter-orders"),
        ({"finish_ticket": "t", "order_api": "serviceorder"}, None, "serviceorder"),
    ],
)
def test_the_api_is_the_events_else_the_secrets_else_smart_retail(
    in_event: Event, in_secret: str | None, order_api: str
) -> None:
    event = finished(fees=[fee()], total_amount=300, **in_event)
    wanted = parsed(event)
    assert wanted.key(credentials(order_api=in_secret)).order_api == order_api


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({"appid": None}, "no appid"),
        ({"service_id": None}, "no service_id"),
        ({"appid": None, "service_id": None}, "no appid and service_id"),
    ],
)
def test_an_identifier_that_nobody_gives_is_named(changes: dict[str, None], lacks: str) -> None:
    wanted = parsed(finished())
    number = wanted.out_order_no
    with pytest.raises(MerchantMisconfigured) as raised:
        wanted.key(credentials(**changes))
    assert str(raised.value) == f"secret of merchant {MCHID}: has {lacks}, and {number} names none either"


def test_an_order_may_be_of_every_family_that_its_event_does_not_exclude() -> None:
    def families(**changes: Any) -> list[str]:
        wanted = parsed(finished(**changes))
        key = wanted.key(credentials())
        keys = wanted.keys(key)
        assert all(each == key._replace(order_api=each.order_api) for each in keys)
        assert (key.mchid, key.out_order_no) == (MCHID, wanted.out_order_no)
        return [each.order_api for each in keys]

    assert families() == ["smartretail-orders", "payafter-orders", "serviceorder"]
    assert families(finish_ticket="t") == ["smartretail-orders", "payafter-orders"]
    assert families(order_api="payafter-orders") == ["payafter-orders"]


def test_serviceorder_gets_fees_as_goods_only_of_unmanned_retail() -> None:
    wanted = parsed(finished(fees=[fee()], total_amount=300))
    sent_to = wanted.parameters_for
    assert sent_to("smartretail-orders", unmanned_retail=True) == wanted.parameters
    assert sent_to("serviceorder", unmanned_retail=False) == wanted.parameters
    assert [each["fee_name"] for each in sent_to("serviceorder", unmanned_retail=True)["fees"]] == [
        "商品信息"
    ]
    free = parsed(cancelled())
    assert free.parameters_for("serviceorder", unmanned_retail=True) == free.parameters


def test_parameters_that_a_family_does_not_take_are_an_invalid_order() -> None:
    wanted = parsed(finished(fees=[], total_amount=0))
    with pytest.raises(InvalidOrder) as raised:
        wanted.parameters_for("serviceorder", unmanned_retail=False)
    assert raised.value.problems == ["fees: must have an entry for serviceorder"]
    assert raised.value.wanted is wanted


def test_goods_without_a_description_are_refused_of_unmanned_retail_only() -> None:
    goods = fee(fee_name="商品信息", fee_desc=...)
    wanted = parsed(finished(fees=[goods], total_amount=300))
    assert wanted.parameters_for("serviceorder", unmanned_retail=False) == wanted.parameters
    with pytest.raises(InvalidOrder):
        wanted.parameters_for("serviceorder", unmanned_retail=True)


@pytest.mark.parametrize(
    ("metadata", "rounded"),
    [
        ({}, False),
        ({"id": 2**53 - 1, "text": str(2**60), "ratio": 0.5, "flag": True}, False),
        ({"id": 2**53}, True),
        ({"id": -(2**53)}, True),
        ({"ids": [1, {"id": 2.0**63}]}, True),
        ({"id": 2**53, "ids": [1]}, True),
    ],
)
def test_metadata_that_step_functions_rounds_is_marked_and_taken(metadata: Event, rounded: bool) -> None:
    wanted = parsed(finished(metadata=metadata))
    assert wanted.metadata_rounded is rounded


# The end of the order


@pytest.mark.parametrize(
    ("end", "ready_at"),
    [
        ("20260305120000", None),
        ("20260305120003", datetime(2026, 3, 5, 4, 0, 3, tzinfo=UTC)),
        ("20260305121000", datetime(2026, 3, 5, 4, 10, tzinfo=UTC)),
        ("20260305", None),
    ],
)
def test_an_end_up_to_10_minutes_ahead_is_waited_for(end: str, ready_at: datetime | None) -> None:
    wanted = parsed(finished(**{END: end}))
    assert wanted.ready_at == ready_at
    assert wanted.parameters[END] == end


def test_tomorrow_is_waited_for_in_the_last_10_minutes_of_today() -> None:
    midnight = datetime(2026, 3, 5, 16, tzinfo=UTC)
    tomorrow = finished(**{END: "20260306"})
    wanted = parsed(tomorrow, now=midnight - timedelta(minutes=10))
    assert wanted.ready_at == midnight
    with pytest.raises(InvalidOrder, match="must not be more than 10 minutes ahead"):
        parsed(tomorrow, now=midnight - timedelta(minutes=10, seconds=1))


# What an invalid event asks for


def wanted_by(event: object, default_mchid: str = MCHID) -> order.Wanted | None:
    with pytest.raises(InvalidOrder) as raised:
        order.parse(event, default_mchid=default_mchid, now=NOW)
    return raised.value.wanted


def test_an_invalid_event_still_says_which_order_and_how_much() -> None:
    event = finished(
        order_api="payafter-orders",
        appid="wx d",
        service_id="500001",
        fees=[fee(fee_count=0)],
        total_amount=300,
        metadata={"cabinet": "3号"},
        unknown=1,
    )
    wanted = wanted_by(event)
    assert wanted is not None
    assert (wanted.out_order_no, wanted.mchid, wanted.order_api) == ("SR-1", MCHID, "payafter-orders")
    assert (wanted.appid, wanted.service_id) == (None, "500001")
    assert (wanted.finish_type, wanted.total_amount, wanted.metadata) == (2, 300, {"cabinet": "3号"})
    key = wanted.key(credentials())
    assert (key.appid, key.service_id, key.order_api) == ("wxd678efh567hg6787", "500001", "payafter-orders")


def test_an_invalid_cancellation_wants_nothing_charged() -> None:
    for event in (cancelled(total_amount=5), cancelled(unknown=1)):
        wanted = wanted_by(event)
        assert wanted is not None
        assert (wanted.finish_type, wanted.total_amount) == (1, 0)


@pytest.mark.parametrize(
    "event",
    [
        None,
        finished(out_order_no="A/B"),
        finished(mchid="x"),
        finished(finish_type=3),
        finished(total_amount="0"),
        finished(total_amount=...),
    ],
    ids=lambda event: json.dumps(event, ensure_ascii=False)[:60],
)
def test_an_event_without_order_or_amount_wants_nothing(event: object) -> None:
    assert wanted_by(event) is None


def test_an_invalid_event_without_a_merchant_wants_nothing() -> None:
    assert wanted_by(finished(unknown=1), default_mchid="") is None


OUTSIDE = {
    *("out_order_no", "mchid", "order_api", "appid", "service_id", "finish_ticket"),
    "metadata",
}


def carried_unchanged(event: Event) -> None:
    wanted = parsed(event)
    inside = {name: value for name, value in event.items() if name not in OUTSIDE}
    assert wanted.parameters == {"profit_sharing": False, "total_amount": 0, **inside}
    assert (wanted.out_order_no, wanted.mchid) == (event["out_order_no"], event.get("mchid", MCHID))
    assert (wanted.appid, wanted.service_id) == (event.get("appid"), event.get("service_id"))
    assert (wanted.finish_ticket, wanted.metadata) == (event.get("finish_ticket"), event.get("metadata", {}))
    assert (wanted.finish_type, wanted.total_amount) == (event["finish_type"], event.get("total_amount", 0))
    assert wanted.order_api == event.get("order_api")


@given(valid_events())
def test_every_valid_event_parses_with_its_parameters_unchanged(event: Event) -> None:
    carried_unchanged(event)


def outcome_of(event: object) -> order.Order | list[str]:
    try:
        return parsed(event)
    except InvalidOrder as exc:
        return exc.problems


@given(arbitrary_events)
def test_no_event_at_all_raises_anything_but_invalid_order(event: object) -> None:
    outcome = outcome_of(event)
    if isinstance(outcome, list):
        assert outcome
        assert all(": " in problem for problem in outcome)
        json.dumps(outcome, ensure_ascii=False).encode()
    else:
        json.dumps(outcome.parameters, ensure_ascii=False, allow_nan=False).encode()


def test_metadata_nested_beyond_reason_is_a_problem_and_not_a_crash() -> None:
    nested: dict[str, Any] = {}
    for _ in range(100_000):
        nested = {"a": nested}
    [problem] = problems_of(finished(metadata=nested))
    assert problem.startswith("metadata: ")


def test_metadata_of_4_kib_is_taken_however_deep_it_is() -> None:
    nested: Any = 2**53
    for _ in range(2000):
        nested = [nested]
    wanted = parsed(finished(metadata={"a": nested}))
    assert wanted.metadata_rounded


def test_the_largest_amount_is_the_last_that_double_precision_counts_to() -> None:
    assert LARGEST_AMOUNT == 9_007_199_254_740_991


def test_an_order_shows_no_ticket() -> None:
    wanted = parsed(finished(finish_ticket="opaque-ticket"))
    assert "opaque-ticket" not in repr(wanted)


def test_an_order_cannot_be_changed_after_it_was_checked() -> None:
    for checked in (parsed(finished()), wanted_by(finished(unknown=1))):
        assert checked is not None
        with pytest.raises(FrozenInstanceError):
            checked.total_amount = 1  # type: ignore[misc]
