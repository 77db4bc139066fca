"""The simulation finds faults that are planted, disturbs every point, and goes on where a night was ended."""

import json
from collections import Counter
from pathlib import Path

import pytest

from simulation.cells import counted, expected
from simulation.exhaustive import FAULTS, level
from simulation.night import Night
from simulation.planted import orders_until_found
from simulation.plants import PLANTS
from simulation.run import simulate
from simulation.scripted import NOTHING, Disturbance, run
from simulation.tally import Tally


@pytest.mark.parametrize(
    "name", ["skip the query after a refusal", "charge a fen more", "publish a failed order as completed"]
)
def test_a_planted_fault_is_found(name: str):
    orders, how = orders_until_found(name, 3, orders=400)

    assert orders is not None
    assert "Violation" in how or "Divergence" in how


def test_two_dozen_faults_are_planted():
    assert len(PLANTS) >= 24


def test_decisions_are_counted_by_row_state_and_fault():
    with counted() as cells:
        simulate(40, 7)

    assert {"ServiceEnded", "QueryOrder"} <= {state for _, state, _ in cells}
    assert len({fault for _, _, fault in cells}) > 10
    assert {row for row, _, _ in cells} <= {row for row, _ in expected()}


def test_every_point_of_one_attempt_is_run_or_the_same_as_one_that_is():
    alone = level({"0": ()}, ("0",), None)
    refused = level({"0": ()}, ("0",), "unlisted_code")

    assert len(FAULTS) == 10
    assert alone.covered.runs == len(alone.at) + 1
    assert sorted([*refused.same, *refused.at]) == list(range(len(refused.same) + len(refused.at)))
    assert len(refused.same) + len(refused.at) > len(alone.at)  # it asks once more
    assert set(refused.same) < set(alone.at)


def test_an_attempt_that_is_killed_is_made_again():
    assert run({"0": (NOTHING,)}).attempts["0"] == 1
    assert run({"0": (Disturbance(None, 0), Disturbance("reset_after", None))}).attempts["0"] == 2


def test_a_night_goes_on_where_it_was_ended(tmp_path: Path):
    night = Night(first=1, seeds=3, orders=5, folder=tmp_path, commit="this")
    done = [{"seed": 1, "commit": "this"}, {"seed": 2, "commit": "another"}]
    lines = [json.dumps(each) for each in done]
    night.path.write_text("\n".join([*lines, '{"seed": 3, "com']))  # cut off

    assert [(each["seed"], each["failed"]) for each in night.run(1)] == [(2, ""), (3, "")]
    assert night.done().keys() == {1, 3, 2}


def test_what_runs_counted_adds_up():
    whole = Tally(orders=2, slowest=9.0, faults=Counter({"reset_after": 1}))
    whole.add(vars(Tally(orders=3, slowest=4.0, faults=Counter({"reset_after": 2}))))

    assert (whole.orders, whole.slowest, whole.faults["reset_after"]) == (5, 9.0, 3)
