import pytest

from tools.sam import ROOT
from tools.template import REGIONS, Template, source, translate
from tools.workflow import definition

__all__ = ["REGIONS", "ROOT", "Template", "source", "translate"]


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
    return definition()
