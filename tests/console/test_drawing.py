"""The workflow's picture and the sums, as pure functions."""

from datetime import timedelta

import pytest

from console import diagram, rows
from console.charts import bars
from console.language import Words, preferred
from console.words import WORDS
from life import Standing, life_of
from tests.life.histories import BEGAN, History
from tools import workflow

DEFINITION = workflow.definition()


def test_every_state_and_every_way_of_the_definition_is_drawn() -> None:
    drawn = diagram.draw(DEFINITION, (), "title", {})
    for name in DEFINITION["States"]:
        assert f">{name}</text>" in drawn
    assert drawn.count('<path class="way"') == len(diagram.edges(DEFINITION))
    assert ("Payment", "AwaitPayment") in diagram.edges(DEFINITION)
    caught = [
        (name, each["Next"])
        for name, state in DEFINITION["States"].items()
        for each in state.get("Catch", ())
    ]
    assert caught
    assert set(caught) <= set(diagram.edges(DEFINITION))


def test_no_two_states_are_drawn_at_one_place() -> None:
    drawn = diagram.draw(DEFINITION, (), "title", {})
    boxes = [part.split(' width="')[0] for part in drawn.split("<rect")[1:]]
    assert len(set(boxes)) == len(DEFINITION["States"])


def test_only_the_path_taken_is_lit() -> None:
    (run,) = life_of("A|1*", [History().paid().execution()]).runs
    drawn = diagram.draw(DEFINITION, run.steps, "title", {"ServiceEnded": "2x"})
    assert drawn.count('<g class="state lit"') == len({step.name for step in run.steps})
    assert ">2x</text>" in drawn


def test_the_state_an_order_is_in_stands_out() -> None:
    (run,) = life_of("A|1*", [History().enter("ServiceEnded").scheduled().execution("RUNNING")]).runs
    assert diagram.draw(DEFINITION, run.steps, "title", {}).count('<g class="state now"') == 1


@pytest.mark.parametrize("definition", [{}, {"StartAt": "A", "States": {"A": {"Next": "A"}}}])
def test_any_definition_can_be_drawn(definition: dict[str, object]) -> None:
    diagram.draw(definition, (), "title", {})


def test_names_in_a_picture_are_escaped() -> None:
    assert "<b>" not in diagram.draw({"States": {"<b>": {}}}, (), "<b>", {"<b>": "<b>"})
    assert "<b>" not in bars("<b>", [("<b>", 1, "settled")])


def test_orders_add_up_by_where_they_stand() -> None:
    paid = [
        life_of(str(each), [History().paid().execution(ended=BEGAN + timedelta(seconds=seconds))])
        for each, seconds in enumerate((5, 30, 4000))
    ]
    running = life_of("r", [History().enter("ServiceEnded").execution("RUNNING")])
    totals = rows.totals([rows.row_of(each) for each in [*paid, running]])
    assert totals.orders == {Standing.PAID: 3, Standing.COMPLETING: 1}
    assert totals.fen[Standing.PAID] == 900
    assert dict(totals.paid_within) == {"10 s": 1, "1 min": 1, "10 min": 0, "1 h": 0, "1 d": 1, "> 1 d": 0}


def test_every_word_is_there_in_both_languages() -> None:
    for english, chinese in [*WORDS.values(), *(each.value for each in Standing)]:
        assert english
        assert chinese
    for name, (english, chinese) in WORDS.items():
        assert english.count("{") == chinese.count("{"), name
    assert Words("zh")("orders") == "订单"
    assert [Words(each).standing(Standing.INTERRUPTED) for each in ("en", "zh")] == [
        "needs someone",
        "待人工处理",
    ]
    assert Words("xx").language == "en"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "en"), ("zh", "zh"), ("fr", "en"), ("en;q=0.1, zh-TW", "zh"), ("zh;q=x", "en"), (",;,q=", "en")],
)
def test_the_language_is_chosen_by_weight(accepted: str, language: str) -> None:
    assert preferred(accepted) == language
