"""The workflow, unmodified, in two interpreters and the simulation: all agree, and with the schedule."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simulation.language import Unsupported, checked
from tests.engines import ministack, moto, stepper
from tests.engines.scenarios import ACCEPT, ENDS, EVENT, NOTIFIED, RETRIED, UNIDENTIFIED, Scenario, result
from tests.engines.schedule import retries
from tests.engines.world import Raised, Run, World
from tools import workflow

EVERY = ENDS | UNIDENTIFIED | RETRIED | NOTIFIED


def definition(days: int = 1, *, notifications: bool = False) -> dict[str, Any]:
    """The definition as it is deployed."""
    table = {"WaitingOrders": "the-table"} if notifications else {}
    return workflow.deployed({"PaymentWaitDays": str(days)}, **table)


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[Any, Any]]:
    with ministack.engine() as one, moto.engine() as other:
        yield one, other


@pytest.fixture(scope="module")
def own() -> Iterator[Any]:
    with stepper.engine() as engine:
        yield engine


def in_both(engines: tuple[Any, Any], scenario: Scenario) -> list[tuple[Run, World]]:
    machine = definition(scenario.days, notifications=scenario.notifications)
    worlds = [scenario.world() for _ in engines]
    return [
        (engine.run(machine, scenario.event, world), world)
        for engine, world in zip(engines, worlds, strict=True)
    ]


@pytest.mark.parametrize("name", EVERY)
def test_both_engines_take_the_way_that_the_scenario_needs(name: str, engines):
    scenario = EVERY[name]
    (one, seen), (other, seen_by_the_other) = in_both(engines, scenario)

    assert one.states == other.states == scenario.states
    assert one.raised == other.raised == scenario.raised
    assert one.status == other.status == ("FAILED" if scenario.error else "SUCCEEDED")
    assert one.error == other.error == scenario.error
    assert one.output == other.output
    assert seen.waits == seen_by_the_other.waits == scenario.waits
    assert tuple(kind for kind, _ in seen.events) == scenario.events
    assert seen.events == seen_by_the_other.events
    assert seen.items == seen_by_the_other.items
    assert seen.attempts == seen_by_the_other.attempts
    # Whatever the text in it, an event is the result and the execution.
    for _, detail in seen.events:
        assert (detail["execution"], detail["metadata"]) == (ministack.EXECUTION, EVENT["metadata"])
    if one.output is not None:
        assert {**one.output, "execution": ministack.EXECUTION} == seen.events[-1][1]


@pytest.mark.parametrize("name", EVERY)
def test_the_stepper_of_the_simulation_takes_the_same_way(name: str, own):
    scenario = EVERY[name]
    world = scenario.world()
    run = own.run(definition(scenario.days, notifications=scenario.notifications), scenario.event, world)

    assert (run.states, run.raised) == (scenario.states, scenario.raised)
    assert (run.status, run.error) == ("FAILED" if scenario.error else "SUCCEEDED", scenario.error)
    assert world.waits == scenario.waits
    assert tuple(kind for kind, _ in world.events) == scenario.events
    for _, detail in world.events:
        assert (detail["execution"], detail["metadata"]) == (ministack.EXECUTION, EVENT["metadata"])
    if run.output is not None:
        assert {**run.output, "execution": ministack.EXECUTION} == world.events[-1][1]


def test_the_stepper_refuses_what_it_does_not_know():
    for state in ({"Type": "Map"}, {"Type": "Succeed", "Output": 1}):
        with pytest.raises(Unsupported):
            checked({"QueryLanguage": "JSONata", "States": {"One": state}})


def test_a_failed_order_ends_with_its_whole_error_as_its_cause(engines):
    for run, world in in_both(engines, ENDS["rejected"]):
        assert run.cause is not None
        assert json.loads(run.cause) == world.events[-1][1]["error"]


def test_every_error_that_a_retrier_names_is_retried(engines):
    task = definition()["States"]["ServiceEnded"]
    limited, rest = (retrier["ErrorEquals"] for retrier in task["Retry"])
    errors = [*rest, *limited]
    way = [*ENDS["nothing to pay"].states]
    for engine in engines:
        world = World([*(Raised(error) for error in errors), ACCEPT])
        run = engine.run(definition(), {**EVENT, "total_amount": 0}, world)
        assert (run.states, run.raised) == (way, errors)
        assert world.waits == [*retries(len(rest)), 30]
        counts = [retried for _, retried, _ in world.attempts]
        assert counts == list(range(len(errors) + 1))


def test_an_outcome_nobody_knows_is_announced_as_nothing(engines):
    """Difference: AWS and MiniStack call it States.NoChoiceMatched, moto's interpreter States.Runtime."""
    scenario = Scenario(lambda: World([result(outcome="NEW")]), ["ServiceEnded", "Outcome"])
    runs = in_both(engines, scenario)

    assert [run.error for run, _ in runs] == ["States.NoChoiceMatched", "States.Runtime"]
    for run, world in runs:
        assert (run.status, run.states, world.events) == ("FAILED", scenario.states, [])


def test_an_integer_beyond_doubles_is_rounded_by_one_engine_only(engines):
    """Difference: AWS computes in doubles, and so does moto's interpreter; hence identifiers are text."""
    event = {**EVENT, "total_amount": 0, "metadata": {"id": 2**53 + 1}}
    runs = in_both(engines, Scenario(lambda: World([ACCEPT]), [], event=event))

    assert [world.events[0][1]["metadata"]["id"] for _, world in runs] == [2**53 + 1, 2**53]


def test_the_scenarios_pass_every_state_and_every_catch():
    passed = {state for scenario in EVERY.values() for state in scenario.states}
    assert passed == set(definition()["States"])
