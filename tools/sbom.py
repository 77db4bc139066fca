"""`make sbom`: what ships, as CycloneDX JSON, from the lock and the hashes that the build checks.

The same lock gives the same bytes: no time and no random serial number is in it.
"""

import json
import subprocess
import sys
from pathlib import Path

from tools.sam import ROOT

LOCK = ROOT / "layers/dependencies/requirements.txt"
SBOM = ROOT / ".aws-sam/sbom.cdx.json"


def write(lock: Path = LOCK, target: Path = SBOM) -> int:
    """Write the bill of materials. Returns how many components are in it."""
    target.parent.mkdir(exist_ok=True)
    options = ["--output-reproducible", "--spec-version", "1.6", "--output-format", "JSON"]
    files = [str(lock), "--pyproject", str(ROOT / "pyproject.toml"), "--output-file", str(target)]
    subprocess.run(
        [Path(sys.executable).parent / "cyclonedx-py", "requirements", *options, *files],
        check=True,
        capture_output=True,
    )
    return len(json.loads(target.read_text(encoding="utf-8"))["components"])


if __name__ == "__main__":
    print(f"{write()} components in {SBOM.relative_to(ROOT)}")
