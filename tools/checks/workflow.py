"""The state machines under `statemachine/`, validated as Amazon States Language with JSONata.

cfn-lint does not read the state machine of a SAM template. The placeholders are filled in first, as the
template does it: in each partition, with the default parameters and with everything on.
"""

import tempfile
from pathlib import Path

import yaml

from tools import node
from tools.rendering import everything
from tools.template import REGIONS
from tools.workflow import rendered, substitutions


def check(root: Path) -> list[str]:
    """What asl-validator says of each state machine, and each placeholder without quotes or value."""
    problems = []
    for source in sorted((root / "statemachine").glob("*.asl.yaml")):
        problems += _bare(source)
        definitions = {}
        for partition in REGIONS:
            for parameters in ({}, everything(partition)):
                values = substitutions(partition, parameters, root)
                problems += [f"{source.name}: ${{{name}}} is empty" for name, v in values.items() if not v]
                switched = ", everything on" if parameters else ""
                definitions[f"{source.name} ({partition}){switched}"] = rendered(source, values)
        problems += _problems(definitions)
    return problems


def _bare(source: Path) -> list[str]:
    problems, parts = [], [yaml.compose(source.read_text(encoding="utf-8"))]
    while parts:
        part = parts.pop()
        if isinstance(part, yaml.MappingNode):
            parts += [each for pair in part.value for each in pair]
        elif isinstance(part, yaml.SequenceNode):
            parts += part.value
        elif isinstance(part, yaml.ScalarNode) and "${" in part.value and not part.style:
            place = f"{source.name}:{part.start_mark.line + 1}"
            problems.append(f"{place}: a placeholder without quotes: YAML may read a number, or nothing")
    return sorted(problems)


def _problems(definitions: dict[str, str]) -> list[str]:
    with tempfile.TemporaryDirectory() as directory:
        arguments: list[str | Path] = []
        for name, text in definitions.items():
            (path := Path(directory, name)).write_text(text, encoding="utf-8")
            arguments += ["--yaml-path", path]
        done = node.run("asl-validator", *arguments)
    return [] if done.returncode == 0 else [done.stdout.strip().replace(f"{directory}/", "")]
