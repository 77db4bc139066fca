"""The state machines under `statemachine/`, validated as Amazon States Language with JSONata.

cfn-lint does not read the state machine of a SAM template. The placeholders are filled in first, for each
partition: as by default, and with names that YAML would not read as text were they not in quotes.
"""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tools import node

PARTITIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1"}
# What the template substitutes by default, and what else it may.
DEFAULTS = {"EventBusName": "default", "PaymentWaitDays": "7", "WaitingOrders": "off"}
UNUSUAL = {"EventBusName": "2025", "PaymentWaitDays": "30", "WaitingOrders": "true"}


def check(root: Path) -> list[str]:
    """What asl-validator says of each state machine in each partition."""
    problems = []
    for source in sorted((root / "statemachine").glob("*.asl.yaml")):
        for partition, values in (*((each, DEFAULTS) for each in PARTITIONS), ("aws", UNUSUAL)):
            problems += _problems(source, rendered(source, partition, values), partition)
    return problems


def rendered(source: Path, partition: str, values: Mapping[str, str] = DEFAULTS) -> str:
    """Return the definition as CloudFormation would substitute it. Raises KeyError for what has no value."""
    region = PARTITIONS[partition]

    def value(placeholder: re.Match[str]) -> str:
        name = placeholder[1]
        if name == "Partition":
            return partition
        if name.endswith("Function"):
            return f"arn:{partition}:lambda:{region}:123456789012:function:{name}:live"
        return values[name]

    return re.sub(r"\$\{(\w+)\}", value, source.read_text(encoding="utf-8"))


def _problems(source: Path, text: str, partition: str) -> list[str]:
    with tempfile.TemporaryDirectory() as directory:
        definition = Path(directory, source.name)
        definition.write_text(text, encoding="utf-8")
        done = node.run("asl-validator", "--yaml-path", definition)
    if done.returncode == 0:
        return []
    return [done.stdout.strip().replace(str(definition), f"{source.name} ({partition})")]
