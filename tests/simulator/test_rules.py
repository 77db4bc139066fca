"""Documented rules, documented codes: every refusal names the field at fault."""

import json

import pytest

DROP = ...


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"finish_ticket": DROP}, "/finish_ticket"),
        ({"appid": DROP}, "/appid"),
        ({"service_id": DROP}, "/service_id"),
        ({"finish_type": DROP}, "/finish_type"),
        ({"finish_type": 3}, "/finish_type"),
        ({"finish_type": True}, "/finish_type"),
        ({"total_amount": DROP}, "/total_amount"),
        ({"total_amount": 1199}, "/total_amount"),
        ({"total_amount": 1201}, "/total_amount"),
        ({"total_amount": 1200.0}, "/total_amount"),
        ({"total_amount": "1200"}, "/total_amount"),
        ({"total_amount": -1}, "/total_amount"),
        ({"total_amount": 2**80}, "/total_amount"),
        ({"out_order_no": "A"}, "/out_order_no"),
        ({"discount": []}, "/discount"),
        ({"profit_sharing": "false"}, "/profit_sharing"),
        ({"cancel_reason": "不买了"}, "/cancel_reason"),
        ({"real_service_end_location": "路" * 21}, "/real_service_end_location"),
        ({"real_service_end_location": "店😀"}, "/real_service_end_location"),
        ({"real_service_end_location": ""}, "/real_service_end_location"),
        ({"real_service_end_location": None}, "/real_service_end_location"),
        ({"real_service_end_time": "2024060110200"}, "/real_service_end_time"),
        ({"real_service_end_time": "20240230"}, "/real_service_end_time"),
        ({"real_service_start_time": "OnAccept"}, "/real_service_start_time"),
        ({"fees": {}}, "/fees"),
        ({"fees": ["可乐"]}, "/fees/0"),
        ({"fees": [{"fee_amount": 1300}]}, "/fees/0/fee_name"),
        ({"fees": [{"fee_name": "可" * 21, "fee_amount": 1300}]}, "/fees/0/fee_name"),
        ({"fees": [{"fee_name": "可乐"}]}, "/fees/0"),
        ({"fees": [{"fee_name": "可乐", "fee_amount": 650}] * 2}, "/fees"),
        ({"fees": [{"fee_name": "可乐", "fee_amount": 1300, "fee_count": 101}]}, "/fees/0/fee_count"),
        ({"fees": [{"fee_name": "可乐", "fee_amount": 1300, "fee_desc": "描" * 31}]}, "/fees/0/fee_desc"),
        ({"fees": [{"fee_name": f"费{i}", "fee_amount": 0} for i in range(101)]}, "/fees"),
        ({"discounts": [{"discount_name": "减", "discount_amount": 0}]}, "/discounts/0/discount_amount"),
        ({"discounts": [{"discount_name": "减"}]}, "/discounts/0/discount_amount"),
        ({"discounts": [{"discount_name": f"减{i}", "discount_amount": 1} for i in range(6)]}, "/discounts"),
        ({"finish_ticket": "t" * 513}, "/finish_ticket"),
        ({"appid": "wx0000000000000000"}, "/appid"),
        ({"service_id": "500002"}, "/service_id"),
    ],
    ids=lambda value: json.dumps(value, default=str, ensure_ascii=True)[:60],
)
def test_a_completion_that_breaks_a_rule_is_a_param_error(sim, merchant, opened, ticket, changes, field):
    reply = merchant.complete(opened, merchant.body(ticket, **changes))
    assert (reply.status_code, reply.json()["code"]) == (400, "PARAM_ERROR")
    assert reply.json()["detail"]["field"] == field
    assert sim.order(opened)["state"] == "USER_ACCEPTED"
    merchant.verify(reply)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"finish_type":2,"finish_type":2}',
        b'{"total_amount":NaN}',
        b'{"appid":"\xff"}',
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_is_no_proper_json_object_is_a_param_error(merchant, opened, body):
    reply = merchant.complete(opened, body)
    assert (reply.status_code, reply.json()["code"]) == (400, "PARAM_ERROR")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cancel_reason": DROP}, "/cancel_reason"),
        ({"cancel_reason": "因" * 31}, "/cancel_reason"),
        ({"total_amount": 1}, "/total_amount"),
        ({"total_amount": DROP}, "/total_amount"),
        ({"profit_sharing": DROP}, "/profit_sharing"),
        ({"real_service_end_location": "店"}, "/real_service_end_location"),
    ],
    ids=str,
)
def test_a_cancellation_has_rules_of_its_own(merchant, opened, ticket, changes, field):
    cancelled = dict.fromkeys(("fees", "discounts", "real_service_end_location"), DROP)
    cancelled |= {"finish_type": 1, "cancel_reason": "未取货", "total_amount": 0}
    document = merchant.body(ticket, **cancelled | changes)
    reply = merchant.complete(opened, document)
    assert reply.status_code == 400
    assert reply.json()["detail"]["field"] == field


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "*/*"},
        {"Accept": None},
        {"User-Agent": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": None},
    ],
    ids=str,
)
def test_the_required_headers_are_required(merchant, opened, ticket, headers):
    body = json.dumps(merchant.body(ticket)).encode()
    target = merchant.target(opened)
    reply = merchant.send("POST", target, body, headers=merchant.headers("POST", target, body) | headers)
    assert reply.status_code == 400
    assert reply.json()["detail"]["location"] == "header"


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"service_id": DROP}, 400, "service_id"),
        ({"appid": DROP}, 400, "appid"),
        ({"appid": ""}, 400, "appid"),
        ({"out_order_no": "a b"}, 400, "out_order_no"),
        ({"mchid": "1900000001"}, 400, "mchid"),
        ({"appid": "wx0000000000000000"}, 404, None),
        ({"service_id": "500002"}, 404, None),
        ({"out_order_no": "NOBODYS"}, 404, None),
    ],
    ids=str,
)
def test_a_query_names_the_order_the_service_and_the_app(
    merchant, opened, internal_code, changes, status, field
):
    reply = merchant.query(opened, **changes)
    assert reply.status_code == status
    if status == 404:
        assert (reply.json()["code"], internal_code(reply)) == ("ORDER_NOT_EXIST", "271317510")
    else:
        assert reply.json()["detail"]["field"] == field
    merchant.verify(reply)


def test_an_unknown_order_cannot_be_completed(merchant, internal_code):
    reply = merchant.complete("NOBODYS", merchant.body("t"))
    assert (reply.status_code, reply.json()["code"], internal_code(reply)) == (
        404,
        "ORDER_NOT_EXIST",
        "271317510",
    )


def test_an_unknown_path_does_not_exist(merchant):
    assert merchant.send("GET", "/v3/pay/transactions/native").status_code == 404
