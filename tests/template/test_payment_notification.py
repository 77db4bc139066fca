"""The optional path for payment notifications: only there when asked for, public, and limited."""

import json
from typing import Any

import pytest

from .conftest import Template, source
from .test_security import of_type, statements

OWN = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Policy",
    "AWS::Lambda::Permission",
}
TABLE = {"Fn::GetAtt": ["WaitingOrders", "Arn"]}


@pytest.fixture
def waits(workflow: Template) -> tuple[dict[str, Any], dict[str, Any]]:
    """The wait by the clock, and the one that a notification ends early."""
    return workflow["States"]["AwaitPayment"], workflow["States"]["AwaitNotification"]


def test_off_leaves_no_resource_of_it_in_the_stack(resources: Template):
    named = {name for name in resources if name.startswith(("PaymentNotice", "PaymentNotification"))} | {
        "WaitingOrders",
        "WaitForNotifications",
        "NotificationErrorsAlarm",
    }
    assert source()["Conditions"]["HearsNotifications"] == {
        "Fn::Equals": [{"Ref": "PaymentNotification"}, "On"]
    }
    assert {name for name, r in resources.items() if r.get("Condition") == "HearsNotifications"} == named
    assert {resources[name]["Type"] for name in named} >= OWN
    assert {name for name, r in resources.items() if r["Type"] in OWN} <= named


def test_off_gives_the_workflow_no_table_and_so_the_wait_by_the_clock(
    resources: Template, workflow: Template
):
    substitutions = resources["ServiceEndedStateMachine"]["Properties"]["DefinitionSubstitutions"]
    assert substitutions["WaitingOrders"] == {
        "Fn::If": ["HearsNotifications", {"Ref": "WaitingOrders"}, "off"]
    }
    payment = workflow["States"]["Payment"]
    assert payment["Choices"][-1] == {
        "Condition": '{% "${WaitingOrders}" != "off" %}',
        "Next": "AwaitNotification",
    }
    assert payment["Default"] == "AwaitPayment"


def test_both_waits_are_as_long_and_count_alike(waits: tuple[dict[str, Any], dict[str, Any]]):
    clock, notification = waits
    over, broken = notification["Catch"]
    assert clock["Seconds"] == notification["TimeoutSeconds"] == "{% $pause %}"
    assert over == {
        "ErrorEquals": ["States.Timeout"],
        "Output": "{% $states.input %}",
        "Assign": clock["Assign"],
        "Next": clock["Next"],
    }
    assert broken == {"ErrorEquals": ["States.ALL"], "Output": "{% $states.input %}", "Next": "AwaitPayment"}


def test_a_notification_only_ends_the_wait_and_the_workflow_queries(
    waits: tuple[dict[str, Any], dict[str, Any]],
):
    _, notification = waits
    assert (notification["Next"], notification["Output"]) == ("QueryOrder", "{% $states.input %}")
    assert "Assign" not in notification


def test_the_function_wakes_this_workflow_only_and_publishes_nothing(resources: Template):
    allowed = statements(resources["PaymentNotificationRole"]["Properties"])
    granted = {sid: (s["Action"], s["Resource"]) for sid, s in allowed.items()}
    execution = "states:${AWS::Region}:${AWS::AccountId}:execution:${ServiceEndedStateMachine.Name}:*"
    assert granted["FindWaitingOrders"] == ("dynamodb:GetItem", TABLE)
    assert granted["WakeExecutions"] == ("states:SendTaskSuccess", {"Ref": "ServiceEndedStateMachine"})
    assert granted["SeeWhetherTheyRun"] == (
        "states:DescribeExecution",
        {"Fn::Sub": f"arn:${{AWS::Partition}}:{execution}"},
    )


def test_the_workflow_writes_waiting_orders_and_cannot_read_them(resources: Template):
    policy = of_type(resources, "AWS::IAM::Policy")["WaitForNotifications"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("dynamodb:PutItem", TABLE)
    assert policy["Roles"] == [{"Ref": "ServiceEndedRole"}]


def test_waiting_orders_are_encrypted_and_forgotten(resources: Template):
    table = resources["WaitingOrders"]["Properties"]
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_the_public_route_is_throttled_and_ends_within_5_s(resources: Template):
    (stage,) = of_type(resources, "AWS::ApiGatewayV2::Stage").values()
    (route,) = of_type(resources, "AWS::ApiGatewayV2::Route").values()
    (integration,) = of_type(resources, "AWS::ApiGatewayV2::Integration").values()
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 100}
    assert route["RouteKey"] == "POST /wechatpay/notices/{mchid}"
    assert integration["TimeoutInMillis"] == 5000
    assert resources["PaymentNotificationFunction"]["Properties"]["Timeout"] == 5


def test_access_logs_hold_nothing_of_an_order(resources: Template):
    (stage,) = of_type(resources, "AWS::ApiGatewayV2::Stage").values()
    logged = json.loads(stage["AccessLogSettings"]["Format"])
    assert set(logged.values()) == {
        "$context.requestId",
        "$context.requestTimeEpoch",
        "$context.identity.sourceIp",
        "$context.status",
        "$context.responseLatency",
        "$context.responseLength",
    }


def test_only_this_api_may_invoke_the_function(resources: Template):
    permission = resources["PaymentNotificationPermission"]["Properties"]
    assert permission["FunctionName"] == {"Ref": "PaymentNotificationFunctionAliaslive"}
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"]["Fn::Sub"].endswith(":${PaymentNoticeApi}/*/POST/wechatpay/notices/*")
