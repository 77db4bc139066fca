from dataclasses import FrozenInstanceError

import pytest
from complete_order.fields import Fields, kind


def test_problems_of_entries_stand_under_their_full_path() -> None:
    def read(entry: Fields) -> dict[str, object]:
        return {"name": entry.text("name", 1, 3), "parts": entry.entries("parts", 2, lambda part: {})}

    form = Fields({"list": [{"name": "abcd"}, {"parts": [{}, {"odd": 1}, 3][1:]}]})
    form.entries("list", 2, read)
    assert form.problems == [
        "list[0].name: must have 1-3 characters, has 4",
        "list[1].parts[0].odd: unknown field",
        "list[1].parts[1]: must be an object, is a number",
    ]


def test_a_field_is_broken_when_it_or_anything_inside_has_a_problem() -> None:
    form = Fields({})
    form.wrong("fees[3].fee_name", "must be unique")
    assert form.broken("fees")
    assert form.broken("discounts", "fees")
    assert not form.broken("fee", "discounts")


def test_what_was_looked_at_is_known_and_all_else_is_not() -> None:
    form = Fields({"a": 1, "b": 2, "c": 3})
    form.take("a")
    form.forbid("b", "forbidden")
    form.refuse_unknown()
    assert form.problems == ["b: forbidden", "b: unknown field", "c: unknown field"]


def test_a_name_is_shown_short_and_printable() -> None:
    form = Fields({"\ud800" + "x" * 100: 1, "a\x00\n": 2})
    form.refuse_unknown()
    assert form.problems == ["\\ud800" + "x" * 58 + ": unknown field", "a\\x00\\n: unknown field"]


def test_a_day_lasts_from_its_first_to_its_last_second_in_shanghai() -> None:
    day = Fields({"at": "20260305"}).time("at")
    assert day is not None
    assert day.earliest.isoformat() == "2026-03-05T00:00:00+08:00"
    assert day.latest.isoformat() == "2026-03-05T23:59:59+08:00"
    with pytest.raises(FrozenInstanceError):
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
