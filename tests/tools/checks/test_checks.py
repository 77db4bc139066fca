"""Each check passes a tree that is right and fails one that is wrong in the way it is there to find."""

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.checks import __main__ as command
from tools.checks import arrows, review, rooms, secrets, tools, workflow

ROOT = Path(__file__).parents[3]

Tree = Callable[..., Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_lint_finds_an_unused_import(tree: Tree):
    assert tools.lint(tree({"a.py": '"""A."""\n'})) == []
    assert "F401" in tools.lint(tree({"a.py": '"""A."""\n\nimport os\n'}))[0]


def test_format_finds_single_quotes(tree: Tree):
    assert tools.format_(tree({"a.py": 'a = "1"\n'})) == []
    assert "-a = '1'" in tools.format_(tree({"a.py": "a = '1'\n"}))[0]


def test_types_finds_a_wrong_call_from_a_function_into_the_layer(tree: Tree):
    right = {
        "layers/wechatpay/wechatpay/__init__.py": "",
        "layers/wechatpay/wechatpay/client.py": "def call(order: str) -> None: ...\n",
        "functions/one/__init__.py": "",
        "functions/two/__init__.py": "",
        "functions/one/app.py": 'from wechatpay.client import call\n\ncall("x")\n',
        "functions/two/app.py": "VALUE: int = 1\n",
    }
    assert tools.types(tree(right)) == []
    (problem,) = tools.types(tree({"functions/one/app.py": "from wechatpay.client import call\n\ncall(1)\n"}))
    assert "functions/one/app.py:3" in problem


def test_types_wants_annotations(tree: Tree):
    (problem,) = tools.types(tree({"functions/one/app.py": "def f(x):\n    return x\n"}))
    assert "no-untyped-def" in problem


def test_template_finds_what_one_of_the_regions_lacks(tree: Tree):
    queue = "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n"
    assert tools.template(tree({"template.yaml": queue})) == []
    only_global = "Resources:\n  C:\n    Type: AWS::Synthetics::Nothing\n"
    assert "AWS::Synthetics::Nothing" in tools.template(tree({"template.yaml": only_global}))[0]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("Next: Outcome", "Next: Outcom"),
        ('outcome = "COMPLETED"', 'outcome = = "COMPLETED"'),
        ("StartAt: ServiceEnded", "StartAt: Nowhere"),
        ("TimeoutSeconds: 60", "TimeoutSecond: 60"),
        ("arn:${Partition}:states:::lambda:invoke", "lambda:invoke"),
    ],
)
def test_workflow_finds_a_definition_that_aws_would_refuse(right: str, wrong: str, tree: Tree):
    definition = (ROOT / "statemachine/service_ended.asl.yaml").read_text(encoding="utf-8")
    assert right in definition
    assert workflow.check(tree({"statemachine/a.asl.yaml": definition})) == []
    problems = workflow.check(tree({"statemachine/a.asl.yaml": definition.replace(right, wrong)}))
    assert [problem for problem in problems if "a.asl.yaml (aws-cn)" in problem]


@pytest.mark.parametrize("bare", ["EventBusName: ${EventBusName}", "TableName: ${WaitingOrders}"])
def test_workflow_finds_a_placeholder_without_quotes(bare: str, tree: Tree):
    # A bus may be called 2025: substituted without quotes it is a number, and Step Functions wants a text.
    definition = (ROOT / "statemachine/service_ended.asl.yaml").read_text(encoding="utf-8")
    name, placeholder = bare.split(" ")
    assert f'{name} "{placeholder}"' in definition
    broken = definition.replace(f'{name} "{placeholder}"', bare, 1)
    problems = workflow.check(tree({"statemachine/a.asl.yaml": broken}))
    assert "a placeholder without quotes" in problems[0]


def test_workflow_finds_a_substitution_that_is_empty(tree: Tree):
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    empty = template.replace('!Ref WaitingOrders, "off"]', '!Ref WaitingOrders, ""]')
    definition = (ROOT / "statemachine/service_ended.asl.yaml").read_text(encoding="utf-8")
    assert empty != template
    problems = workflow.check(tree({"template.yaml": empty, "statemachine/a.asl.yaml": definition}))
    assert "a.asl.yaml: ${WaitingOrders} is empty" in problems


def arrows_tree() -> dict[str, str]:
    layer, function = "layers/wechatpay/wechatpay", "functions/complete_order"
    return {
        f"{layer}/__init__.py": "",
        f"{layer}/errors.py": "import dataclasses\n",
        f"{layer}/transport.py": "import requests\nfrom .errors import NoAnswer\n",
        f"{layer}/client.py": "from .transport import Transport\nfrom . import errors\n",
        f"{layer}/smart_retail.py": "from wechatpay.client import Client\n",
        f"{layer}/merchant_secrets.py": "import boto3\nfrom botocore.config import Config\n",
        f"{function}/settings.py": "import os\nos.environ\n",
        f"{function}/completion.py": "from wechatpay import smart_retail\n",
        f"{function}/app.py": "import completion\nfrom settings import Settings\n",
    }


def test_arrows_accepts_those_that_point_down(tree: Tree):
    assert arrows.check(tree(arrows_tree())) == []


@pytest.mark.parametrize(
    ("module", "line", "problem"),
    [
        ("layers/wechatpay/wechatpay/errors.py", "from .client import Client", "reaches wechatpay.client"),
        (
            "layers/wechatpay/wechatpay/transport.py",
            "from . import verification",
            "reaches wechatpay.verification",
        ),
        (
            "layers/wechatpay/wechatpay/client.py",
            "import wechatpay.smart_retail",
            "reaches wechatpay.smart_retail",
        ),
        (
            "layers/wechatpay/wechatpay/transport.py",
            "def f(): from .keyring import k",
            "reaches wechatpay.client",
        ),
        ("layers/wechatpay/wechatpay/keyring.py", "from . import keyring", "reaches wechatpay.keyring"),
        ("layers/wechatpay/wechatpay/client.py", "import boto3", "only aws, merchant_secrets"),
        ("functions/complete_order/app.py", "import botocore.session", "only aws, merchant_secrets"),
        ("functions/complete_order/app.py", "import os\nos.getenv('X')", "only settings"),
        ("layers/wechatpay/wechatpay/client.py", "from os import environ", "only settings"),
        (
            "layers/wechatpay/wechatpay/client.py",
            "from functions.complete_order import app",
            "never imports a function",
        ),
        ("functions/complete_order/app.py", "from wechatpay_sandbox import Simulator", "does not ship"),
        ("functions/complete_order/completion.py", "import tests", "does not ship"),
        ("functions/complete_order/completion.py", "import complete_order.app", "reaches complete_order.app"),
    ],
)
def test_arrows_finds_one_that_points_elsewhere(module: str, line: str, problem: str, tree: Tree):
    files = arrows_tree() | {
        "layers/wechatpay/wechatpay/verification.py": "",
        "layers/wechatpay/wechatpay/keyring.py": "from . import client\n",
    }
    files[module] = files[module] + line + "\n"
    assert [
        finding for finding in arrows.check(tree(files)) if problem in finding and finding.startswith(module)
    ]


def rooms_tree() -> dict[str, str]:
    return {
        "simulator/README.md": "# A sandbox\n",
        "simulator/wechatpay_sandbox/client.py": "import json\nfrom wechatpay_sandbox import keys\n",
        "operations/__init__.py": '"""The commands."""\n',
        "operations/smoke.py": "from wechatpay import orders\nfrom life import compose\n",
        "life/__init__.py": '"""A life."""\n',
        "local/__init__.py": '"""A laptop."""\n',
        "local/up.py": "import wechatpay_sandbox\n",
        ".local/anything.py": "import local\n",
    }


def test_rooms_accepts_what_each_may_know(tree: Tree):
    assert rooms.check(tree(rooms_tree())) == []


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("simulator/wechatpay_sandbox/client.py", "from wechatpay import errors\n", "imports wechatpay"),
        ("simulator/wechatpay_sandbox/client.py", "def f(): import local\n", "imports local"),
        ("operations/smoke.py", "from wechatpay_sandbox.client import Client\n", "imports wechatpay_sandbox"),
        ("life/compose.py", "from operations import show\n", "imports operations"),
        ("local/up.py", "from tests import function\n", "imports tests"),
        ("local/__init__.py", "", "local/: says nowhere what it is"),
        ("simulator/README.md", "\n", "simulator/: says nowhere what it is"),
    ],
)
def test_rooms_finds_an_import_or_a_missing_first_line(file: str, text: str, problem: str, tree: Tree):
    (finding,) = rooms.check(tree(rooms_tree() | {file: text}))
    assert problem in finding


def test_rooms_finds_one_above_a_quarter_of_the_whole(tree: Tree):
    sized = {f"{name}/__init__.py": f'"""{name}."""\n' + "\n" * 9 for name in ("a", "b", "c", "d", "e")}
    assert rooms.check(tree(sized)) == []
    (problem,) = rooms.check(tree(sized | {"a/large.py": "\n" * 30}))
    assert problem == "a/: 40 lines of 80, more than a quarter of the whole"


def test_command_prints_a_line_for_each_check_and_fails_when_one_does(
    tree: Tree, capsys: pytest.CaptureFixture[str]
):
    root = tree({"a.py": 'A = "1"\n'})
    assert command.main(["format", "leaks"], root) == 0
    assert capsys.readouterr().out.splitlines() == ["ok    format", "ok    leaks"]
    tree({"a.py": "A = '1'\n"})
    assert command.main(["format", "leaks"], root) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "FAIL  format"
    assert lines[1].strip() == "--- a.py"
    assert lines[-1] == "ok    leaks"


def test_command_refuses_a_check_that_does_not_exist(tmp_path: Path):
    assert command.main(["nonsense"], tmp_path) == 2


def test_no_registry_is_named_in_the_lock_of_the_node_tools():
    lock = (ROOT / "tools/node/package-lock.json").read_text(encoding="utf-8")
    assert '"integrity"' in lock
    assert "resolved" not in lock
    assert "registry" not in lock


REVIEWED = """
Resources:
  Alarms:
    Type: AWS::SNS::Topic
    Properties:
      KmsMasterKeyId: alias/alarms
  Orders:
    Type: AWS::S3::Bucket
"""


def test_review_finds_what_either_tool_finds_and_nobody_accepted(tree: Tree):
    problems = review.check(tree({"template.yaml": REVIEWED}))
    assert [problem for problem in problems if problem.startswith("Orders: CKV_AWS_")]
    assert [problem for problem in problems if problem.startswith("Orders: s3_")]
    assert not [problem for problem in problems if problem.startswith("Alarms:")]


def test_every_finding_that_is_not_followed_says_why():
    assert all(len(reason) > 20 for _kind, reason in review.ACCEPTED.values())
    assert all(len(reason) > 20 for reason in secrets.ACCEPTED.values())


def test_leaks_finds_a_private_key_anywhere_and_random_text_in_what_ships(tree: Tree):
    marker = "-----BEGIN " + "PRIVATE KEY-----"
    noise = "".join(f"{byte:02x}" for byte in hashlib.sha256(b"x").digest())
    assert secrets.check(tree({"functions/a.py": "A = 1\n", "tests/a.py": f"A = '{noise}'\n"})) == []
    problems = secrets.check(
        tree({"tests/b.py": f"B = '''{marker}'''\n", "functions/a.py": f"A = '{noise}'\n"})
    )
    assert [problem.partition(";")[0] for problem in problems] == [
        "functions/a.py:1: Hex High Entropy String",
        "tests/b.py:1: Private Key",
    ]


def test_secrets_finds_a_key_in_a_file_with_a_chinese_name(tree: Tree):
    marker = "-----BEGIN RSA " + "PRIVATE KEY-----"
    root = tree({"functions/商户密钥.pem": f"{marker}\n"})
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    (problem,) = secrets.check(root)
    assert problem.startswith("functions/商户密钥.pem:1: Private Key")


def test_secrets_reads_only_sources_where_there_is_no_git(tree: Tree):
    marker = "-----BEGIN RSA " + "PRIVATE KEY-----"
    root = tree({".venv/lib/key.pem": marker, "tools/node/node_modules/key.pem": marker, "a.pem": marker})
    (problem,) = secrets.check(root)
    assert problem.startswith("a.pem:1: Private Key")
