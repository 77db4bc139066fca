"""The tool behind `make mutants`, on a small project of its own and on what it is pointed at here."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.mutants.__main__ import ROOT, plan
from tools.mutants.planting import mutants_of

PRICE = """\
from dataclasses import dataclass
from enum import Enum


class Step(Enum):
    STAY = 1
    GO = 2


TABLE = (("low", Step.STAY), ("high", Step.GO))


@dataclass(frozen=True)
class Price:
    fen: int

    def plus(self, more: int) -> int:
        if more < 0:
            raise ValueError(f"{more} fen")
        return self.fen + more
"""
SUM = """\
def total(fees, discount):
    if discount > fees:
        raise ValueError("below 0")
    return fees - discount
"""
WATCHFUL = """\
import pytest
from price import total


def test_total():
    assert (total(5, 2), total(2, 2)) == (3, 0)
    with pytest.raises(ValueError, match="^below 0$"):
        total(2, 3)
"""
CARELESS = """\
from price import total


def test_total():
    assert total(5, 2) == 3
"""
CONFIGURATION = """\
[tool.pytest.ini_options]
pythonpath = ["source"]
addopts = "--import-mode=importlib"
[tool.mutants]
score = 95
explained = "testing.md"
leave = []
preload = ["hypothesis"]
[tool.mutants.tests]
"source/price.py" = ["tests"]
"""


def run(root: Path, tests: str, explained: str = "") -> subprocess.CompletedProcess[str]:
    for path, text in {
        "pyproject.toml": CONFIGURATION,
        "source/price.py": SUM,
        "tests/test_price.py": tests,
        "testing.md": explained,
    }.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    program = (
        "import sys, pathlib, tools.mutants.__main__ as m; sys.exit(m.main([], pathlib.Path(sys.argv[1])))"
    )
    return subprocess.run(
        [sys.executable, "-c", program, str(root)], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_mutants_are_planted_where_mutmut_alone_plants_none() -> None:
    table = 'TABLE = (("low", Step.STAY), ("high", Step.GO))'
    labels = [mutant.label for mutant in mutants_of(PRICE)]
    assert len(labels) == len(set(labels))
    for label in (
        "Price: @dataclass(frozen=True) → @dataclass(frozen=False)",
        "Price.plus: return self.fen + more → return self.fen - more",
        "Price.plus: if more < 0: → if more <= 0:",
        'Price.plus: raise ValueError(f"{more} fen") → pass',
        'Price.plus: raise ValueError(f"{more} fen") → raise ValueError(f" fen")',
        f"TABLE: {table} → {table.replace('STAY', 'GO')}",
        f'TABLE: {table} → TABLE = (("high", Step.GO),)',
    ):
        assert label in labels


def test_literals_that_are_left_alone_have_no_mutants() -> None:
    assert any('"low"' in mutant.label for mutant in mutants_of('name = "low"'))
    assert not any('"XX' in mutant.label for mutant in mutants_of('name = "low"', ['"l.*"']))


def test_watchful_tests_kill_every_mutant(tmp_path: Path) -> None:
    done = run(tmp_path, WATCHFUL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all" in done.stdout
    assert "100.0 %" in done.stdout
    assert "survivors not explained: 0" in done.stdout


def test_too_many_survivors_fail_even_when_all_are_explained(tmp_path: Path) -> None:
    boundary, dropped = "if discount > fees: → if discount >= fees:", 'raise ValueError("below 0") → pass'
    done = run(tmp_path, CARELESS, explained=f"`total: {boundary}`")
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"explained  source/price.py:2  total: {boundary}" in done.stdout.splitlines()
    assert f"SURVIVED   source/price.py:3  total: {dropped}" in done.stdout.splitlines()


def test_tests_that_fail_without_a_mutant_prove_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_nothing():\n    assert False\n")
    assert done.returncode == 1
    assert "Without a mutant the tests have to pass." in done.stdout


TARGETS = plan().targets


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.module)
def test_the_plan_names_files_that_exist(target) -> None:
    assert (ROOT / target.path).is_file()
    for test in target.tests:
        path, _, name = test.partition("::")
        assert (ROOT / path).is_file()
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8") or not name


def test_the_plan_covers_what_money_depends_on() -> None:
    assert {target.module for target in TARGETS} == {
        "wechatpay.signature",
        "wechatpay.verification",
        "wechatpay.keyring",
        "wechatpay.reply_rules",
        "complete_order.order",
        "complete_order.relations",
        "complete_order.event_rules",
        "complete_order.family_rules",
        "wechatpay.service_order",
        "wechatpay.fields",
        "wechatpay.forms",
    }
