"""What make itself does with what it is given."""

import os
import re
import subprocess

import pytest

from local.aws.embedded import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


TARGETS = dict(re.findall(r"^reads\.([a-z-]+) = (.*)$", MAKEFILE, re.MULTILINE))


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "--dry-run", *arguments],
        cwd=ROOT,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("wrong", ["DRYRUN=1", "ORDERS=A-1", "EVENT=x", "WECHATPAY_HOST=x", "dry_run=1"])
def test_a_variable_that_the_target_does_not_read_is_refused(wrong: str) -> None:
    refused = make("redrive", wrong)
    assert refused.returncode != 0
    assert f"make redrive does not read {wrong.partition('=')[0]}: it reads REASON" in refused.stderr
    assert refused.stdout == ""


@pytest.mark.parametrize("target", ["redrive", "resubmit", "stuck", "doctor", "secret", "smoke"])
@pytest.mark.parametrize("value", ["", "  "])
def test_a_variable_given_empty_is_refused(target: str, value: str) -> None:
    refused = make(target, f"MCHID={value}")
    assert refused.returncode != 0
    assert "MCHID is given and empty" in refused.stderr
    assert refused.stdout == ""


def test_a_variable_that_no_target_of_the_call_reads_is_refused() -> None:
    assert make("up", "settle", "WAIT_SCALE=0", "EVENT=x").returncode == 0
    assert "does not read ORDERS" in make("stuck", "redrive", "ORDERS=1").stderr


def test_a_mistyped_target_is_reported_whatever_is_given() -> None:
    assert "there is no make settel: make help lists" in make("settel", "EVENT=x").stderr


def test_a_comment_that_zsh_hands_over_is_refused_before_anything_is_done() -> None:
    refused = make("sync", "ORDER=A-1", "#", "when", "it", "was", "paid")
    assert refused.returncode != 0
    assert "setopt interactive_comments" in refused.stderr
    assert refused.stdout == ""


def test_without_a_target_nothing_is_read() -> None:
    assert "make help does not read DRY_RUN" in make("DRY_RUN=1").stderr


def test_a_variable_of_the_environment_is_not_refused() -> None:
    assert make("doctor", ORDERS="7", MCHID="").returncode == 0


def test_merchants_are_chosen_by_their_variable() -> None:
    chosen = make("redrive", "MCHID=1900000001 1900000002").stdout
    assert '--mchid "1900000001" --mchid "1900000002"' in chosen


def test_help_lists_what_each_target_reads() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True).stdout
    for target, names in TARGETS.items():
        (line,) = [each for each in listed.splitlines() if each.startswith(f"  {target} ")]
        assert line.endswith(f" [{names.removesuffix(' $(stack)')}]")


def test_every_variable_that_a_recipe_reads_may_be_given() -> None:
    macros = dict(re.findall(r"^([a-z]+) = ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE))
    for target, recipe in re.findall(r"^([a-z-]+):.*## .*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE):
        for name in re.findall(r"\$\(([a-z]+)\)", recipe):
            recipe += macros[name]
        read = set(re.findall(r"\$\((?:if \$\(|call (?:options?|path),)?([A-Z][A-Z0-9_]+)", recipe))
        read -= {"PYTHON", "OPERATIONS"}
        assert read <= set(TARGETS.get(target, "").split()), target


def test_every_target_that_works_on_a_stack_reads_which() -> None:
    for target, recipe in re.findall(r"^([a-z-]+):.*## .*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE):
        assert ("$(OPERATIONS" in recipe) == TARGETS.get(target, "").endswith("$(stack)"), target


def probed(recipe: str, *arguments: str, **environment: str) -> str:
    """What a recipe of ours prints on somebody's machine."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "--eval", f"probe: ; @{recipe}", "probe", *arguments],
        cwd=ROOT,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def variables(**environment: str) -> dict[str, str]:
    """The environment that make's recipes see."""
    lines = probed("env", **environment).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_no_proxy_stands_before_loopback(name: str) -> None:
    given = {"NO_PROXY": "", "no_proxy": "", name: "example.com"}
    seen = variables(HTTP_PROXY="http://127.0.0.1:9", **given)
    assert seen["NO_PROXY"] == seen["no_proxy"] == "127.0.0.1,localhost,example.com"


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"])
def test_one_mirror_serves_pip_and_uv(name: str) -> None:
    seen = variables(**{name: "https://mirror.example.com/simple"})
    assert seen["UV_DEFAULT_INDEX"] == seen["PIP_INDEX_URL"] == "https://mirror.example.com/simple"
    assert "UV_INDEX_URL" not in seen


def test_without_a_mirror_none_is_named() -> None:
    cleared = dict.fromkeys(("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"), "")
    assert {"", None} >= {variables(**cleared).get(name) for name in cleared}


def test_modules_of_a_python_path_do_not_take_the_place_of_ours(tmp_path) -> None:
    (tmp_path / "rich.py").write_text("raise SystemExit('not ours')\n", encoding="utf-8")
    printed = probed("$(PYTHON) -c 'import rich; print(rich.__name__)'", PYTHONPATH=str(tmp_path))
    assert printed == "rich\n"


def test_a_terminal_without_a_character_shows_another() -> None:
    printed = probed("$(PYTHON) -c 'print(chr(0x1F37A))'", PYTHONIOENCODING="gbk")
    assert printed == "?\n"


def test_a_home_directory_is_found_whatever_the_shell() -> None:
    done = make("secret", "FILES=~/商户 证书", "MCHID=1900000001")
    assert f'--files "{os.environ["HOME"]}/商户 证书"' in done.stdout


@pytest.mark.parametrize("command", ["stuck", "show ORDER=A-1"])
def test_without_a_region_a_command_says_where_it_comes_from(command: str, tmp_path) -> None:
    gone = (
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_PROFILE",
        "AWS_ENDPOINT_URL",
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
    )
    inherited = {name: value for name, value in os.environ.items() if name not in gone}
    done = subprocess.run(
        ["make", *command.split()],
        cwd=ROOT,
        env={**inherited, "HOME": str(tmp_path), "AWS_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "You must specify a region" in done.stderr
    assert ". .local/env" in done.stderr
