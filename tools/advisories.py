"""`make audit`: asks the advisory database about every package that ships.

Not a part of `make check`: it needs the network, and its answer changes without a change here. Where the
service cannot be asked, or does not know a package, that is said and is no pass.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.sbom import LOCK


def main(lock: Path = LOCK) -> int:
    """Print what is known. Returns 0 when all were looked up and none is vulnerable, 1 if one is, else 2."""
    options = ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(
        [Path(sys.executable).parent / "pip-audit", "--requirement", str(lock), *options],
        text=True,
        capture_output=True,
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        print(f"NOT AUDITED: the advisory service could not be asked: {last[0]}")
        return 2
    unknown = [package for package in packages if "skip_reason" in package]
    vulnerable = list(_vulnerable(packages))
    for line in vulnerable:
        print(line)
    print(
        f"{len(packages) - len(unknown)} of {len(packages)} packages looked up, {len(vulnerable)} advisories"
    )
    if unknown:
        print(
            f"NOT AUDITED: {', '.join(package['name'] for package in unknown)}: {unknown[0]['skip_reason']}"
        )
    return 1 if vulnerable else 2 if unknown else 0


def _vulnerable(packages: list[dict[str, Any]]) -> Iterator[str]:
    for package in packages:
        for advisory in package.get("vulns", []):
            fixed = ", ".join(advisory["fix_versions"]) or "no release"
            yield f"{package['name']} {package['version']}: {advisory['id']}, fixed in {fixed}"


if __name__ == "__main__":
    sys.exit(main())
