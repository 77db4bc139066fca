import functools
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator import arn_generator
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1"}

Template = dict[str, Any]


@functools.cache
def _parsed() -> Template:
    template: Template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    return template


def source() -> Template:
    """template.yaml as it is, intrinsics in their long form."""
    return deepcopy(_parsed())


@functools.cache
def _translated(partition: str, parameters: tuple[tuple[str, str], ...]) -> Template:
    return _translate(partition, dict(parameters), source())


def translate(
    partition: str, parameters: dict[str, str] | None = None, template: Template | None = None
) -> Template:
    """What CloudFormation would make of the template in this partition."""
    if template is None:
        return deepcopy(_translated(partition, tuple((parameters or {}).items())))
    return _translate(partition, parameters or {}, deepcopy(template))


def _translate(partition: str, parameters: dict[str, str], template: Template) -> Template:
    for name, resource in template["Resources"].items():
        for uri in {"CodeUri", "ContentUri", "DefinitionUri"} & resource["Properties"].keys():
            # The transform accepts only what `sam package` has uploaded.
            resource["Properties"][uri] = f"s3://bucket/{name}"
    values = {name: str(declared["Default"]) for name, declared in template["Parameters"].items()}
    arn_generator._get_region_from_session.cache_clear()
    arn_generator._region_to_partition.cache_clear()
    translator = Translator({}, Parser(), [], boto3.Session(region_name=REGIONS[partition]))
    translated: Template = translator.translate(template, {**values, **parameters})
    return translated


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
