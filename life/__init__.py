"""One order's life, from what its executions, the functions' logs and WeChat Pay say of it.

A pure model: `life_of` takes what readers found and gives a `Life`; nothing in here does I/O or imports the
rest of the project. `make show`, the console and the simulation's trace hand in their own data and read the
same answer.
"""

from life.compose import life_of
from life.execution import Execution
from life.model import (
    Answer,
    Attempt,
    Call,
    Life,
    Published,
    Remark,
    Run,
    Standing,
    Step,
)

__all__ = [
    "Answer",
    "Attempt",
    "Call",
    "Execution",
    "Life",
    "Published",
    "Remark",
    "Run",
    "Standing",
    "Step",
    "life_of",
]
