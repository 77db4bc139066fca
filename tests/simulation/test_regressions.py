"""What the simulation once found, in the product or in itself: the shop of each order is run again."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulation.run import simulate

FOUND: list[dict[str, Any]] = json.loads((Path(__file__).parent / "regressions/seeds.json").read_text())


@pytest.mark.parametrize("found", FOUND, ids=lambda found: found["order"])
def test_what_was_found_once_is_well_now(found: dict[str, Any]):
    seed = int(found["order"].partition("-")[0].removeprefix("S"))

    assert simulate(None, seed, order=found["order"]).failed is None
