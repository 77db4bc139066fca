"""The commands of README, reference and runbook, run as they stand, on one stack: `make commands`.

The Chinese pages have the same commands: test_documents and test_runbook compare them.
"""

import json
import os
import re
import subprocess
import time

import pytest

from local.stack import Stack
from operations import executions
from tests.docs.markdown import ROOT, Document

README, REFERENCE = Document("README.md"), Document("docs/reference.md")
RUNBOOK = Document("docs/operations.md")
PATIENCE_SECONDS = 30
RUN = [*README.to_run(), *REFERENCE.to_run()]
DOWN = next(block for block in RUN if block.startswith("make down "))
# What `make commands`, which may have started this, was given: here it is the reader who calls make.
_OF_MAKE = ("MAKE", "MFLAGS", "ARGS", "EVENT", "PARAMS", "WAIT_SCALE", "WECHATPAY_HOSTS")


class Shell:
    """A shell in the repository, but with a home, and a directory for what runs, of this test's own."""

    def __init__(self, directory):
        self.state, self.home = directory / "local", directory / "home"
        self.state.mkdir()
        self.home.mkdir()

    def __call__(self, *blocks, **variables):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OF_MAKE)}
        return subprocess.run(
            ["/bin/sh", "-eu", "-c", "".join(blocks).replace(".local/", f"{self.state}/")],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            env={
                **inherited,
                "AWS_PORT": "0",
                "HOME": str(self.home),
                "LOCAL_STATE": str(self.state),
                "PATH": f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}",
                **variables,
            },
            capture_output=True,
            text=True,
        )

    def stack(self):
        printed = self(f". {self.state / 'env'}; env -0")
        environment = dict(each.split("=", 1) for each in printed.stdout.split("\0") if "=" in each)
        return Stack.find(environment, environment["STACK_NAME"])


@pytest.fixture
def shell(tmp_path):
    shell = Shell(tmp_path)
    yield shell
    assert shell(DOWN).returncode == 0


# One test, because it takes one stack: a worker of its own for each part would start one each.
def test_readme_reference_and_runbook_run_as_they_stand(shell):
    _readme_and_reference_settle_orders_and_store_a_secret(shell)
    stack = shell.stack()
    on_call = OnCall(shell)
    on_call.trouble_begins()
    on_call.one_order_failed(stack)
    on_call.orders_are_stuck(stack)
    on_call.everything_is_stopped(stack)
    on_call.the_certificate_expires()
    on_call.dead_letters_are_started(stack)
    assert "nothing is stuck" in on_call("make stuck\n")


def _readme_and_reference_settle_orders_and_store_a_secret(shell):
    ran = shell(*(block for block in RUN if block != DOWN))

    assert ran.returncode == 0, ran.stdout + ran.stderr
    excerpt = next(text for text in REFERENCE.of("text") if "SUCCEEDED" in text).removesuffix("  …\n")
    assert _constant(excerpt) in _constant(ran.stdout)
    stack = shell.stack()
    assert _outcomes(stack, count=3) == ["COMPLETED"] * 3
    # The simulated merchant is onboarded from its files, over the secret that `make up` has stored.
    described = stack.client("secretsmanager").describe_secret(SecretId="wechatpay/merchants/1900000001")
    assert "certificate-serial" in [tag["Key"] for tag in described["Tags"]]


class OnCall:
    """An engineer who has only the runbook: one shell for each of its procedures."""

    def __init__(self, shell):
        self.shell = shell
        *self.functions, self.trouble, self.expired = RUNBOOK.to_run("Set up this shell")

    def __call__(self, *blocks, **variables):
        ran = self.shell(". .local/env\n", *self.functions, *blocks, **variables)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def trouble_begins(self):
        printed = self(self.trouble)
        assert "error: REJECTED" in printed
        assert "error: MerchantMisconfigured" in printed

    def one_order_failed(self, stack):
        show, dry_run, take, send = RUNBOOK.to_run("One order failed")
        printed = self(show, dry_run)
        assert "what to do 处理建议" in printed
        assert "correct and resubmit 修正后重发" in printed
        assert "1 would be started" in printed

        (failed,) = re.findall(r"^  (arn:\S+)$", printed.partition("correct and resubmit")[2], re.MULTILINE)
        self(take, EXECUTION=failed)
        file = self.shell.state / "corrected.json"
        event = json.loads(file.read_text(encoding="utf-8"))
        event["total_amount"] = event["fees"][0]["fee_amount"] = 300
        file.write_text(json.dumps(event), encoding="utf-8")
        sent = json.loads(self(send))
        assert executions.follow(stack.client("stepfunctions"), sent["executionArn"]).status == "SUCCEEDED"
        assert f"{event['out_order_no']}: settled" in self(show)

    def orders_are_stuck(self, stack):
        stuck, dry_run, redrive = RUNBOOK.to_run("Orders are stuck")
        printed = self(stuck, dry_run)
        assert "1 redrive 重新驱动" in printed
        assert "1 would be started" in printed
        (arn,) = re.findall(r"^started: \S+ (arn:\S+)$", self(redrive), re.MULTILINE)
        assert executions.follow(stack.client("stepfunctions"), arn).status == "SUCCEEDED"

    def everything_is_stopped(self, stack):
        stop, is_stopped, go_on = RUNBOOK.to_run("Stop everything")
        assert self(stop, is_stopped).splitlines()[-2:] == ["0", "0"]

        arn = stack.start((ROOT / "events/completed.json").read_text(encoding="utf-8"), "stopped")
        client = stack.client("stepfunctions")
        throttled = "Lambda.TooManyRequestsException"
        _until(lambda: throttled in str(client.get_execution_history(executionArn=arn)["events"]))
        assert client.describe_execution(executionArn=arn)["status"] == "RUNNING"

        assert "nothing is stuck" in self(go_on)
        assert executions.follow(client, arn).status == "SUCCEEDED"

    def the_certificate_expires(self):
        store, check = RUNBOOK.to_run("Key rotation")
        self(self.expired)
        assert "expired on 2025-10-02" in self.shell(". .local/env\n", "make expiry\n").stdout
        self(store)
        assert "valid until" in self(check)

    def dead_letters_are_started(self, stack):
        (loop,) = RUNBOOK.to_run("Backfill")
        assert self(loop) == ""
        order = json.loads((ROOT / "events/completed.json").read_text(encoding="utf-8"))
        described = stack.client("cloudformation").describe_stack_resource(
            StackName=stack.name, LogicalResourceId="ServiceEndedDeadLetters"
        )
        queue = described["StackResourceDetail"]["PhysicalResourceId"]
        for body in (order, {"detail-type": "Service Ended", "detail": order}):
            stack.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(body))
        started = re.findall(r'"executionArn": "(arn:\S+)"', self(loop))
        client = stack.client("stepfunctions")
        assert [executions.follow(client, each).status for each in started] == ["SUCCEEDED"] * 2
        assert "Messages" not in stack.client("sqs").receive_message(QueueUrl=queue, VisibilityTimeout=0)


def _until(true):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline


def _constant(text):
    """Without what differs from run to run."""
    text = re.sub(r"StateMachine-\S+:settle-\S+", "StateMachine-…:settle-…", text)
    return re.sub(r" *\d+\.\d s", " 1.0 s", text)


def _outcomes(stack, count):
    """Outcomes of so many executions; an event on the bus starts one only a moment later."""
    client, started = stack.client("stepfunctions"), []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(started) < count and time.monotonic() < deadline:
        started = client.list_executions(stateMachineArn=stack.outputs["StateMachineArn"])["executions"]
    return [executions.follow(client, each["executionArn"]).output["outcome"] for each in started]
