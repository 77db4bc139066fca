"""The commands of the READMEs, run as they stand: the documentation is a test of its own."""

import os
import re
import shlex
import subprocess
import time

import boto3
import pytest
from botocore import xform_name

from local.stack import Stack
from operations import executions
from tests.docs.markdown import ROOT, Document

README, REFERENCE = Document("README.md"), Document("docs/reference.md")
PATIENCE_SECONDS = 30
RUN = [
    block.text
    for page in (README, REFERENCE)
    for block in page.blocks
    if block.language == "sh" and block.run
]
DOWN = next(block for block in RUN if block.startswith("make down "))
# What `make test`, which may have started this, was given: here it is the reader who calls make.
_OF_MAKE = ("MAKE", "MFLAGS", "ARGS", "EVENT", "PARAMS", "WAIT_SCALE", "WECHATPAY_HOSTS")


class Shell:
    """A shell in the repository, but with a home, and a directory for what runs, of this test's own."""

    def __init__(self, directory):
        self.state, self.home = directory / "local", directory / "home"
        self.state.mkdir()
        self.home.mkdir()

    def __call__(self, *blocks):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OF_MAKE)}
        return subprocess.run(
            ["/bin/sh", "-eu"],
            cwd=ROOT,
            input="".join(blocks).replace(".local/", f"{self.state}/"),
            env={
                **inherited,
                "AWS_PORT": "0",
                "HOME": str(self.home),
                "LOCAL_STATE": str(self.state),
                "PATH": f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
        )

    def stack(self):
        said = self(f". {self.state / 'env'}; env -0")
        environment = dict(each.split("=", 1) for each in said.stdout.split("\0") if "=" in each)
        return Stack.find(environment, environment["STACK_NAME"])


@pytest.fixture
def shell(tmp_path):
    shell = Shell(tmp_path)
    yield shell
    assert shell(DOWN).returncode == 0


# One test, because it takes one stack: a worker of its own for each part would start one each.
def test_readme_and_reference_settle_orders_and_store_a_secret(shell):
    ran = shell(*(block for block in RUN if block != DOWN))

    assert ran.returncode == 0, ran.stdout + ran.stderr
    excerpt = next(text for text in REFERENCE.of("text") if "SUCCEEDED" in text).removesuffix("  …\n")
    assert _constant(excerpt) in _constant(ran.stdout)
    stack = shell.stack()
    assert _outcomes(stack, count=3) == ["COMPLETED"] * 3
    # The simulated merchant is onboarded from its files, over the secret that `make up` has stored.
    described = stack.client("secretsmanager").describe_secret(SecretId="wechatpay/merchants/1900000001")
    assert "certificate-serial" in [tag["Key"] for tag in described["Tags"]]


def test_the_readme_puts_a_stack_up_and_takes_it_down():
    assert RUN[0].startswith("make up ")
    assert RUN.count(DOWN) == 1
    assert README.text.count(DOWN) == 1


def _constant(text):
    """Without what differs from run to run."""
    text = re.sub(r"StateMachine-\S+:settle-\S+", "StateMachine-…:settle-…", text)
    return re.sub(r" *\d+\.\d s", " 1.0 s", text)


def _outcomes(stack, count):
    """Outcomes of so many executions; an event on the bus starts one only a moment later."""
    client, found = stack.client("stepfunctions"), []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(found) < count and time.monotonic() < deadline:
        found = client.list_executions(stateMachineArn=stack.outputs["StateMachineArn"])["executions"]
    return [executions.follow(client, each["executionArn"]).output["outcome"] for each in found]


def test_aws_commands_in_the_text_have_their_names_right():
    session = boto3.Session()._session
    commands = [shlex.split(span) for span in REFERENCE.spans if span.startswith("aws ")]
    assert commands
    for _, service, operation, *arguments in commands:
        model = session.get_service_model(service)
        names = {xform_name(name, "-"): name for name in model.operation_names}
        members = model.operation_model(names[operation]).input_shape.members
        known = {f"--{xform_name(member, '-')}" for member in members}
        assert {argument for argument in arguments if argument.startswith("--")} <= known
