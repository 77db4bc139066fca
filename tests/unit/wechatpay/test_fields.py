from typing import Any

import pytest
from wechatpay.fields import Entries, FieldRule, Fields, Object
from wechatpay.forms import Flag, Integer, Matching, OneOf, Text, Time, kind

NAME = FieldRule("name", Text(3), "D: for a test")
PART = Object((FieldRule("size", Integer(1, 2), "D: for a test"),))
LIST = FieldRule(
    "list", Entries(Object((NAME, FieldRule("parts", Entries(PART, 2), "D: for a test")))), "D: for a test"
)


def problems(document: dict[str, Any], *rules: FieldRule) -> list[str]:
    fields = Fields(document)
    fields.read(rules)
    fields.refuse_unknown(rules)
    return fields.problems


def test_problems_of_entries_stand_under_their_full_path() -> None:
    document = {"list": [{"name": "abcd"}, {"parts": [{"odd": 1}, 3]}, {"parts": [{}, {}, {}]}]}
    assert problems(document, LIST) == [
        "list[0].name: must have 1-3 characters, has 4",
        "list[1].parts[0].odd: unknown field",
        "list[1].parts[1]: must be an object, is a number",
        "list[2].parts: must have at most 2 entries, has 3",
    ]


def test_an_entry_that_is_no_object_leaves_its_place_empty() -> None:
    assert Fields({"list": [7, {"name": "a"}]}).read([LIST]) == {"list": [None, {"name": "a"}]}


def test_a_field_is_broken_when_it_or_anything_inside_has_a_problem() -> None:
    fields = Fields({})
    fields.wrong("fees[3].fee_name", "must be unique")
    assert fields.broken("fees")
    assert fields.broken("fees[3]")
    assert fields.broken("discounts", "fees")
    assert not fields.broken("fee", "discounts", "fees[31]")
    assert not fields.broken()


def test_a_name_is_shown_short_and_printable() -> None:
    assert problems({"\ud800" + "x" * 100: 1, "a\x00\n": 2}) == [
        "\\ud800" + "x" * 58 + ": unknown field",
        "a\\x00\\n: unknown field",
    ]


TEXTUAL = [
    Text(3),
    Matching("a", "a"),
    OneOf(("a", "b")),
    Time(),
]


@pytest.mark.parametrize("form", TEXTUAL, ids=lambda form: type(form).__name__)
@pytest.mark.parametrize(
    "blank", ["", " ", "\u3000", "\u200b\ufeff", "\n", "\u202e\u2066", "\u00ad\u3164\u2800\ufe0f"], ids=ascii
)
def test_blank_text_is_absent_where_it_is_optional_and_only_there(form: Any, blank: str) -> None:
    optional, required = (FieldRule("x", form, "D: for a test", required=each) for each in (False, True))
    assert Fields({"x": blank}).read([optional]) == {}
    assert problems({"x": blank}, optional) == []
    assert len(problems({"x": blank}, required)) == 1


@pytest.mark.parametrize(
    "form", [Integer(0, 9), Flag(), Object(()), Entries(Object(()))], ids=lambda form: type(form).__name__
)
def test_blank_text_is_no_amount_no_flag_no_object_and_no_list(form: Any) -> None:
    assert len(problems({"x": ""}, FieldRule("x", form, "D: for a test"))) == 1


def test_null_is_a_problem_and_not_absent() -> None:
    for required in (False, True):
        rule = FieldRule("x", Text(3), "D: for a test", required=required)
        assert problems({"x": None}, rule) == ["x: must not be null; leave it out"]


def test_null_and_blank_are_absent_where_the_object_is_edited_by_hand() -> None:
    rules = [FieldRule(name, form, "D: for a test") for name, form in (("a", Flag()), ("b", Text(3)))]
    for value in (None, "", " "):
        fields = Fields({"a": value, "b": value}, blanks_are_absent=True)
        assert (fields.read(rules), fields.problems) == ({}, [])
    fields = Fields({"x": None, "y": ""}, blanks_are_absent=True)
    fields.read([FieldRule(name, Text(3), "D: for a test", required=True) for name in "xy"])
    assert fields.problems == ["x: required", "y: must have 1-3 characters, has 0"]


@pytest.mark.parametrize("character", ["\x00", "\n", "\t", "\x1f", "\x7f", "\x85", "\x9f"], ids=ascii)
def test_text_has_no_control_characters(character: str) -> None:
    rule = "must not have control characters (such as line breaks)"
    assert problems({"name": f"a{character}"}, NAME) == [f"name: {rule}"]


@pytest.mark.parametrize("character", ["\U00010000", "😀", "\ud800"], ids=ascii)
def test_text_has_no_characters_of_four_bytes(character: str) -> None:
    assert problems({"name": character}, NAME)[0].startswith("name: must be UTF-8 without 4-byte characters")


def test_text_counts_characters_and_not_bytes() -> None:
    assert problems({"name": "汉字表"}, NAME) == []


def test_a_day_lasts_from_its_first_to_its_last_second_in_shanghai() -> None:
    day = Time().read("20260305")
    assert day.earliest.isoformat() == "2026-03-05T00:00:00+08:00"
    assert day.latest.isoformat() == "2026-03-05T23:59:59+08:00"
    with pytest.raises(AttributeError):
        day.text = "20260306"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "true or false"),
        (1, "a number"),
        (1.0, "a fraction"),
        ("1", "text"),
        ({}, "an object"),
        ([], "a list"),
    ],
)
def test_a_value_is_called_what_json_calls_it(value: object, words: str) -> None:
    assert kind(value) == words
