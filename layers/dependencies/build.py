"""Installs requirements.txt into a layer: wheels only, each checked against its locked hash, on every build.

`sam build` by itself checks hashes on the first download only, and not for another architecture. pip checks
them on every install, cached or not, and a wheel that is not locked ends the build.

`--platform`: `x86_64` and `arm64` are Lambda's. `host` is for running the functions on a developer's machine:
the wheels of Lambda's platform where they run, otherwise (macOS, Linux on ARM) those of this machine.
"""

import argparse
import compileall
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

PYTHON_VERSION = "3.13"
# Lambda's python3.13 runs on Amazon Linux 2023, which has glibc 2.34. pip takes each tag literally.
GLIBC_TAGS = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}


def platform_arguments(layer_platform: str) -> list[str]:
    """The arguments that make pip choose wheels for this platform whatever machine it runs on."""
    if layer_platform == "host":
        if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            return []
        layer_platform = "x86_64"
    tags = [f"{tag}_{MACHINES[layer_platform]}" for tag in GLIBC_TAGS]
    return [
        "--implementation=cp",
        f"--python-version={PYTHON_VERSION}",
        *(f"--platform={tag}" for tag in tags),
    ]


def install(target: Path, layer_platform: str, requirements: Path) -> None:
    """Replaces `target` by the locked packages. Raises CalledProcessError when pip refuses one."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(  # noqa: S603 - fixed arguments
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "install"),
            *(
                "--require-hashes",
                "--no-deps",
                "--only-binary=:all:",
                "--no-compile",
                "--no-warn-script-location",
            ),
            *platform_arguments(layer_platform),
            f"--requirement={requirements}",
            f"--target={target}",
        ],
        check=True,
    )


def prune(target: Path) -> None:
    """Takes out what a Lambda never uses and what would differ between two machines.

    Console scripts name the interpreter that built them, and so do their hashes in RECORD. Tests and stubs
    are not imported. Licences and the rest of `*.dist-info` stay: `importlib.metadata` and audits read them.
    """
    for directory in (target / "bin", *target.glob("*/tests")):
        shutil.rmtree(directory, ignore_errors=True)
    for stub in target.rglob("*.pyi"):
        stub.unlink()
    for record in target.glob("*.dist-info/RECORD"):
        lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [
            line for line in lines if not line.startswith("..") and (target / line.split(",")[0]).is_file()
        ]
        record.write_text("".join(kept), encoding="utf-8")


def compile_bytecode(target: Path) -> None:
    """Compiles every module: Lambda cannot write, so it would compile all of them at every cold start.

    Python uses this bytecode without looking at the source's time, which a zip file does not keep, and names
    modules as they lie on Lambda, so that two builds are the same.
    """
    compileall.compile_dir(
        target,
        quiet=1,
        force=True,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        stripdir=target,
        prependdir="/opt/python",
    )


def make_readable(target: Path) -> None:
    """Gives every file and directory one mode whatever the umask: Lambda runs as a user of its own."""
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def main() -> int:
    """Builds the layer's directory; exit status 1 when a wheel is missing or its hash is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path)
    parser.add_argument("--platform", choices=[*MACHINES, "host"], required=True)
    parser.add_argument("--requirements", type=Path, default=Path(__file__).with_name("requirements.txt"))
    arguments = parser.parse_args()
    try:
        install(arguments.target, arguments.platform, arguments.requirements)
    except subprocess.CalledProcessError:
        shutil.rmtree(arguments.target, ignore_errors=True)
        sys.stderr.write("The layer was not built: pip refused a package, see above.\n")
        return 1
    prune(arguments.target)
    compile_bytecode(arguments.target)
    make_readable(arguments.target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
