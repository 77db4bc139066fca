"""The rules of imports in pyproject.toml: each refuses what is planted, and none leaves a package out."""

import re
import tomllib
from pathlib import Path

import pytest

from tools.checks import tools

from .conftest import PLACES, ROOT, plant

RULES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
PACKAGES = {init.parent.name for place in PLACES for init in (ROOT / place).glob("*/__init__.py")}
FUNCTIONS = {init.parent.name for init in ROOT.glob("functions/*/__init__.py")}


def test_arrows_accepts_what_points_down(copy: Path):
    plant(copy, "complete_order.completion", "from wechatpay import smart_retail")
    plant(copy, "operations", "import life, wechatpay.orders, complete_order.order")
    plant(copy, "console", "import life, operations, wechatpay.orders, wechatpay_sandbox")
    plant(copy, "local", "import chaos, console, tools, wechatpay_sandbox, complete_order.app")
    plant(copy, "chaos", "import local")
    plant(copy, "tests.function", "import local, complete_order.app")
    assert tools.arrows(copy) == []


# What is planted together: no line makes the way that another one is about.
@pytest.mark.parametrize(
    "lines",
    [
        [("wechatpay.errors", "from .client import Client", "wechatpay.errors > wechatpay.client")],
        [("wechatpay.client", "import wechatpay.smart_retail", "wechatpay.client > wechatpay.smart_retail")],
        [
            (
                "wechatpay.connection",
                "def f(): from .client import x",
                "wechatpay.transport > wechatpay.client",
            )
        ],
        [
            (
                "wechatpay.transport",
                "from . import verification",
                "wechatpay.transport > wechatpay.verification",
            ),
            (
                "wechatpay.service_order",
                "from . import smart_retail",
                "wechatpay.service_order > wechatpay.smart_retail",
            ),
            ("complete_order.result", "from .app import x", "complete_order.completion > complete_order.app"),
        ],
        [
            ("wechatpay.hosts", "import boto3", "wechatpay > boto3"),
            ("query_order.app", "import botocore.session", "query_order > botocore"),
            ("wechatpay.client", "from functions.complete_order import app", "wechatpay > functions"),
            ("invocation.settings", "import query_order", "invocation > query_order"),
            ("wechatpay_sandbox", "import life", "wechatpay_sandbox > life"),
            ("life", "from wechatpay import errors", "life > wechatpay"),
            ("operations", "import console", "operations > console"),
        ],
        [
            ("wechatpay.hosts", "from invocation import settings", "wechatpay > invocation"),
            ("query_order.app", "import complete_order.result", "query_order > complete_order"),
            ("query_order.app", "import operations", "query_order > operations"),
            ("query_order.app", "import tests", "query_order > tests"),
        ],
        [
            ("query_order.app", "import life", "query_order > life"),
            ("wechatpay_sandbox", "def f(): import local", "wechatpay_sandbox > local"),
            ("operations", "import wechatpay_sandbox", "operations > wechatpay_sandbox"),
            ("console", "import simulation", "console > simulation"),
        ],
        [
            ("wechatpay.client", "from complete_order import app", "wechatpay > complete_order"),
            ("query_order.app", "from wechatpay_sandbox import Simulator", "query_order > wechatpay_sandbox"),
            ("wechatpay_sandbox", "from wechatpay import errors", "wechatpay_sandbox > wechatpay"),
            ("local", "from tests import function", "local > tests"),
        ],
    ],
)
def test_arrows_finds_those_that_point_elsewhere(lines: list[tuple[str, str, str]], copy: Path):
    for module, line, _ in lines:
        plant(copy, module, line)
    (report,) = tools.arrows(copy)
    for _, _, problem in lines:
        importer, imported = problem.split(" > ")
        assert f"{importer} is not allowed to import {imported}:" in report


def test_arrows_finds_a_cycle_of_modules_without_a_rank(copy: Path):
    plant(copy, "wechatpay.world", "def f(): from . import connection")
    (report,) = tools.arrows(copy)
    assert "No cycles are allowed in wechatpay." in report


def test_arrows_reads_every_package_and_no_rule_leaves_a_function_out():
    assert set(RULES["root_packages"]) == PACKAGES | {"tests"}
    lists = [str(value) for contract in RULES["contracts"] for value in contract.values()]
    for each in (each for each in lists if "complete_order" in each):
        assert set(re.findall(r"\w+", each)) >= FUNCTIONS


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("complete_order.app", "import os\nos.getenv('X')"),
        ("wechatpay.aws", "from os import environ"),
        ("wechatpay.client", "def f():\n    import os as o\n    o.environ"),
    ],
)
def test_lint_finds_what_reads_the_environment_beside_settings(module: str, line: str, copy: Path):
    plant(copy, module, line)
    (report,) = tools.lint(copy)
    assert "only settings reads it" in report


def test_lint_finds_a_module_that_imports_itself(copy: Path):
    plant(copy, "wechatpay.keyring", "from . import keyring")
    (report,) = tools.lint(copy)
    assert "PLW0406" in report


def test_nothing_that_ships_switches_the_rule_about_the_environment_off():
    shipped = [*ROOT.glob("functions/**/*.py"), *ROOT.glob("layers/**/*.py")]
    assert shipped
    assert not [path for path in shipped if "TID251" in path.read_text(encoding="utf-8")]
