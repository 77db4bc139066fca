"""The sandbox's wheel as somebody else gets it: in an empty environment, without this project."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from wechatpay_sandbox.client import Client

ROOT = Path(__file__).parents[2]
MERCHANT = Path(__file__).with_name("merchant.py")


@pytest.fixture(scope="session")
def wheel() -> Path:
    """The wheel that `make sandbox-wheel` leaves, and no older one."""
    for old in (ROOT / "dist").glob("wechatpay_sandbox-*.whl"):
        old.unlink()
    # Without what the make that may have started the tests was given: it is no variable of this target.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    subprocess.run(["make", "-s", "sandbox-wheel"], cwd=ROOT, env=inherited, check=True)
    (built,) = (ROOT / "dist").glob("wechatpay_sandbox-*.whl")
    return built


@pytest.fixture(scope="session")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own that holds the wheel, wechatpayv3, and what the two need."""
    place = tmp_path_factory.mktemp("empty") / "venv"
    uv = shutil.which("uv") or str(ROOT / ".local/uv/bin/uv")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, place], check=True)
    peer = f"wechatpayv3=={version('wechatpayv3')}"
    install = [uv, "pip", "install", "--quiet", "--python", place / "bin/python", wheel, peer]
    subprocess.run(install, cwd=place, check=True)
    return place / "bin"


def empty(directory: Path) -> dict[str, Any]:
    """Where a program of that environment runs: nothing leads back to this project."""
    variables = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {"cwd": directory, "env": variables | {"NO_PROXY": "127.0.0.1"}, "text": True}


@contextmanager
def sandbox(programs: Path, directory: Path) -> Iterator[dict[str, Any]]:
    """`wechatpay-sandbox --state DIR`, and the document that it prints when it is ready."""
    command = [programs / "wechatpay-sandbox", "--state", directory / "state"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, **empty(directory)) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
    assert process.returncode == 0


def test_the_wheel_holds_the_package_alone(wheel: Path):
    with zipfile.ZipFile(wheel) as files:
        tops = {name.split("/")[0].split("-")[0] for name in files.namelist()}
    assert tops == {"wechatpay_sandbox"}


def test_an_order_goes_from_created_to_paid_by_wechatpayv3_alone(programs: Path, tmp_path: Path):
    with sandbox(programs, tmp_path) as ready:
        run = [programs / "python", MERCHANT]
        merchant = subprocess.run(
            run, input=json.dumps(ready), capture_output=True, check=False, **empty(tmp_path)
        )
        requests = Client(ready["control"]).requests("ALONE-1")
    assert merchant.returncode == 0, merchant.stderr
    assert json.loads(merchant.stdout) == [
        "CREATED",
        "PAYSCORE.USER_CONFIRM",
        "USER_CONFIRM",
        "MCH_COMPLETE",
        "PAYSCORE.USER_PAID",
        300,
        "USER_PAID",
    ]
    assert [each["operation"] for each in requests] == ["create", "query", "complete", "query"]
    with sandbox(programs, tmp_path) as again:
        order = Client(again["control"]).order("ALONE-1")
    assert (order["state"], order["charged"]) == ("USER_PAID", 300)
    same = ("mchid", "merchant_serial_no", "wechatpay_public_key_id", "merchant_files")
    assert [again[name] for name in same] == [ready[name] for name in same]


def test_the_environment_holds_nothing_of_the_project(programs: Path, tmp_path: Path):
    find = "import importlib.util as i; print([n for n in ('wechatpay', 'invocation') if i.find_spec(n)])"
    done = subprocess.run(
        [programs / "python", "-c", find], capture_output=True, check=True, **empty(tmp_path)
    )
    assert done.stdout.strip() == "[]"
