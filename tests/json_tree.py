"""Walking the values of a JSON document."""

from collections.abc import Iterator
from typing import Any


def walk(value: Any) -> Iterator[Any]:
    """Yield every value in a tree, names of fields included."""
    yield value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)
