from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tools.template import REGIONS, ROOT, Template, source, translate

__all__ = ["REGIONS", "ROOT", "Template", "source", "translate", "walk"]


def walk(value: Any) -> Iterator[Any]:
    """Every value in a tree, keys included."""
    yield value
    if isinstance(value, dict):
        for key, child in value.items():
            yield key
            yield from walk(child)
    elif isinstance(value, list):
        for child in value:
            yield from walk(child)


@pytest.fixture(params=REGIONS)
def partition(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def translated(partition: str) -> Template:
    return translate(partition)


@pytest.fixture
def resources(translated: Template) -> Template:
    resources: Template = translated["Resources"]
    return resources


@pytest.fixture(scope="session")
def workflow() -> Template:
    loaded: Template = yaml.safe_load(
        (ROOT / "statemachine/service_ended.asl.yaml").read_text(encoding="utf-8")
    )
    return loaded
