"""The model of scale agrees with the workflow, and docs/scale.md with the model."""

import itertools
import random

import pytest

from benchmarks import outage, scale


def test_the_document_holds_what_the_command_prints():
    document = scale.DOCUMENT.read_text(encoding="utf-8")
    assert scale.written(document) == document


def test_shares_of_payments_are_of_all_orders():
    assert sum(scale.PAID.values()) == pytest.approx(1)


def test_demand_grows_with_the_orders_and_breaks_where_the_limit_is():
    order = scale.average()
    for limits in scale.LIMITS.values():
        name, rate = scale.breaking_point(limits, order)
        shares = scale.uses(limits, scale.demand(rate, order))
        assert shares[name] == pytest.approx(1) == max(shares.values())


def test_an_order_is_retried_for_about_a_day_within_the_longest_wait():
    retry, chance = outage.retrier("WeChatPayUnavailable"), random.Random(7)
    ends = []
    for _ in range(200):
        times = list(outage.attempts(retry, 0.0, chance))
        waits = [after - before for before, after in itertools.pairwise(times)]
        assert max(waits) <= retry["MaxDelaySeconds"]
        assert len(times) == retry["MaxAttempts"] + 1
        ends.append(times[-1])
    assert sum(ends) / len(ends) == pytest.approx(86_461, rel=0.02)


def test_a_short_outage_loses_nobody_and_is_over_within_the_longest_delay():
    left = outage.outage(1_000, 2, 0.3)
    assert left.lost == 0
    assert left.minutes_to_95 <= left.minutes_to_all <= 15


def test_an_outage_longer_than_the_retries_interrupts_orders():
    assert outage.outage(10, 40, 0.3).lost > 0
