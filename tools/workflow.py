"""The state machine's definition, as it is written and as CloudFormation hands it over."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.rendering import render
from tools.sam import ROOT
from tools.template import REGIONS

SOURCE = ROOT / "statemachine/service_ended.asl.yaml"


def definition() -> dict[str, Any]:
    """Return the definition with its placeholders."""
    written: dict[str, Any] = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    return written


def deployed(parameters: Mapping[str, str], **names: str) -> dict[str, Any]:
    """Return the definition that a stack of these parameters runs; `names` fill placeholders otherwise."""
    values = {**substitutions("aws", parameters), **names}
    filled: dict[str, Any] = yaml.safe_load(rendered(SOURCE, values))
    return filled


def substitutions(partition: str, parameters: Mapping[str, str], root: Path = ROOT) -> dict[str, str]:
    """The text that takes the place of each placeholder; what AWS would name has a made-up name."""
    template = render(partition, dict(parameters), root=root if (root / "template.yaml").exists() else ROOT)
    machines = (r for r in template["Resources"].values() if r["Type"] == "AWS::StepFunctions::StateMachine")
    (machine,) = machines

    def text(name: str, value: object) -> str:
        if not isinstance(value, dict):
            return str(value)
        if not name.endswith("Function"):
            return f"stack-{name}"
        return f"arn:{partition}:lambda:{REGIONS[partition]}:123456789012:function:{name}:live"

    return {name: text(name, v) for name, v in machine["Properties"]["DefinitionSubstitutions"].items()}


def rendered(source: Path, values: Mapping[str, str]) -> str:
    """The definition as CloudFormation substitutes it: in the text, before anything reads it as YAML."""
    return re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], source.read_text(encoding="utf-8"))
