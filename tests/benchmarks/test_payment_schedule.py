"""The schedule of queries, computed from the workflow's own expressions."""

import itertools
import re

import pytest

from benchmarks.payment_schedule import CASES, followed, waits
from benchmarks.prices import STANDARD_TRANSITION
from benchmarks.workflow_cost import MILLION
from tests.docs.markdown import Document

HOUR, DAY = 3600, 86400
FIRST = [5, 15, 60, 300, 1800]


@pytest.mark.parametrize("days", [1, 2, 7, 30])
def test_payment_is_queried_soon_then_hourly_then_every_six_hours(days: int):
    scheduled = waits(days)

    hourly = list(itertools.repeat(HOUR, 23 if days == 1 else 24))
    rest = days * DAY - sum(FIRST) - sum(hourly)
    assert scheduled[: len(FIRST + hourly)] == FIRST + hourly
    assert scheduled[len(FIRST + hourly) : -1] == [6 * HOUR] * (rest // (6 * HOUR))
    assert 0 < scheduled[-1] <= 6 * HOUR
    assert sum(scheduled) == days * DAY


def test_an_order_is_announced_by_the_first_query_after_its_payment():
    assert (followed(0).queries, followed(0).announced) == (1, 5)
    assert (followed(5.1).queries, followed(5.1).announced) == (2, 20)
    assert followed(8 * DAY) == followed(None)
    assert followed(None).announced == 7 * DAY


def test_the_decision_shows_the_figures_there_are():
    rows = Document("docs/decisions.md").table_with("within 5 s")

    assert rows == [
        [
            name,
            str(order.queries),
            f"{order.announced} s",
            str(order.transitions),
            f"{order.transitions * STANDARD_TRANSITION * MILLION:.0f}",
        ]
        for name, order in ((name, followed(after)) for name, after in CASES.items())
    ]
    mixed = [(0.95, 5), (0.04, 20), (0.01, None)]
    transitions = sum(share * followed(after).transitions for share, after in mixed)
    dollars = transitions * STANDARD_TRANSITION * MILLION
    sentence = re.search(
        r"a million of them cost (\d+) USD, (\d+) % more", Document("docs/decisions.md").text
    )
    assert [round(dollars), round(dollars / 2.5 - 100)] == [int(number) for number in sentence.groups()]
