"""What the roles allow and deny, on a stack whose embedded AWS enforces the policies of its functions' roles.

A probe runs with each function's own role and tries. The roles of the workflow and of the rule, which the
embedded AWS never enforces, are put to the simulator of IAM policies.
"""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from local.aws.embedded import REGION

PROBE = """
import boto3, botocore.exceptions

def handler(event, context):
    call = getattr(boto3.client(event["service"]), event["operation"])
    try:
        call(**event["arguments"])
    except botocore.exceptions.ClientError as exc:
        return exc.response["Error"]["Code"]
    return "allowed"
"""
DENIED = {"AccessDenied", "AccessDeniedException", "403", "AuthorizationError"}

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
RESOURCES: dict[str, Any] = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))["Resources"]
FUNCTION_ROLES = [
    resource["Properties"]["Role"]["Fn::GetAtt"][0]
    for resource in RESOURCES.values()
    if resource["Type"] == "AWS::Serverless::Function"
]

Probe = Callable[..., str]


@pytest.fixture(scope="session")
def ids(stack) -> dict[str, str]:
    resources = stack.client("cloudformation").describe_stack_resources(StackName=stack.name)[
        "StackResources"
    ]
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}


@pytest.fixture(scope="session")
def things(stack, ids: dict[str, str]) -> None:
    """Resources of somebody else: each exists, so that a denial is not an absence."""
    secrets = stack.client("secretsmanager")
    for name in ("wechatpay/other/1900000001", "wechatpay/merchant", "database"):
        secrets.create_secret(Name=name, SecretString="{}")
    stack.client("dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    stack.client("s3").create_bucket(
        Bucket="receipts", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    stack.client("s3").put_object(Bucket="receipts", Key="x", Body=b"x")
    stack.client("events").create_event_bus(Name="other")
    stack.client("sqs").create_queue(QueueName="other")
    stack.client("logs").create_log_group(logGroupName="/other")
    stack.client("logs").create_log_stream(logGroupName="/other", logStreamName="x")


@pytest.fixture(scope="session", params=FUNCTION_ROLES)
def probe(request: pytest.FixtureRequest, stack, ids: dict[str, str]) -> Probe:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("probe.py", PROBE)
    functions, iam = stack.client("lambda"), stack.client("iam")
    functions.create_function(
        FunctionName=f"probe-{request.param}",
        Runtime="python3.13",
        Handler="probe.handler",
        Role=iam.get_role(RoleName=ids[request.param])["Role"]["Arn"],
        Timeout=20,
        Code={"ZipFile": archive.getvalue()},
    )

    def tried(service: str, operation: str, **arguments: Any) -> str:
        payload = json.dumps({"service": service, "operation": operation, "arguments": arguments})
        reply = functions.invoke(FunctionName=f"probe-{request.param}", Payload=payload)
        answer = json.loads(reply["Payload"].read())
        assert isinstance(answer, str), answer
        return answer

    return tried


def test_the_deployed_function_settles_an_order_with_its_role_enforced(run, order):
    assert run(order()).output["outcome"] == "COMPLETED"


def test_the_function_reads_its_merchants_secret(probe: Probe, simulator):
    name = f"wechatpay/merchants/{simulator.secret()['mchid']}"
    assert probe("secretsmanager", "get_secret_value", SecretId=name) == "allowed"


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("secretsmanager", "get_secret_value", {"SecretId": "wechatpay/other/1900000001"}),
        ("secretsmanager", "get_secret_value", {"SecretId": "wechatpay/merchant"}),
        ("secretsmanager", "get_secret_value", {"SecretId": "database"}),
        ("secretsmanager", "list_secrets", {}),
        (
            "secretsmanager",
            "put_secret_value",
            {"SecretId": "wechatpay/merchants/1900000001", "SecretString": "{}"},
        ),
        ("secretsmanager", "delete_secret", {"SecretId": "wechatpay/merchants/1900000001"}),
        ("secretsmanager", "describe_secret", {"SecretId": "wechatpay/merchants/1900000001"}),
        ("dynamodb", "get_item", {"TableName": "orders", "Key": {"id": {"S": "1"}}}),
        ("dynamodb", "list_tables", {}),
        ("s3", "get_object", {"Bucket": "receipts", "Key": "x"}),
        ("s3", "list_buckets", {}),
        (
            "events",
            "put_events",
            {"Entries": [{"EventBusName": "other", "Source": "x", "DetailType": "x", "Detail": "{}"}]},
        ),
        ("events", "put_events", {"Entries": [{"Source": "x", "DetailType": "x", "Detail": "{}"}]}),
        ("sqs", "list_queues", {}),
        ("stepfunctions", "list_state_machines", {}),
        ("sns", "list_topics", {}),
        ("kms", "list_keys", {}),
        ("iam", "list_roles", {}),
        ("sts", "assume_role", {"RoleArn": "arn:aws:iam::000000000000:role/any", "RoleSessionName": "probe"}),
        ("logs", "get_log_events", {"logGroupName": "/other", "logStreamName": "x"}),
        ("lambda", "list_functions", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_function_is_denied_everything_else(
    service: str, operation: str, arguments: dict[str, Any], probe: Probe, things: None
):
    assert probe(service, operation, **arguments) in DENIED


@pytest.fixture(scope="session")
def allows(stack, ids: dict[str, str]) -> Callable[[str, str, str], bool]:
    iam = stack.client("iam")

    def allowed(role: str, action: str, resource: str) -> bool:
        arn = iam.get_role(RoleName=ids[role])["Role"]["Arn"]
        reply = iam.simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=[action], ResourceArns=[resource]
        )
        (result,) = reply["EvaluationResults"]
        return str(result["EvalDecision"]) == "allowed"

    return allowed


def test_the_workflow_invokes_its_function_by_the_alias_only(stack, allows):
    alias = stack.outputs["CompleteOrderFunctionArn"]
    function = alias.removesuffix(":live")
    assert allows("ServiceEndedRole", "lambda:InvokeFunction", alias)
    for other in (function, f"{function}:1", f"{function}-other:live", f"{alias}x"):
        assert not allows("ServiceEndedRole", "lambda:InvokeFunction", other)
    assert not allows("ServiceEndedRole", "lambda:UpdateFunctionCode", function)


def test_the_workflow_publishes_on_its_bus_only(allows):
    bus = f"arn:aws:events:{REGION}:000000000000:event-bus"
    assert allows("ServiceEndedRole", "events:PutEvents", f"{bus}/default")
    for other in (f"{bus}/other", f"{bus}/default2", f"{bus.replace(REGION, 'eu-west-1')}/default"):
        assert not allows("ServiceEndedRole", "events:PutEvents", other)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:000000000000:secret:wechatpay/x"),
        ("states:StartExecution", f"arn:aws:states:{REGION}:000000000000:stateMachine:any"),
        ("s3:GetObject", "arn:aws:s3:::any/x"),
        ("dynamodb:PutItem", f"arn:aws:dynamodb:{REGION}:000000000000:table/any"),
        ("iam:PassRole", "arn:aws:iam::000000000000:role/any"),
        ("logs:GetLogEvents", f"arn:aws:logs:{REGION}:000000000000:log-group:any"),
        ("logs:DeleteLogGroup", f"arn:aws:logs:{REGION}:000000000000:log-group:any"),
    ],
)
def test_the_workflow_may_do_nothing_else(action: str, resource: str, allows):
    assert not allows("ServiceEndedRole", action, resource)


def test_the_rule_starts_this_workflow_only(stack, allows):
    machine = stack.outputs["StateMachineArn"]
    assert allows("ServiceEndedRuleRole", "states:StartExecution", machine)
    assert not allows("ServiceEndedRuleRole", "states:StartExecution", f"{machine}2")
    assert not allows("ServiceEndedRuleRole", "states:StopExecution", machine)
