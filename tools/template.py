"""template.yaml as CloudFormation gets to see it: after SAM's transform, in either partition."""

import functools
import logging
from copy import deepcopy
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator import arn_generator  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from tools.sam import ROOT

REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1"}

Template = dict[str, Any]


@functools.cache
def _parsed(root: Path) -> Template:
    template: Template = yaml_parse((root / "template.yaml").read_text(encoding="utf-8"))
    return template


def source(root: Path = ROOT) -> Template:
    """Return template.yaml as it is, intrinsics in their long form."""
    return deepcopy(_parsed(root))


def translate(
    partition: str,
    parameters: dict[str, str] | None = None,
    template: Template | None = None,
    root: Path = ROOT,
) -> Template:
    """Return what CloudFormation would make of the template in this partition, with these parameters."""
    if template is None:
        return deepcopy(_translated(partition, tuple((parameters or {}).items()), root))
    return _translate(partition, parameters or {}, deepcopy(template))


@functools.cache
def _translated(partition: str, parameters: tuple[tuple[str, str], ...], root: Path) -> Template:
    return _translate(partition, dict(parameters), source(root))


def _properties(template: Template) -> list[tuple[str, Any]]:
    return [(name, resource.get("Properties", {})) for name, resource in template["Resources"].items()]


def _translate(partition: str, parameters: dict[str, str], template: Template) -> Template:
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of metrics that nobody collects
    shared = template.get("Globals", {}).get("Function", {})
    for name, properties in [("Globals", shared), *_properties(template)]:
        for uri in {"CodeUri", "ContentUri", "DefinitionUri"} & properties.keys():
            # The transform accepts only what `sam package` has uploaded.
            properties[uri] = f"s3://bucket/{name}"
    declared = template.get("Parameters", {}).items()
    values = {name: str(parameter["Default"]) for name, parameter in declared if "Default" in parameter}
    arn_generator._get_region_from_session.cache_clear()
    arn_generator._region_to_partition.cache_clear()
    session = boto3.Session(region_name=REGIONS[partition])
    translated: Template = Translator({}, Parser(), [], session).translate(template, {**values, **parameters})
    return translated
