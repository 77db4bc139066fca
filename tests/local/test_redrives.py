"""Stopping orders and letting them go on, as on AWS: reserved concurrency and RedriveExecution."""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws
from local.aws.patches.redrives import reason_against

ROLE = "arn:aws:iam::000000000000:role/anyone"
APP = """
def handler(event, context):
    return event
"""
ATTEMPT = (
    "{% {'kept': $kept, 'given': $states.input, 'redrives': $states.context.Execution.RedriveCount,"
    " 'retries': $states.context.State.RetryCount} %}"
)
THROTTLED = "Lambda.TooManyRequestsException"
TEMPLATE = {
    "Resources": {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "reserved",
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": ROLE,
                "Code": {"ZipFile": APP},
                "Timeout": 3,
                "ReservedConcurrentExecutions": 2,
            },
        }
    }
}


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(wait_scale=0) as started:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as code:
            code.writestr("app.py", APP)
        for name in ("first", "second"):
            started.client("lambda").create_function(
                FunctionName=name,
                Runtime="python3.13",
                Handler="app.handler",
                Role=ROLE,
                Code={"ZipFile": archive.getvalue()},
            )
        yield started


@pytest.fixture(scope="module")
def workflow(aws: EmbeddedAws) -> Any:
    return aws.client("stepfunctions")


def call(function: str, payload: str, **fields: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": payload},
        "Output": "{% $states.result.Payload %}",
        **fields,
    }


@pytest.fixture
def machine(workflow: Any, request: pytest.FixtureRequest) -> Callable[..., str]:
    def create(**states: Any) -> str:
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}
        created = workflow.create_state_machine(
            name=request.node.name[:70], definition=json.dumps(definition), roleArn=ROLE
        )
        return str(created["stateMachineArn"])

    return create


@pytest.fixture
def ended(workflow: Any) -> Callable[[str], dict[str, Any]]:
    def wait(arn: str) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while (described := workflow.describe_execution(executionArn=arn))["status"] == "RUNNING":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return dict(described)

    return wait


def test_an_execution_stopped_by_no_concurrency_goes_on_where_it_was(aws, workflow, machine, ended):
    functions = aws.client("lambda")
    functions.put_function_concurrency(FunctionName="second", ReservedConcurrentExecutions=0)
    retry = [{"ErrorEquals": [THROTTLED], "MaxAttempts": 2, "JitterStrategy": "FULL"}]
    states = {
        "First": call("first", "{% $states.input %}", Assign={"kept": "{% 7 %}"}, Next="Second"),
        "Second": call("second", ATTEMPT, Retry=retry, Next="Done"),
        "Done": {"Type": "Succeed"},
    }
    arn = machine(**states)
    execution = workflow.start_execution(stateMachineArn=arn, input='{"n": "一"}')["executionArn"]
    stopped = ended(execution)
    assert (stopped["status"], stopped["error"]) == ("FAILED", THROTTLED)
    assert (stopped["redriveStatus"], stopped["redriveCount"]) == ("REDRIVABLE", 0)

    functions.delete_function_concurrency(FunctionName="second")
    other = {"QueryLanguage": "JSONata", "StartAt": "Other", "States": {"Other": {"Type": "Succeed"}}}
    workflow.update_state_machine(stateMachineArn=arn, definition=json.dumps(other))
    before = len(workflow.get_execution_history(executionArn=execution)["events"])
    workflow.redrive_execution(executionArn=execution, clientToken="one")
    done = ended(execution)

    assert done["status"] == "SUCCEEDED"
    assert json.loads(done["output"]) == {"kept": 7, "given": {"n": "一"}, "redrives": 1, "retries": 0}
    assert (done["redriveCount"], done["redriveStatus"]) == (1, "NOT_REDRIVABLE")
    assert done["redriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"
    assert done["redriveDate"] >= stopped["stopDate"].replace(microsecond=0)
    events = workflow.get_execution_history(executionArn=execution)["events"][before:]
    assert [event["type"] for event in events] == [
        "ExecutionRedriven",
        "TaskScheduled",
        "TaskSucceeded",
        "TaskStateExited",
        "SucceedStateEntered",
        "SucceedStateExited",
        "ExecutionSucceeded",
    ]
    assert events[0]["executionRedrivenEventDetails"] == {"redriveCount": 1}
    (listed,) = workflow.list_executions(stateMachineArn=arn)["executions"]
    assert listed["redriveCount"] == 1


def test_an_aborted_execution_is_redriven_once_for_each_token(workflow, machine, ended):
    activity = workflow.create_activity(name="slow")["activityArn"]
    arn = machine(Slow={"Type": "Task", "Resource": activity, "End": True})
    execution = workflow.start_execution(stateMachineArn=arn)["executionArn"]
    workflow.get_activity_task(activityArn=activity)
    assert workflow.describe_execution(executionArn=execution)["redriveStatus"] == "NOT_REDRIVABLE"
    workflow.stop_execution(executionArn=execution)

    first = workflow.redrive_execution(executionArn=execution, clientToken="one")
    task = workflow.get_activity_task(activityArn=activity)
    again = workflow.redrive_execution(executionArn=execution, clientToken="one")
    with pytest.raises(ClientError, match=r"ExecutionNotRedrivable.*is RUNNING and cannot be redriven"):
        workflow.redrive_execution(executionArn=execution, clientToken="two")
    workflow.send_task_success(taskToken=task["taskToken"], output='"done"')

    assert first["redriveDate"] == again["redriveDate"]
    assert (ended(execution)["output"], ended(execution)["redriveCount"]) == ('"done"', 1)


def test_a_fail_state_is_redriven_and_fails_again(workflow, machine, ended):
    arn = machine(
        Start={"Type": "Pass", "Next": "Failed"}, Failed={"Type": "Fail", "Error": "No", "Cause": "never"}
    )
    execution = workflow.start_execution(stateMachineArn=arn)["executionArn"]
    ended(execution)

    workflow.redrive_execution(executionArn=execution)

    failed = ended(execution)
    assert (failed["status"], failed["error"], failed["redriveCount"]) == ("FAILED", "No", 1)


def test_an_execution_nobody_started_is_not_redriven(workflow):
    arn = "arn:aws:states:us-east-1:000000000000:execution:nothing:nobody"
    with pytest.raises(workflow.exceptions.ExecutionDoesNotExist):
        workflow.redrive_execution(executionArn=arn)


@pytest.mark.parametrize(
    ("changed", "kind", "days", "reason"),
    [
        ({}, "STANDARD", 13.9, None),
        ({"status": "TIMED_OUT"}, "STANDARD", 1, None),
        ({}, "STANDARD", 14, "Execution redrivable period exceeded"),
        ({}, "EXPRESS", 1, "Execution is of type EXPRESS and cannot be redriven"),
        ({"events": [{}] * 24_999}, "STANDARD", 1, "Execution history event limit exceeded"),
    ],
)
def test_what_aws_refuses_to_redrive_is_refused(changed, kind, days, reason):
    ended_at = datetime(2025, 10, 1, tzinfo=UTC)
    execution = {"status": "FAILED", "stopDate": ended_at.isoformat(), "events": [], **changed}
    assert reason_against(execution, kind, ended_at.timestamp() + days * 86400) == reason


def test_a_template_reserves_concurrency_and_leaves_what_a_hand_put(aws):
    formation, functions = aws.client("cloudformation"), aws.client("lambda")

    def deployed(action: Callable[..., Any], waiter: str, **changes: Any) -> int | None:
        properties = TEMPLATE["Resources"]["Function"]["Properties"] | changes
        resource = TEMPLATE["Resources"]["Function"] | {"Properties": properties}
        action(StackName="reserved", TemplateBody=json.dumps({"Resources": {"Function": resource}}))
        formation.get_waiter(waiter).wait(StackName="reserved", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
        return functions.get_function_concurrency(FunctionName="reserved").get("ReservedConcurrentExecutions")

    assert deployed(formation.create_stack, "stack_create_complete") == 2
    functions.put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=0)
    assert deployed(formation.update_stack, "stack_update_complete", Timeout=4) == 0
    assert (
        deployed(formation.update_stack, "stack_update_complete", Timeout=4, ReservedConcurrentExecutions=5)
        == 5
    )
