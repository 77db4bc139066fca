"""What AWS's own validator says of the template as it is deployed, with the rules of cdk-preflight.

cloudformation-validate knows schemas and formats; the rules of cdk-preflight are refusals at deployment that
schemas do not tell, each reproduced on AWS. Both run on the translated template of each partition, with the
default parameters and with everything on, the workflow's definition within.
"""

import functools
import json
import tarfile
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml
from cloudformation_validate import (  # type: ignore[import-untyped]
    CompositeEngine,
    CompositeEngineConfig,
    ExternalRuleSource,
    Severity,
    TemplateContent,
    ValidateConfig,
)

from tools import workflow
from tools.rendering import everything, render
from tools.template import REGIONS, Template

_Rule = dict[str, Any]


def check(root: Path) -> list[str]:
    """Each refusal that a deployment would meet."""
    problems: dict[str, None] = {}
    for partition in REGIONS:
        for name, parameters in (("default", {}), ("everything on", everything(partition))):
            template = _with_definition(render(partition, parameters, root=root), root, partition, parameters)
            problems |= dict.fromkeys(_refusals(template, partition, name))
    return list(problems)


def _refusals(template: Template, partition: str, name: str) -> list[str]:
    content = TemplateContent(json.dumps(template), f"{partition}, {name}")
    types = frozenset(resource["Type"] for resource in template["Resources"].values())
    errors = ValidateConfig(severity_level=Severity.ERROR)
    report = _engine(partition, types).validate_template(content, errors)
    return [
        f"{each.entity.logical_id if each.entity else 'template'}: {each.rule_id}: {each.message} "
        f"({partition}, {name})"
        for each in report.diagnostics
    ]


def _with_definition(template: Template, root: Path, partition: str, parameters: dict[str, str]) -> Template:
    """Put the definition of the one state machine into the template, in the place of its address."""
    (source,) = (root / "statemachine").glob("*.asl.yaml") if (root / "statemachine").exists() else (None,)
    for resource in template["Resources"].values():
        if source and resource["Type"] == "AWS::StepFunctions::StateMachine":
            properties = resource["Properties"]
            del properties["DefinitionS3Location"], properties["DefinitionSubstitutions"]
            text = workflow.rendered(source, workflow.substitutions(partition, parameters, root))
            properties["DefinitionString"] = json.dumps(yaml.safe_load(text))
    return template


@functools.cache
def _engine(partition: str, types: frozenset[str]) -> CompositeEngine:
    libraries, rules = _rules()
    region = f'package cdk_preflight\n\nimport rego.v1\n\ndeploy_region := "{REGIONS[partition]}"\n'
    sources = [ExternalRuleSource(name=each["name"], content=each["rego"]) for each in libraries]
    sources.append(ExternalRuleSource(name="region", content=region))
    # A rule that is about no resource of the template costs time and finds nothing.
    sources += [
        ExternalRuleSource(name=rule["id"], content=rule["rego"])
        for rule in rules
        if not rule["resourceTypes"] or types.intersection(rule["resourceTypes"])
    ]
    return CompositeEngine(CompositeEngineConfig(rego_rules=sources))


@functools.cache
def _rules() -> tuple[list[_Rule], list[_Rule]]:
    """Read cdk-preflight's shared modules and rules: lists of JSON in a JavaScript module for the CDK."""
    (archive,) = (file for file in metadata.files("cdk-preflight") or () if file.name.endswith(".jsii.tgz"))
    with tarfile.open(archive.locate()) as package:
        module = package.extractfile("package/lib/rules.generated.js")
        text = module.read().decode() if module else ""

    def part(name: str) -> list[_Rule]:
        begin = text.index("[", text.index(f"exports.{name} = ["))
        rules: list[_Rule] = json.JSONDecoder().raw_decode(text, begin)[0]
        return rules

    return part("BUNDLED_LIBS"), part("BUNDLED_RULES")
