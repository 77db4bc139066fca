"""`make build`: `sam build` of what ships, when any of its inputs has changed.

`python -m tools.build arm64` builds for the other processors of Lambda; what it built deploys to no other.
`python -m tools.build host` builds for the local stack: wheels that run on this machine where it is not of
Lambda's kind (see layers/dependencies/build.py).
"""

import hashlib
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from samcli.yamlhelper import yaml_dump, yaml_parse  # type: ignore[import-untyped]

from tools.sam import ROOT, sam

INPUTS = ("template.yaml", "functions", "layers", "statemachine", ".python-version")
BUILD = ROOT / ".aws-sam" / "build"
TEMPLATE = BUILD / "template.yaml"
ARCHITECTURES = ("x86_64", "arm64")
PLATFORMS = (*ARCHITECTURES, "host")
_STAMP = ROOT / ".aws-sam" / "inputs.sha256"


def main() -> int:
    """Build unless the last build is of the same files. Returns the exit status of `sam build`."""
    layer_platform = _platform(sys.argv[1] if sys.argv[1:] else "x86_64")
    if layer_platform not in PLATFORMS:
        print(f"ARCHITECTURE is {' or '.join(ARCHITECTURES)}, not {layer_platform}", file=sys.stderr)
        return 2
    inputs = f"{layer_platform} {digest()}"
    if TEMPLATE.exists() and _STAMP.exists() and _STAMP.read_text() == inputs:
        return 0
    _STAMP.unlink(missing_ok=True)
    print("Building the functions and their layers (sam build)", flush=True)
    started = time.monotonic()
    try:
        build = sam(
            "build", "--template-file", "template.yaml", environment={"LAYER_PLATFORM": layer_platform}
        )
    except KeyboardInterrupt:
        print("Interrupted: the next command builds again.", file=sys.stderr)
        return 130
    if build.returncode:
        print(build.stdout, file=sys.stderr)
        return build.returncode
    if layer_platform in ARCHITECTURES:
        TEMPLATE.write_text(pinned(TEMPLATE.read_text(encoding="utf-8"), layer_platform), encoding="utf-8")
    _STAMP.write_text(inputs)
    print(f"Built in {time.monotonic() - started:.0f} s", flush=True)
    return 0


def digest() -> str:
    """SHA-256 over the names, modes and bytes of everything that is built."""
    total = hashlib.sha256()
    for path in _files():
        total.update(f"{path.relative_to(ROOT)} {path.stat().st_mode:o} {path.stat().st_size}\n".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def pinned(template: str, architecture: str) -> str:
    """Return the built template for this architecture alone: no function can import the layer of another."""
    built = yaml_parse(template)
    built["Parameters"]["Architecture"] |= {"Default": architecture, "AllowedValues": [architecture]}
    result: str = yaml_dump(built)
    return result


def _platform(name: str) -> str:
    if name != "host":
        return name
    return "x86_64" if (platform.system(), platform.machine()) == ("Linux", "x86_64") else "host"


def _files() -> Iterator[Path]:
    for name in INPUTS:
        top = ROOT / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


if __name__ == "__main__":
    sys.exit(main())
