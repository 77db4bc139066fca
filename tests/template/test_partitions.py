"""One template for AWS and for mainland China, which lacks some of it."""

import re

import pytest

from tests.json_tree import walk

from .conftest import ROOT, Template, source, translate

SHIPPED = ("template.yaml", "statemachine", "functions", "layers")
UNAVAILABLE_IN_CHINA = {"AWS::Lambda::Url", "AWS::XRay::SamplingRule", "AWS::XRay::Group"}


def strings(template: Template) -> list[str]:
    return [value for value in walk(template) if isinstance(value, str)]


@pytest.mark.parametrize("part", SHIPPED)
def test_nothing_that_ships_names_a_partition(part: str):
    files = [path for path in (ROOT / part, *(ROOT / part).rglob("*")) if path.is_file()]
    sources = {path: path.read_text(encoding="utf-8") for path in files if path.suffix != ".pyc"}
    assert sources
    assert not [path for path, text in sources.items() if re.search(r"arn:aws[a-z-]*:", text)]


def test_no_partition_is_added_by_the_transform(translated: Template):
    assert not [text for text in strings(translated) if re.search(r"arn:aws[a-z-]*:", text)]


def test_every_arn_takes_its_partition_from_the_stack(translated: Template):
    arns = [text for text in strings(translated) if text.startswith("arn:")]
    assert arns
    assert all(text.startswith("arn:${AWS::Partition}:") for text in arns)


def test_every_service_of_the_workflow_is_named_by_the_partition(workflow: Template):
    resources = [state["Resource"] for state in workflow["States"].values() if state["Type"] == "Task"]
    assert resources
    assert all(resource.startswith("arn:${Partition}:states:::") for resource in resources)
    substitutions = source()["Resources"]["ServiceEndedStateMachine"]["Properties"]["DefinitionSubstitutions"]
    assert substitutions["Partition"] == {"Ref": "AWS::Partition"}


def test_every_placeholder_of_the_workflow_is_substituted(workflow: Template):
    placeholders = {name for text in strings(workflow) for name in re.findall(r"\$\{(\w+)\}", text)}
    properties = source()["Resources"]["ServiceEndedStateMachine"]["Properties"]
    assert placeholders == set(properties["DefinitionSubstitutions"])


def test_snapstart_needs_the_parameter_and_a_partition_that_has_it(resources: Template):
    assert resources["CompleteOrderFunction"]["Properties"]["SnapStart"] == {
        "Fn::If": ["UseSnapStart", {"ApplyOn": "PublishedVersions"}, {"Ref": "AWS::NoValue"}]
    }
    assert source()["Conditions"]["UseSnapStart"] == {
        "Fn::And": [
            {"Fn::Equals": [{"Ref": "SnapStart"}, "On"]},
            {"Fn::Equals": [{"Ref": "AWS::Partition"}, "aws"]},
        ]
    }


def test_nothing_that_china_lacks_is_used(workflow: Template):
    translated = translate("aws-cn")
    assert not UNAVAILABLE_IN_CHINA & {resource["Type"] for resource in translated["Resources"].values()}
    assert not {"TracingConfig", "TracingConfiguration"} & set(strings(translated))
    assert not [text for text in strings(workflow) if ":http:invoke" in text]


def test_both_partitions_get_the_same_resources():
    assert translate("aws")["Resources"].keys() == translate("aws-cn")["Resources"].keys()
