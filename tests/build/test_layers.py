"""How layers and functions are built: only what is locked and ships, the same every time, offline."""

import base64
import hashlib
import marshal
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from samcli.yamlhelper import yaml_parse

from tools.build import pinned

ROOT = Path(__file__).parents[2]
DEPENDENCIES = ROOT / "layers/dependencies"
PLATFORMS = ["x86_64", "arm64", "host"]


def wheel(directory: Path, tag: str = "py3-none-any", requires: str = "") -> Path:
    """A package `thing` with a module, a type stub, a test and a console script."""
    files = {
        "thing/__init__.py": "VALUE = 1\n",
        "thing/__init__.pyi": "VALUE: int\n",
        "thing/tests/test_thing.py": "VALUE = 2\n",
        "thing-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n{requires}",
        "thing-1.0.dist-info/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n",
        "thing-1.0.dist-info/entry_points.txt": "[console_scripts]\nthing = thing:main\n",
    }
    record = "thing-1.0.dist-info/RECORD"
    lines = [f"{name},sha256={_record_hash(text)},{len(text)}" for name, text in files.items()]
    path = directory / f"thing-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, record: "\n".join([*lines, f"{record},,"]) + "\n"}.items():
            archive.writestr(name, text)
    return path


def _record_hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def build(target: Path, platform: str, locked: str, wheels: Path) -> subprocess.CompletedProcess[str]:
    requirements = target.parent / "requirements.txt"
    requirements.write_text(locked)
    return subprocess.run(
        [
            sys.executable,
            DEPENDENCIES / "build.py",
            f"--platform={platform}",
            f"--requirements={requirements}",
            target,
        ],
        env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
    )


def locked(path: Path, digest: str | None = None) -> str:
    return f"thing==1.0 --hash=sha256:{digest or hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def tree(directory: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(directory)): (path.stat().st_mode, path.read_bytes())
        for path in directory.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("platform", PLATFORMS)
def test_wrong_hash_fails_the_build_and_leaves_nothing(platform: str, tmp_path: Path):
    package = wheel(tmp_path)
    done = build(tmp_path / "python", platform, locked(package, "0" * 64), tmp_path)
    assert done.returncode == 1
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr
    assert not (tmp_path / "python").exists()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_locked_wheel_is_installed_without_scripts_stubs_and_tests(platform: str, tmp_path: Path):
    done = build(tmp_path / "python", platform, locked(wheel(tmp_path)), tmp_path)
    assert done.returncode == 0, done.stderr
    built = tree(tmp_path / "python")
    assert "thing/__init__.py" in built
    assert "thing-1.0.dist-info/METADATA" in built
    assert not [name for name in built if "bin/" in name or "tests/" in name or name.endswith(".pyi")]
    record = built["thing-1.0.dist-info/RECORD"][1].decode()
    assert {line.split(",")[0] for line in record.splitlines()} == {
        n for n in built if "__pycache__" not in n
    }


def test_bytecode_ships_and_is_used_whatever_the_time_of_its_source(tmp_path: Path):
    assert build(tmp_path / "python", "x86_64", locked(wheel(tmp_path)), tmp_path).returncode == 0
    bytecode = (tmp_path / "python/thing/__pycache__/__init__.cpython-313.pyc").read_bytes()
    assert int.from_bytes(bytecode[4:8], "little") == 1  # made for a hash, and not to be checked against it
    assert marshal.loads(bytecode[16:]).co_filename == "/opt/python/thing/__init__.py"


def test_package_without_a_hash_fails_the_build(tmp_path: Path):
    wheel(tmp_path)
    assert build(tmp_path / "python", "x86_64", "thing==1.0\n", tmp_path).returncode == 1


def test_wheel_for_another_machine_fails_the_build(tmp_path: Path):
    package = wheel(tmp_path, "cp313-cp313-manylinux_2_28_x86_64")
    assert build(tmp_path / "python", "arm64", locked(package), tmp_path).returncode == 1
    assert build(tmp_path / "python", "x86_64", locked(package), tmp_path).returncode == 0


def test_wheel_for_a_newer_glibc_than_lambdas_fails_the_build(tmp_path: Path):
    package = wheel(tmp_path, "cp313-cp313-manylinux_2_38_x86_64")
    assert build(tmp_path / "python", "x86_64", locked(package), tmp_path).returncode == 1


def test_dependency_that_is_not_locked_is_not_installed(tmp_path: Path):
    package = wheel(tmp_path, requires="Requires-Dist: another\n")
    done = build(tmp_path / "python", "x86_64", locked(package), tmp_path)
    assert done.returncode == 0, done.stderr
    assert not [name for name in tree(tmp_path / "python") if name.startswith("another")]


def test_two_builds_give_the_same_tree_whatever_was_there_before(tmp_path: Path):
    package = wheel(tmp_path)
    (tmp_path / "second/python").mkdir(parents=True)
    (tmp_path / "second/python/left_over.py").touch()
    (tmp_path / "first").mkdir()
    for name in ("first", "second"):
        assert build(tmp_path / name / "python", "x86_64", locked(package), tmp_path).returncode == 0
    assert tree(tmp_path / "first/python") == tree(tmp_path / "second/python")


def test_what_is_built_can_be_read_by_lambda_whatever_the_umask(tmp_path: Path):
    package = wheel(tmp_path)
    before = os.umask(0o077)
    try:
        assert build(tmp_path / "python", "x86_64", locked(package), tmp_path).returncode == 0
    finally:
        os.umask(before)
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in (tmp_path / "python").rglob("*")}
    assert modes == {True: 0o755, False: 0o644}


def test_what_ships_is_locked_by_hash_and_boto3_comes_from_the_runtime():
    text = (DEPENDENCIES / "requirements.txt").read_text().replace("\\\n", " ")
    packages = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert packages
    assert all(re.match(r"[\w.-]+==[\w.]+ ", line) and "--hash=sha256:" in line for line in packages)
    assert not {"boto3", "botocore", "s3transfer"} & {line.split("==")[0] for line in packages}


@pytest.mark.parametrize(
    ("source", "target", "packages", "shipped"),
    [
        ("layers/wechatpay", "WeChatPayLayer", ("wechatpay", "invocation"), "python"),
        ("functions", "CompleteOrderFunction", ("complete_order",), "."),
    ],
)
def test_only_source_and_its_bytecode_ship(
    source: str, target: str, packages: tuple[str, ...], shipped: str, tmp_path: Path
):
    copy, artifacts = tmp_path / "source", tmp_path / "artifacts"
    shutil.copytree(ROOT / source, copy)
    package = copy / packages[0]
    for litter in ("__pycache__/app.cpython-313.pyc", ".mypy_cache/x.json", "notes.txt"):
        (package / litter).parent.mkdir(exist_ok=True)
        (package / litter).touch()
    path = (
        f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # as tools.sam gives it to sam build
    )
    subprocess.run(
        ["make", f"build-{target}"],
        cwd=copy,
        env={**os.environ, "ARTIFACTS_DIR": str(artifacts), "PATH": path},
        check=True,
    )
    sources = [path.relative_to(copy) for name in packages for path in (copy / name).rglob("*.py")]
    bytecode = [path.parent / f"__pycache__/{path.stem}.cpython-313.pyc" for path in sources]
    assert sources
    assert tree(artifacts).keys() == {Path(shipped, path).as_posix() for path in (*sources, *bytecode)}
    assert all(content for name, (_, content) in tree(artifacts).items() if name.endswith(".pyc"))


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_a_built_template_deploys_only_to_the_architecture_of_its_layers(architecture: str):
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    built = yaml_parse(pinned(template, architecture))
    declared = built["Parameters"]["Architecture"]
    assert built["Resources"] == yaml_parse(template)["Resources"]
    assert (declared["Default"], declared["AllowedValues"]) == (architecture, [architecture])


def test_the_lock_has_every_binary_package_for_both_architectures():
    requirements = (DEPENDENCIES / "requirements.txt").read_text()
    hashes = set(re.findall(r"sha256:[0-9a-f]{64}", requirements))
    binary: dict[str, set[str]] = {}
    for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]:
        for wheel in package.get("wheels", []):
            for machine in re.findall(r"manylinux\w*_(x86_64|aarch64)", wheel["url"])[:1]:
                if wheel["hash"] in hashes:
                    binary.setdefault(package["name"], set()).add(machine)
    assert binary.keys() >= {"cffi", "cryptography"}
    assert all(machines == {"x86_64", "aarch64"} for machines in binary.values())
