"""Templates: what CloudFormation takes and MiniStack does not."""

import json
from importlib import import_module
from types import ModuleType
from typing import Any

from local.aws.patches.ministack import named


def read_definitions_in_yaml(provisioners: ModuleType) -> None:
    """Accept a workflow that a template declares in YAML, as CloudFormation does."""
    original = named(provisioners, "_sfn_definition")
    yaml = import_module("yaml")

    def definition(props: dict[str, Any]) -> str:
        return json.dumps(yaml.safe_load(original(props)))

    provisioners._sfn_definition = definition  # type: ignore[attr-defined]


def accept_what_only_people_see(provisioners: ModuleType) -> None:
    """Let a template hold resources that MiniStack does not know and that nothing which runs depends on.

    `AWS::Logs::QueryDefinition`: saved queries of the console. MiniStack refuses the whole template for one.
    """
    handlers: dict[str, Any] = named(provisioners, "_RESOURCE_HANDLERS")

    def create(logical_id: str, _properties: Any, stack_name: str) -> tuple[str, dict[str, Any]]:
        return f"{stack_name}-{logical_id}", {}

    def update(physical_id: str, _old: Any, _new: Any, _stack_name: str) -> tuple[str, dict[str, Any]]:
        return physical_id, {}

    def delete(_physical_id: str, _properties: Any) -> None:
        """Delete nothing."""

    handlers["AWS::Logs::QueryDefinition"] = {"create": create, "update": update, "delete": delete}


def take_versions_for_their_machine(provisioners: ModuleType) -> None:
    """Let a template publish versions and aliases of a workflow, which MiniStack does not know.

    Each has its machine's ARN here, so that what starts one starts the machine as it is now.
    """
    handlers: dict[str, Any] = named(provisioners, "_RESOURCE_HANDLERS")

    def machine(properties: dict[str, Any]) -> str:
        preference = properties.get("DeploymentPreference") or {}
        routing = properties.get("RoutingConfiguration") or [preference]
        arn: str = properties.get("StateMachineArn") or routing[0]["StateMachineVersionArn"]
        return arn

    def create(_logical_id: str, properties: Any, _stack_name: str) -> tuple[str, dict[str, Any]]:
        return machine(properties), {"Arn": machine(properties)}

    def update(_physical_id: str, _old: Any, new: Any, _stack_name: str) -> tuple[str, dict[str, Any]]:
        return machine(new), {"Arn": machine(new)}

    def delete(_physical_id: str, _properties: Any) -> None:
        """Delete nothing: the machine is a resource of its own."""

    for kind in ("StateMachineVersion", "StateMachineAlias"):
        handlers[f"AWS::StepFunctions::{kind}"] = {"create": create, "update": update, "delete": delete}
