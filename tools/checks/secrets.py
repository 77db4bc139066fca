"""No secret in the sources: detect-secrets over every file that git knows or would add.

Names that contain "secret" or "password" are all over a project about secrets and say nothing, so that
detector is off. Random-looking text is a secret until proven otherwise in what ships, not in tests, which are
full of made-up keys, tickets and hashes. What is found and is no secret stands in ACCEPTED with its reason.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

from tools.sam import ROOT

ACCEPTED = {
    ("events/completed.json", "Base64 High Entropy String"): "a made-up finish_ticket of the sample order",
    (
        "layers/wechatpay/wechatpay/secret_rules.py",
        "Private Key",
    ): "the marker that a key begins with, no key",
    ("tests/unit/wechatpay/test_credentials.py", "Private Key"): "the marker that a key begins with, no key",
    ("tests/vectors/apiv3.json", "Private Key"): "a key made for these vectors and used nowhere else",
}
_LOCKS = ("uv.lock", "package-lock.json", "requirements.txt")
# As in .gitignore, which a ZIP of the sources does not obey.
_MADE_HERE = {".venv", ".local", ".aws-sam", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache"}
_OFF = {"KeywordDetector"}
_RANDOMNESS = {"Base64HighEntropyString", "HexHighEntropyString"}
_PLAIN = ("tests", "benchmarks", "chaos", "local", "simulator", "tools", "docs")

Finding = tuple[str, str, int]  # path, kind, line


def check(root: Path) -> list[str]:
    """Each finding that is not accepted, and each acceptance that nothing needs."""
    files = _files(root)
    plain = {name for name in files if name.split("/")[0] in _PLAIN}
    findings = _scan(root, files - plain, _OFF) | _scan(root, plain, _OFF | _RANDOMNESS)
    new = sorted(each for each in findings if each[:2] not in ACCEPTED)
    unused = sorted(ACCEPTED.keys() - {each[:2] for each in findings}) if root == ROOT else []
    return [
        *(f"{path}:{line}: {kind}; take it out, or say in {__name__} why not" for path, kind, line in new),
        *(f"{path}: {kind} is accepted, and no longer found" for path, kind in unused),
    ]


def _scan(root: Path, files: set[str], off: set[str]) -> set[Finding]:
    detectors: Any = get_mapping_from_secret_type_to_class().values()
    used = [{"name": each.__name__} for each in detectors if each.__name__ not in off]
    with transient_settings({"plugins_used": used}):
        scanned = [(name, secret) for name in files for secret in scan_file(str(root / name))]
    return {(name, secret.type, secret.line_number) for name, secret in scanned}


def _files(root: Path) -> set[str]:
    """Tracked files and those that would be added; where there is no git, all that is not made here."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
    )
    # NUL between names: with line breaks, git quotes every name that is not ASCII.
    names = os.fsdecode(listed.stdout).split("\0") if listed.returncode == 0 else []
    return {
        name
        for name in names or _walked(root)
        if name and not name.endswith(_LOCKS) and (root / name).is_file()
    }


def _walked(root: Path) -> Iterator[str]:
    for directory, below, names in root.walk():
        below[:] = [name for name in below if name not in _MADE_HERE]
        yield from (str((directory / name).relative_to(root)) for name in names)
