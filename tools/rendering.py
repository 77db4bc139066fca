"""The translated template as CloudFormation deploys it with given parameters: no condition is left open.

Tools that read a template with conditions guess at both branches. What they get from here has no conditions,
parameters or mappings left, and only the resources that would be made.
"""

import re
from pathlib import Path
from typing import Any

from tools.sam import ROOT
from tools.template import REGIONS, Template, translate

_NOTHING = object()
_PLACEHOLDER = re.compile(r"\$\{([\w:]+)\}")


def everything(partition: str) -> dict[str, str]:
    """Parameters that switch on all there is."""
    account = "123456789012"
    key = f"{account}:key/11111111-2222-3333-4444-555555555555"
    return {
        "SecretKmsKeyArn": f"arn:{partition}:kms:{REGIONS[partition]}:{key}",
        "EventBusName": "2025",
        "PaymentNotification": "On",
        "AlarmEmail": "night@example.com",
        "NoSuccessHours": "1",
        "ReservedConcurrency": "10",
        "Architecture": "arm64",
        "SnapStart": "On",
        "GradualDeployment": "Canary10Percent5Minutes",
        "VpcSubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
        "VpcSecurityGroupIds": "sg-0123456789abcdef0",
        "PermissionsBoundaryArn": f"arn:{partition}:iam::{account}:policy/boundary",
    }


def render(
    partition: str,
    parameters: dict[str, str] | None = None,
    template: Template | None = None,
    root: Path = ROOT,
) -> Template:
    """Return the translated template with these parameters, all others at their defaults."""
    given = parameters or {}
    translated = translate(partition, given, template, root)
    return _Rendering(translated, partition, given).template()


class _Rendering:
    def __init__(self, template: Template, partition: str, parameters: dict[str, str]) -> None:
        self._template = template
        suffix = ".cn" if partition == "aws-cn" else ""
        self._values: dict[str, Any] = {
            "AWS::Partition": partition,
            "AWS::Region": REGIONS[partition],
            "AWS::AccountId": "123456789012",
            "AWS::StackName": "stack",
            "AWS::URLSuffix": f"amazonaws.com{suffix}",
            "AWS::NoValue": _NOTHING,
        }
        for name, declared in template.get("Parameters", {}).items():
            value = str(parameters.get(name, declared["Default"]))
            if declared["Type"] == "CommaDelimitedList":
                self._values[name] = value.split(",")
            else:
                self._values[name] = int(value) if declared["Type"] == "Number" else value

    def template(self) -> Template:
        left_out = {"Parameters", "Conditions", "Mappings"}
        rendered = {name: part for name, part in self._template.items() if name not in left_out}
        for section in {"Resources", "Outputs"} & rendered.keys():
            rendered[section] = {
                name: self._value({key: part for key, part in entry.items() if key != "Condition"})
                for name, entry in self._template[section].items()
                if "Condition" not in entry or self._holds(entry["Condition"])
            }
        return rendered

    def _holds(self, name: str) -> bool:
        return bool(self._value(self._template["Conditions"][name]))

    def _value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for value in map(self._value, node) if value is not _NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, argument),) = node.items()
            if function == "Condition" and isinstance(argument, str):
                return self._holds(argument)
            if function in _FUNCTIONS:
                return _FUNCTIONS[function](self, argument, node)
        rendered = {key: self._value(value) for key, value in node.items()}
        return {key: value for key, value in rendered.items() if value is not _NOTHING}

    def _ref(self, name: str, node: Any) -> Any:
        return self._values.get(name, node)

    def _if(self, argument: Any, _node: Any) -> Any:
        name, then, otherwise = argument
        return self._value(then if self._holds(name) else otherwise)

    def _equals(self, argument: Any, _node: Any) -> bool:
        one, other = (str(self._value(each)) for each in argument)
        return one == other

    def _find_in_map(self, argument: Any, _node: Any) -> Any:
        name, first, second = (self._value(each) for each in argument)
        return self._template["Mappings"][name][first][second]

    def _select(self, argument: Any, _node: Any) -> Any:
        place, values = argument
        return self._value(values)[int(place)]

    def _join(self, argument: Any, node: Any) -> Any:
        separator, values = argument[0], self._value(argument[1])
        return separator.join(values) if all(isinstance(each, str) for each in values) else node

    def _sub(self, argument: Any, _node: Any) -> Any:
        text, variables = (argument, {}) if isinstance(argument, str) else argument
        known = {**self._values, **{name: self._value(value) for name, value in variables.items()}}
        unknown = {name: value for name, value in known.items() if isinstance(value, dict)}

        def filled(placeholder: re.Match[str]) -> str:
            value = known.get(placeholder[1], _NOTHING)
            return placeholder[0] if value is _NOTHING or isinstance(value, dict) else str(value)

        result = _PLACEHOLDER.sub(filled, text)
        if "${" not in result:
            return result
        used = {name: value for name, value in unknown.items() if name in variables}
        return {"Fn::Sub": [result, used] if used else result}


_FUNCTIONS: dict[str, Any] = {
    "Ref": _Rendering._ref,
    "Fn::If": _Rendering._if,
    "Fn::Equals": _Rendering._equals,
    "Fn::Not": lambda self, argument, _node: not self._value(argument[0]),
    "Fn::And": lambda self, argument, _node: all(self._value(each) for each in argument),
    "Fn::FindInMap": _Rendering._find_in_map,
    "Fn::Select": _Rendering._select,
    "Fn::Join": _Rendering._join,
    "Fn::Sub": _Rendering._sub,
}
