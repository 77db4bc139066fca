"""Where the imports of a cold start spend their time, package by package."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict

from benchmarks.measured import table
from benchmarks.rig import function_command

_IMPORT_TIME = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
_OURS = {"complete_order", "wechatpay", "invocation"}
_HANDLER_MODULE, _INIT = "complete_order.app", "what runs at init"
_LARGEST_PACKAGES = 14
_THIRD_PARTY = frozenset(
    {
        *("requests", "urllib3", "certifi", "charset_normalizer", "idna", "cryptography", "cffi"),
        *("boto3", "botocore", "s3transfer", "dateutil", "jmespath", "six"),
        *("aws_lambda_powertools", "typing_extensions"),
    }
)
_PACKAGES = "Where importing goes (`-X importtime`, which slows all of it down a little):"


def measure(environment: dict[str, str]) -> dict[str, float]:
    """Import time of each module, from `-X importtime`, in milliseconds."""
    python, program = function_command("cold.py")
    done = subprocess.run(
        [python, "-X", "importtime", program], env=environment, text=True, capture_output=True, check=True
    )
    return {module: int(microseconds) / 1000 for microseconds, module in _IMPORT_TIME.findall(done.stderr)}


def report(modules: dict[str, float]) -> str:
    """Sum the times up by package, the largest first."""
    packages: defaultdict[str, float] = defaultdict(float)
    for module, milliseconds in modules.items():
        packages[_package(module)] += milliseconds
    largest = sorted(packages.items(), key=lambda item: -item[1])
    shown = [(name, f"{milliseconds:.1f}") for name, milliseconds in largest[:_LARGEST_PACKAGES]]
    shown.append(("all others", f"{sum(ms for _, ms in largest[_LARGEST_PACKAGES:]):.1f}"))
    return f"{_PACKAGES}\n\n{table(('package, its own modules', 'import ms'), shown)}"


def _package(module: str) -> str:
    """Name what a module counts for. The handler's own time is nearly all what it does when imported."""
    package = module.split(".")[0]
    if module == _HANDLER_MODULE:
        return _INIT
    if package in _OURS:
        return "ours"
    return package if package in _THIRD_PARTY else "standard library"
