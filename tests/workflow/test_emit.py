"""What docs/emit.md shows, run as it stands: each way of emitting settles the order."""

import json
import os
import subprocess
import sys
import time

import pytest

from local.aws.embedded import ROOT
from operations import executions
from tests.docs.markdown import Document
from tools import node
from tools.template import source

PAGE = Document("docs/emit.md")
PATIENCE_SECONDS = 20.0


def python(order, _directory):
    (listing,) = PAGE.of("python")
    return [sys.executable, "-c", f"{listing}\nemit(json.loads({json.dumps(json.dumps(order))}))"]


def javascript(order, _directory):
    (listing,) = PAGE.of("javascript")
    return [node.NODE, "-e", f"{listing}\nemit({json.dumps(order)})"]


def shell(order, directory):
    (listing,) = [block.text for block in PAGE.blocks if block.language == "sh"]
    (directory / "events").mkdir()
    (directory / "events/completed.json").write_text(json.dumps(order), encoding="utf-8")
    return ["sh", "-eu", "-c", listing]


@pytest.mark.parametrize("emitting", [python, javascript, shell])
def test_an_event_emitted_as_the_page_shows_settles_its_order(emitting, order, stack, tmp_path):
    node.install()
    path = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "NODE_PATH": str(node.MODULES), "HOME": str(tmp_path), **stack.environment}
    done = subprocess.run(
        emitting(order, tmp_path), cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert settled(stack, order["out_order_no"])["outcome"] == "COMPLETED"


def settled(stack, out_order_no):
    """The output of the execution that the event has started."""
    client, deadline = stack.client("stepfunctions"), time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        listed = client.list_executions(stateMachineArn=stack.outputs["StateMachineArn"])["executions"]
        for each in listed[:20]:
            described = client.describe_execution(executionArn=each["executionArn"])
            if json.loads(described["input"]).get("out_order_no") == out_order_no:
                return executions.follow(client, each["executionArn"]).output
    raise AssertionError(f"no execution of {out_order_no}")


def test_the_policy_covers_exactly_the_events_that_the_stack_listens_to():
    (text,) = PAGE.of("json")
    (statement,) = json.loads(text)["Statement"]
    defaults = {name: each.get("Default") for name, each in source()["Parameters"].items()}
    assert statement == {
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": f"arn:aws:events:REGION:ACCOUNT:event-bus/{defaults['EventBusName']}",
        "Condition": {
            "StringEquals": {
                "events:source": defaults["TriggerSource"],
                "events:detail-type": "Service Ended",
            }
        },
    }
