"""What make itself does with what it is given."""

import os
import re
import subprocess

import pytest

from local.aws.embedded import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "--dry-run", *arguments], cwd=ROOT, env=inherited, capture_output=True, text=True
    )


@pytest.mark.parametrize("wrong", ["DRYRUN=1", "ORDR=A-1", "WECHATPAY_HOST=x", "dry_run=1"])
def test_a_misspelt_variable_is_named_before_anything_is_done(wrong: str) -> None:
    refused = make("redrive", wrong)
    assert refused.returncode != 0
    assert f"{wrong.partition('=')[0]}: no command reads it" in refused.stderr
    assert refused.stdout == ""


def test_every_variable_that_a_recipe_reads_may_be_given() -> None:
    recipes = MAKEFILE.partition(".PHONY: help")[2]
    read = set(re.findall(r"\$\(([A-Z][A-Z0-9_]+)\)", recipes)) - {"PYTHON", "OPERATIONS"}
    read |= set(re.findall(r"\$\(call options?,([A-Z0-9_]+)", recipes))
    read |= set(re.findall(r"[A-Z][A-Z0-9_]+", re.findall(r"## .*stack running \[(.*)\]", MAKEFILE)[0]))
    assert {"DRY_RUN", "PARAMS", "FILES", "ORDER", "WAIT_SCALE", "REASON"} <= read
    accepted = make("help", *(f"{name}=x" for name in sorted(read)))
    assert accepted.returncode == 0, accepted.stderr
