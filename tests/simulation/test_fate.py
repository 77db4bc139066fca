"""Which disturbances single calls meet, and which they do not."""

from random import Random

from simulation.fate import Drawn


def test_an_order_meets_one_unproven_refusal_about_its_parameters() -> None:
    drawn = Drawn(Random(1), faults=1.0, deaths=0.0, platform=0.0)
    thrown = [drawn.fault("S1-0000001", "complete", "0") for _ in range(3000)]
    names = [fault.name for fault in thrown if fault is not None]
    assert names.count("unsigned_4xx_applied") == 1
    assert "unsigned" in names
