"""Permissions, encryption and retention on the translated template of each partition."""

from typing import Any

import pytest

from .conftest import Template

NOTHING = {"Ref": "AWS::NoValue"}
NETWORK_INTERFACES = {
    "Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaENIManagementAccess"
}
CODEDEPLOY = {
    "Fn::If": [
        "InChina",
        {"Fn::Sub": "codedeploy.${AWS::Region}.${AWS::URLSuffix}"},
        "codedeploy.amazonaws.com",
    ]
}
ROLES = {
    "CompleteOrderRole": ("lambda.amazonaws.com", {"ReadMerchantSecrets", "WriteOwnLogs"}),
    "QueryOrderRole": ("lambda.amazonaws.com", {"ReadMerchantSecrets", "WriteOwnLogs"}),
    "PaymentNotificationRole": (
        "lambda.amazonaws.com",
        {"ReadMerchantSecrets", "FindWaitingOrders", "WakeExecutions", "SeeWhetherTheyRun", "WriteOwnLogs"},
    ),
    "ServiceEndedRole": ("states.amazonaws.com", {"InvokeFunctions", "PublishOutcomes", "DeliverLogs"}),
    "ServiceEndedRuleRole": ("events.amazonaws.com", {"StartServiceEnded"}),
    "DeploymentRole": (CODEDEPLOY, {"MoveTheAliases", "WatchTheAlarms"}),
}
# What a rule starts: the alias only when deployments are gradual.
STARTED = {"Fn::If": ["DeploysGradually", {"Ref": "ServiceEndedAlias"}, {"Ref": "ServiceEndedStateMachine"}]}
LOG_DELIVERY = {
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}


def of_type(resources: Template, kind: str) -> dict[str, Any]:
    return {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == kind}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(role: dict[str, Any]) -> dict[str, Any]:
    """The statements that a role always has."""
    every = [s for policy in role["Policies"] for s in policy["PolicyDocument"]["Statement"]]
    return {s["Sid"]: s for s in every if "Fn::If" not in s}


def optional(role: dict[str, Any]) -> list[Any]:
    """What a role has under a condition: the condition, the statement, and nothing otherwise."""
    every = [s for policy in role["Policies"] for s in policy["PolicyDocument"]["Statement"]]
    return [s["Fn::If"] for s in every if "Fn::If" in s]


def test_there_are_no_roles_or_policies_but_these(resources: Template):
    assert of_type(resources, "AWS::IAM::Role").keys() == ROLES.keys()
    assert of_type(resources, "AWS::IAM::Policy").keys() == {"WaitForNotifications"}
    assert not of_type(resources, "AWS::IAM::ManagedPolicy")


@pytest.mark.parametrize("name", ROLES)
def test_role_trusts_one_service_and_has_only_its_own_statements(name: str, resources: Template):
    role = of_type(resources, "AWS::IAM::Role")[name]
    service, sids = ROLES[name]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": service}
    assert statements(role).keys() == sids
    boundary = ["HasPermissionsBoundary", {"Ref": "PermissionsBoundaryArn"}, NOTHING]
    assert role["PermissionsBoundary"] == {"Fn::If": boundary}
    if service == "lambda.amazonaws.com":
        assert role["ManagedPolicyArns"] == {"Fn::If": ["InVpc", [NETWORK_INTERFACES], NOTHING]}
    else:
        assert "ManagedPolicyArns" not in role


def test_only_log_delivery_has_no_resource(resources: Template):
    for role in of_type(resources, "AWS::IAM::Role").values():
        for sid, statement in statements(role).items():
            assert statement["Effect"] == "Allow"
            assert not [action for action in listed(statement["Action"]) if "*" in action]
            if "*" in listed(statement["Resource"]):
                assert (sid, set(statement["Action"])) == ("DeliverLogs", LOG_DELIVERY)


@pytest.mark.parametrize("name", ["CompleteOrder", "QueryOrder", "PaymentNotification"])
def test_a_function_reads_the_secrets_and_writes_its_own_log_group(name: str, resources: Template):
    allowed = statements(resources[f"{name}Role"]["Properties"])
    secrets, logs = allowed["ReadMerchantSecrets"], allowed["WriteOwnLogs"]
    assert listed(secrets["Action"]) == ["secretsmanager:GetSecretValue"]
    prefix = "secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${MerchantSecretPrefix}*"
    assert secrets["Resource"] == {"Fn::Sub": "arn:${AWS::Partition}:" + prefix}
    assert set(logs["Action"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    group = resources[f"{name}Function"]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
    assert logs["Resource"] == {"Fn::GetAtt": [group, "Arn"]}


def test_functions_decrypt_with_the_given_key_for_secrets_manager_only(
    resources: Template,
):
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        expected = ROLES[name][0] == "lambda.amazonaws.com"
        assert len(optional(role)) == expected
        for condition, statement, otherwise in optional(role):
            assert (condition, otherwise) == ("HasSecretKey", NOTHING)
            assert (statement["Action"], statement["Resource"]) == ("kms:Decrypt", {"Ref": "SecretKmsKeyArn"})
            via = {"kms:ViaService": {"Fn::Sub": "secretsmanager.${AWS::Region}.amazonaws.com*"}}
            assert statement["Condition"] == {"StringLike": via}


def test_every_function_is_in_the_vpc_that_is_given(resources: Template):
    inside = {"SubnetIds": {"Ref": "VpcSubnetIds"}, "SecurityGroupIds": {"Ref": "VpcSecurityGroupIds"}}
    for function in of_type(resources, "AWS::Lambda::Function").values():
        assert function["VpcConfig"] == {"Fn::If": ["InVpc", inside, NOTHING]}


def test_workflow_invokes_the_aliases_and_publishes_on_one_bus(resources: Template):
    allowed = statements(resources["ServiceEndedRole"]["Properties"])
    invoke, publish = allowed["InvokeFunctions"], allowed["PublishOutcomes"]
    assert (invoke["Action"], invoke["Resource"]) == (
        "lambda:InvokeFunction",
        [{"Ref": "CompleteOrderFunctionAliaslive"}, {"Ref": "QueryOrderFunctionAliaslive"}],
    )
    bus = "events:${AWS::Region}:${AWS::AccountId}:event-bus/${EventBusName}"
    assert (publish["Action"], publish["Resource"]) == (
        "events:PutEvents",
        {"Fn::Sub": "arn:${AWS::Partition}:" + bus},
    )


@pytest.mark.parametrize(
    ("state", "name"), [("ServiceEnded", "CompleteOrderFunction"), ("QueryOrder", "QueryOrderFunction")]
)
def test_workflow_calls_the_alias_that_it_may_invoke(
    state: str, name: str, resources: Template, workflow: Template
):
    substituted = resources["ServiceEndedStateMachine"]["Properties"]["DefinitionSubstitutions"]
    assert workflow["States"][state]["Arguments"]["FunctionName"] == f"${{{name}}}"
    assert substituted[name] == {"Ref": f"{name}Aliaslive"}


def test_rule_starts_this_state_machine_and_no_other(resources: Template):
    (statement,) = statements(resources["ServiceEndedRuleRole"]["Properties"]).values()
    assert statement["Action"] == "states:StartExecution"
    # An alias is authorised by its machine's ARN.
    assert statement["Resource"] == [{"Ref": "ServiceEndedStateMachine"}, {"Ref": "ServiceEndedAlias"}]


def test_the_rule_hands_over_the_detail_and_keeps_what_it_cannot_deliver(resources: Template):
    rule = resources["ServiceEndedRule"]["Properties"]
    assert rule["EventBusName"] == {"Ref": "EventBusName"}
    assert rule["EventPattern"] == {"source": [{"Ref": "TriggerSource"}], "detail-type": ["Service Ended"]}
    (target,) = rule["Targets"]
    assert target["Arn"] == STARTED
    assert target["InputPath"] == "$.detail"
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["ServiceEndedDeadLetters", "Arn"]}}


def test_dead_letters_are_encrypted_and_kept_as_long_as_sqs_can(resources: Template):
    (queue,) = of_type(resources, "AWS::SQS::Queue").values()
    assert queue == {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": 14 * 24 * 3600}


def test_only_the_trigger_rule_sends_dead_letters(resources: Template):
    (policy,) = of_type(resources, "AWS::SQS::QueuePolicy").values()
    assert policy["Queues"] == [{"Ref": "ServiceEndedDeadLetters"}]
    allowed = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert [(s["Action"], s["Principal"], s["Condition"]) for s in allowed] == [
        (
            "sqs:SendMessage",
            {"Service": "events.amazonaws.com"},
            {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["ServiceEndedRule", "Arn"]}}},
        )
    ]


def test_every_log_group_is_declared_and_has_a_retention(resources: Template):
    groups = of_type(resources, "AWS::Logs::LogGroup")
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())
    names = {group["LogGroupName"]["Fn::Sub"].split("$")[0] for group in groups.values()}
    assert names == {"/aws/lambda/", "/aws/vendedlogs/states/", "/aws/vendedlogs/apigateway/"}
    for function in of_type(resources, "AWS::Lambda::Function").values():
        assert function["LoggingConfig"]["LogGroup"]["Ref"] in groups


def test_executions_are_logged_without_their_data(resources: Template):
    logging = resources["ServiceEndedStateMachine"]["Properties"]["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", False)


def test_the_stack_never_holds_a_secret(resources: Template):
    assert not of_type(resources, "AWS::SecretsManager::Secret")
