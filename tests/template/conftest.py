import pytest
import yaml

from tools.template import REGIONS, ROOT, Template, source, translate

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
    loaded: Template = yaml.safe_load(
        (ROOT / "statemachine/service_ended.asl.yaml").read_text(encoding="utf-8")
    )
    return loaded
