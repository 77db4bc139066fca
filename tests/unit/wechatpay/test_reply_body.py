import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict
from wechatpay.errors import Problem
from wechatpay.redaction import encodings
from wechatpay.reply_body import Malformed, json_object, problem_of, request_id
from wechatpay.transport import Reply


def reply(body: bytes, status: int = 400, **headers: str) -> Reply:
    return Reply(status, CaseInsensitiveDict({n.replace("_", "-"): v for n, v in headers.items()}), body)


def test_an_object_is_decoded_with_its_chinese_and_its_integers() -> None:
    assert json_object('{"message":"可乐","total_amount":1200}'.encode()) == {
        "message": "可乐",
        "total_amount": 1200,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<xml>OK</xml>",
        b"\xff",
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b"[]",
        b"null",
        b"1",
        b'"text"',
        b'{"a":1} x',
        b'{"a":1,}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"out_order_no":"A","out_order_no":"B"}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":"\\ud800"}',
        b'{"a":' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_what_is_not_one_well_formed_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        json_object(body)


def test_a_problem_holds_code_message_detail_and_request_id() -> None:
    body = json.dumps({"code": "PARAM_ERROR", "message": "参数错误", "detail": {"field": "/fees"}}).encode()
    assert problem_of(reply(body, Request_ID="08-271316598"), "") == Problem(
        400, "PARAM_ERROR", "参数错误", '{"field": "/fees"}', "08-271316598", verified=True
    )


def test_why_a_reply_is_not_proven_stands_beside_its_message() -> None:
    problem = problem_of(reply(b'{"message":"m"}'), "Wechatpay-Serial is unknown")
    assert problem.message == "m; Wechatpay-Serial is unknown"
    assert not problem.verified


def test_an_html_body_never_hides_the_status() -> None:
    page = b"<html>502 Bad Gateway</html>"
    problem = problem_of(reply(page, 502, Content_Type="text/html"), "Wechatpay-Timestamp is missing")
    assert problem.status == 502
    assert problem.message == (
        "the body is not well-formed JSON (text/html, 28 bytes); Wechatpay-Timestamp is missing"
    )
    assert "Bad Gateway" not in str(problem)


def test_an_empty_body_is_no_complaint() -> None:
    assert problem_of(reply(b"", 204), "") == Problem(204, verified=True)


def test_a_body_without_a_content_type_is_described() -> None:
    assert (
        problem_of(reply(b"x"), "").message == "the body is not well-formed JSON (no content type, 1 bytes)"
    )


def test_detail_keeps_what_explains_and_never_the_value_that_was_sent() -> None:
    detail = {"field": "finish_ticket", "value": "T1", "issue": "wrong", "sign_information": {"x": 1}}
    problem = problem_of(reply(json.dumps({"detail": detail}).encode()), "")
    assert problem.detail == '{"field": "finish_ticket", "issue": "wrong"}'
    assert problem_of(reply(b'{"detail":{"value":"T1"}}'), "").detail == ""


@pytest.mark.parametrize(
    ("detail", "text"),
    [(None, ""), ("words", "words"), (["a"], '["a"]'), (7, "7"), ({}, ""), (False, "false")],
)
def test_detail_of_any_type_becomes_text(detail: object, text: str) -> None:
    assert problem_of(reply(json.dumps({"detail": detail}).encode()), "").detail == text


def test_long_opaque_words_are_not_repeated() -> None:
    for opaque in ("A" * 40, "aB3+/=_-" * 8):
        message = json.dumps({"code": opaque, "message": f"ticket {opaque} wrong"}).encode()
        problem = problem_of(reply(message), "")
        assert problem.message == "ticket *** wrong"
        assert problem.code == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("用户 oUpF8uMuAJO_M2pxb1Q9zNjWeS6o 无效", "用户 *** 无效"),
        ("手机号13800138000无效", "手机号***无效"),
        ("手机号 138-0013-8000 或 138 0013 8001", "手机号 *** 或 ***"),
        ("real_service_end_location 不能为空", "real_service_end_location 不能为空"),
        ("FREQUENCY_LIMIT_EXCEED", "FREQUENCY_LIMIT_EXCEED"),
        ("平台证书序列号Wechatpay-Serial错误", "平台证书序列号Wechatpay-Serial错误"),
        ("金额1200超过100000", "金额1200超过100000"),
    ],
)
def test_what_names_a_person_is_masked_and_what_explains_stays(text: str, shown: str) -> None:
    body = json.dumps({"message": text, "detail": {"field": "/fees/1/fee_amount", "issue": text}})
    problem = problem_of(reply(body.encode()), "")
    assert problem.message == shown
    assert problem.detail == json.dumps({"field": "/fees/1/fee_amount", "issue": shown}, ensure_ascii=False)


TICKETS = [
    "T-short",
    'quote"back\\slash',
    "t.kt-0123456789-ABCDEFGHIJKLM",
    "eyJhbGciOiJIUzI1NiIsInR5cCI.c2lnbmVkLXBheWxvYWQ.b3BhcXVlLXNpZ25hdHVyZQ",
    "LOOKS_LIKE_A_CODE_0123456789",
    "票据" * 20,
]


@pytest.mark.parametrize("ticket", TICKETS)
@pytest.mark.parametrize("before", ["", "finish_ticket=", "错" * 505, "A" * 39, "=" * 500])
def test_no_piece_of_a_secret_comes_back_out_however_it_is_quoted(ticket: str, before: str) -> None:
    quoted = f"{before}{ticket}无效"
    body = {"code": ticket, "message": quoted, "detail": {"issue": quoted, "description": [ticket]}}
    problem = problem_of(reply(json.dumps(body).encode()), "", [ticket])
    pieces = [ticket[at : at + 8] for at in range(max(len(ticket) - 7, 1))]
    assert not [piece for piece in pieces if piece in str(problem)]


@pytest.mark.parametrize("form", sorted(encodings(TICKETS[2])) + sorted(encodings(TICKETS[5])))
@pytest.mark.parametrize("around", ["{}", "ticket={}&x=1", "凭证{}无效"])
def test_no_piece_of_a_secret_comes_back_out_in_any_encoding(form: str, around: str) -> None:
    for quoted in (form, form[:15], form[-15:], form.upper()):
        body = {"message": around.format(quoted), "detail": {"issue": around.format(quoted)}}
        problem = problem_of(reply(json.dumps(body).encode()), "", [TICKETS[2], TICKETS[5]])
        pieces = [quoted[at : at + 12] for at in range(len(quoted) - 11)]
        assert not [piece for piece in pieces if piece in str(problem)]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("PARAM_ERROR", "PARAM_ERROR"),
        ("param error", ""),
        ("A" * 65, ""),
        (None, ""),
        ("OK\n", ""),
    ],
)
def test_a_code_is_what_looks_like_one_of_wechat_pays(given: object, code: str) -> None:
    assert problem_of(reply(json.dumps({"code": given}).encode()), "").code == code


@pytest.mark.parametrize("given", ["404", 404, "_", "not_found", "E404-1"])
def test_a_number_or_no_capital_letter_is_the_code_of_a_gateway(given: object) -> None:
    assert problem_of(reply(json.dumps({"code": given}).encode()), "").code == ""


def test_texts_and_ids_are_cut_to_a_sane_length() -> None:
    problem = problem_of(reply(json.dumps({"message": "错" * 9999}).encode(), Request_ID="1" * 9999), "")
    assert problem.message == "错" * 512
    assert problem.request_id == "1" * 128
    assert request_id(reply(b"", Request_ID="1" * 9999)) == "1" * 128
    assert request_id(reply(b"")) == ""


def test_a_long_content_type_is_cut() -> None:
    assert len(problem_of(reply(b"x", Content_Type="a b" * 9999), "").message) < 128


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
named = st.dictionaries(st.sampled_from(["code", "message", "detail", "field"]), values)
bodies = (
    st.binary(max_size=120)
    | st.text(max_size=120).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | (values | named).map(lambda value: json.dumps(value).encode())
)


@given(body=bodies)
def test_any_body_is_an_object_that_can_be_sent_on_or_malformed(body: bytes) -> None:
    try:
        parsed = json_object(body)
    except Malformed:
        return
    json.dumps(parsed, ensure_ascii=False).encode()


@given(
    body=bodies,
    status=st.integers(100, 999),
    header=st.text(max_size=300),
    unproven=st.sampled_from(["", "w"]),
)
def test_any_reply_is_a_bounded_problem_with_its_status(
    body: bytes, status: int, header: str, unproven: str
) -> None:
    problem = problem_of(reply(body, status, Content_Type=header, Request_ID=header), unproven)
    assert problem.status == status
    assert problem.verified is (unproven == "")
    assert len(str(problem)) < 2500
    assert str(problem).encode("utf-8", "surrogatepass")
    assert problem.internal_code.isdigit() or problem.internal_code == ""
