"""Each check passes a tree that is right and fails one that is wrong in the way it is there to find."""

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.checks import __main__ as command
from tools.checks import review, secrets, tools, workflow

from .conftest import ROOT, plant

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


def test_types_finds_a_wrong_call_into_the_layer_and_what_is_not_annotated(copy: Path):
    plant(copy, "query_order.app", "from wechatpay import orders\n\norders.OrderKey(1, '', '', '')")
    plant(copy, "complete_order.app", "def f(x):\n    return x")
    (report,) = tools.types(copy)
    lines = [line for line in report.splitlines() if " error: " in line]
    errors = {(line.partition(":")[0], line.split()[-1]) for line in lines}
    assert ("functions/query_order/app.py", "[arg-type]") in errors
    assert ("functions/complete_order/app.py", "[no-untyped-def]") in errors


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
