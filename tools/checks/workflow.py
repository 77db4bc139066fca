"""The state machines under `statemachine/`, validated as Amazon States Language with JSONata.

cfn-lint does not read the state machine of a SAM template. The placeholders are filled in first, once for
each partition.
"""

import re
import tempfile
from pathlib import Path

from tools import node

PARTITIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1"}


def check(root: Path) -> list[str]:
    """What asl-validator says of each state machine in each partition."""
    problems = []
    for source in sorted((root / "statemachine").glob("*.asl.yaml")):
        for partition in PARTITIONS:
            problems += _problems(source, partition)
    return problems


def rendered(source: Path, partition: str) -> str:
    """The definition as CloudFormation would substitute it, with made-up names."""
    region = PARTITIONS[partition]

    def value(placeholder: re.Match[str]) -> str:
        name = placeholder[1]
        if name == "Partition":
            return partition
        if name.endswith("Function"):
            return f"arn:{partition}:lambda:{region}:123456789012:function:{name}:live"
        return name

    return re.sub(r"\$\{(\w+)\}", value, source.read_text(encoding="utf-8"))


def _problems(source: Path, partition: str) -> list[str]:
    with tempfile.TemporaryDirectory() as directory:
        definition = Path(directory, source.name)
        definition.write_text(rendered(source, partition), encoding="utf-8")
        done = node.run("asl-validator", "--yaml-path", definition)
    if done.returncode == 0:
        return []
    return [done.stdout.strip().replace(str(definition), f"{source.name} ({partition})")]
