"""What `make up` is given, checked before anything is built: `python -m local.settings`."""

import difflib
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from local import foreground
from operations.errors import CommandError
from tools.sam import ROOT


@dataclass(frozen=True)
class Settings:
    """The variables of `make up`.

    Attributes:
        port: of the embedded AWS; 0 is any free one.
        wait_scale: 0-1, shortens waits and retry delays.
        hosts: of WeChat Pay; empty for the simulator.
        parameters: of the template.
    """

    port: int
    wait_scale: float
    hosts: str
    parameters: dict[str, str]


def read(given: Mapping[str, str]) -> Settings:
    """Read and check the variables. Raises `CommandError`."""
    hosts = given.get("WECHATPAY_HOSTS", "")
    parameters = _parameters(given.get("PARAMS", ""))
    if hosts or parameters:
        declared = _declared()
        for name, value in parameters.items():
            _check_parameter(declared, name, value)
        if hosts and (rule := _broken_rule(declared["WeChatPayHosts"], hosts)):
            raise CommandError(f"WECHATPAY_HOSTS={hosts}: {rule}")
    return Settings(
        port=int(_number(given, "AWS_PORT", 4566, int)),
        wait_scale=_number(given, "WAIT_SCALE", 0.05, float),
        hosts=hosts,
        parameters=parameters,
    )


def _parameters(text: str) -> dict[str, str]:
    """Read `Key=Value Key="another value"`."""
    try:
        words = shlex.split(text)
    except ValueError as exc:
        raise CommandError(f"PARAMS cannot be read: {exc}") from exc
    if wrong := [word for word in words if "=" not in word]:
        raise CommandError(f"PARAMS must be Key=Value pairs, not {wrong[0]!r}")
    return dict(word.split("=", 1) for word in words)


def _check_parameter(declared: Mapping[str, Any], name: str, value: str) -> None:
    if name not in declared:
        near = difflib.get_close_matches(name, declared, n=1, cutoff=0.5)
        meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(declared)}"
        raise CommandError(f"PARAMS: template.yaml has no parameter {name}: {meant} 没有这个参数")
    if rule := _broken_rule(declared[name], value):
        raise CommandError(f"PARAMS: {name}={value}: {rule}")


def _broken_rule(parameter: Mapping[str, Any], value: str) -> str:
    """Return the rule of a parameter that a value breaks, as CloudFormation would; else empty."""
    allowed = [str(each) for each in parameter.get("AllowedValues", [])]
    values = value.split(",") if "List" in parameter["Type"] else [value]
    if all(_is_allowed(parameter, allowed, each) for each in values):
        return ""
    return str(parameter.get("ConstraintDescription") or f"must be one of {', '.join(allowed)}")


def _is_allowed(parameter: Mapping[str, Any], allowed: list[str], value: str) -> bool:
    if allowed and value not in allowed:
        return False
    if parameter["Type"] == "Number":
        try:
            number = float(value)
        except ValueError:
            return False
        if not parameter.get("MinValue", number) <= number <= parameter.get("MaxValue", number):
            return False
    if not parameter.get("MinLength", 0) <= len(value) <= parameter.get("MaxLength", len(value)):
        return False
    return bool(re.fullmatch(parameter.get("AllowedPattern", ".*"), value))


def _declared() -> dict[str, Any]:
    """Return the template's parameters; the tags of CloudFormation elsewhere in it mean nothing here."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda _loader, _tag, _node: None)
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    parameters: dict[str, Any] = yaml.load(text, Loader)["Parameters"]
    return parameters


def _number(given: Mapping[str, str], name: str, default: float, kind: type[int] | type[float]) -> float:
    highest = {"AWS_PORT": 65535, "WAIT_SCALE": 1}[name]
    try:
        number = kind(given.get(name) or default)
    except ValueError:
        number = -1
    if not 0 <= number <= highest:
        raise CommandError(f"{name} must be a number from 0 to {highest}, not {given[name]!r}")
    return number


def main() -> int:
    """Check what was given. Returns the exit status."""
    read(os.environ)
    return 0


if __name__ == "__main__":
    foreground.run(main)
