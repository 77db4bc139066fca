"""How a new version comes to the orders: at once by default, gradually and with a way back when asked."""

import pytest

from .conftest import Template, source, translate
from .test_security import of_type, statements

WAYS = source()["Parameters"]["GradualDeployment"]["AllowedValues"][1:]
GRADUAL_ONLY = {"AWS::StepFunctions::StateMachineVersion", "AWS::StepFunctions::StateMachineAlias"}


@pytest.fixture(params=WAYS)
def gradual(request: pytest.FixtureRequest, partition: str) -> Template:
    resources: Template = translate(partition, {"GradualDeployment": str(request.param)})["Resources"]
    return resources


def test_by_default_nothing_of_codedeploy_is_there(resources: Template):
    kinds = {resource["Type"] for resource in resources.values() if "Condition" not in resource}
    assert not [kind for kind in kinds if kind.startswith("AWS::CodeDeploy::")]
    assert not GRADUAL_ONLY & kinds
    assert "UpdatePolicy" not in resources["CompleteOrderFunctionAliaslive"]


@pytest.mark.parametrize(
    ("name", "alarms"),
    [
        (
            "CompleteOrderFunction",
            {"FunctionErrorsAlarm", "MerchantMisconfiguredAlarm", "UnverifiableReplyAlarm"},
        ),
        ("QueryOrderFunction", {"QueryErrorsAlarm"}),
    ],
)
def test_the_alias_of_a_function_moves_by_codedeploy_and_back_on_an_alarm(
    name: str, alarms: set[str], gradual: Template
):
    policy = gradual[f"{name}Aliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    group = gradual[policy["DeploymentGroupName"]["Ref"]]["Properties"]
    assert group["AutoRollbackConfiguration"]["Enabled"] is True
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    assert {alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]} == alarms
    assert group["ServiceRoleArn"] == {"Fn::GetAtt": ["DeploymentRole", "Arn"]}


def test_codedeploy_moves_only_these_aliases(gradual: Template):
    allowed = statements(gradual["DeploymentRole"]["Properties"])
    assert set(allowed["MoveTheAliases"]["Action"]) == {
        "lambda:GetAlias",
        "lambda:UpdateAlias",
        "lambda:GetProvisionedConcurrencyConfig",
    }
    assert not [r for r in allowed["MoveTheAliases"]["Resource"] if "*" in str(r)]


def test_every_way_for_the_function_has_its_equal_for_the_workflow(gradual: Template):
    alias = gradual["ServiceEndedAlias"]
    assert alias["Condition"] == "DeploysGradually"
    preference = alias["Properties"]["DeploymentPreference"]
    assert {alarm["Ref"] for alarm in preference["Alarms"]} <= of_type(
        gradual, "AWS::CloudWatch::Alarm"
    ).keys()
    for way in WAYS:
        mapped = source()["Mappings"]["Deployments"][way]
        kind = "Linear" if mapped["Type"] == "LINEAR" else "Canary"
        every = f"{'Every' if kind == 'Linear' else ''}{mapped['Minutes']}"
        unit = "Minute" if mapped["Minutes"] == 1 else "Minutes"
        assert way == f"{kind}{mapped['Percentage']}Percent{every}{unit}"
        assert mapped["Enabled"] == "true"


def test_a_version_of_the_workflow_outlives_what_replaces_it(gradual: Template):
    version = gradual["ServiceEndedVersion"]
    assert version["Condition"] == "DeploysGradually"
    assert version["UpdateReplacePolicy"] == version["DeletionPolicy"] == "Retain"
    revision = {"Fn::GetAtt": ["ServiceEndedStateMachine", "StateMachineRevisionId"]}
    assert version["Properties"]["StateMachineRevisionId"] == revision


def test_whoever_starts_executions_by_the_output_needs_no_alias():
    assert source()["Outputs"]["StateMachineArn"]["Value"] == {"Ref": "ServiceEndedStateMachine"}
