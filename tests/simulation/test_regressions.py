"""Failures the simulation once found, in the product or in itself: the shop of each order is run again."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulation.run import simulate

FOUND: list[dict[str, Any]] = json.loads((Path(__file__).parent / "regressions/seeds.json").read_text())


@pytest.mark.parametrize("failure", FOUND, ids=lambda failure: failure["order"])
def test_every_failure_found_once_passes_now(failure: dict[str, Any]):
    seed = int(failure["order"].partition("-")[0].removeprefix("S"))

    assert simulate(None, seed, order=failure["order"]).failed is None
