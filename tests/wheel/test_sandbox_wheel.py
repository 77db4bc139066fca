"""The sandbox's wheel as somebody else gets it: it runs in an empty folder, without this project."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from wechatpay_sandbox.client import Client

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that `make sandbox-wheel` leaves, and no older one."""
    for old in (ROOT / "dist").glob("wechatpay_sandbox-*.whl"):
        old.unlink()
    # Without what the make that may have started the tests was given: it is no variable of this target.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    subprocess.run(["make", "-s", "sandbox-wheel"], cwd=ROOT, env=inherited, check=True)
    (built,) = (ROOT / "dist").glob("wechatpay_sandbox-*.whl")
    return built


def test_the_wheel_holds_the_package_alone(wheel: Path):
    with zipfile.ZipFile(wheel) as files:
        tops = {name.split("/")[0].split("-")[0] for name in files.namelist()}
        assert tops == {"wechatpay_sandbox"}
        assert "wechatpay_sandbox/client.py" in files.namelist()


def test_the_sandbox_of_the_wheel_runs_outside_the_project(wheel: Path, tmp_path: Path):
    where = {**os.environ, "PYTHONPATH": str(wheel)}
    found = [sys.executable, "-c", "import wechatpay_sandbox; print(wechatpay_sandbox.__file__)"]
    imported = subprocess.run(found, cwd=tmp_path, env=where, text=True, capture_output=True, check=True)
    assert imported.stdout.startswith(str(wheel))
    command = [sys.executable, "-m", "wechatpay_sandbox"]
    with subprocess.Popen(command, cwd=tmp_path, env=where, text=True, stdout=subprocess.PIPE) as sandbox:
        try:
            assert sandbox.stdout is not None
            ready = json.loads(sandbox.stdout.readline())
            assert Client(ready["control"]).open_order("W-1")["state"] == "USER_ACCEPTED"
        finally:
            sandbox.terminate()
