"""How a new version is deployed: at once by default, gradually with a rollback when asked."""

import pytest

from .conftest import Template, source, translate
from .test_security import of_type, statements

WAYS = source()["Parameters"]["GradualDeployment"]["AllowedValues"][1:]
NOTHING = {"Ref": "AWS::NoValue"}


@pytest.fixture(params=WAYS)
def gradual(request: pytest.FixtureRequest, partition: str) -> Template:
    resources: Template = translate(partition, {"GradualDeployment": str(request.param)})["Resources"]
    return resources


def test_codedeploy_is_absent_by_default(resources: Template):
    kinds = {resource["Type"] for resource in resources.values() if "Condition" not in resource}
    assert not [kind for kind in kinds if kind.startswith("AWS::CodeDeploy::")]
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
    role = {"Fn::GetAtt": ["DeploymentRole", "Arn"]}
    assert group["ServiceRoleArn"] == {"Fn::If": ["DeploysGradually", role, NOTHING]}


def test_codedeploy_moves_only_these_aliases(gradual: Template):
    allowed = statements(gradual["DeploymentRole"]["Properties"])
    assert set(allowed["MoveTheAliases"]["Action"]) == {
        "lambda:GetAlias",
        "lambda:UpdateAlias",
        "lambda:GetProvisionedConcurrencyConfig",
    }
    assert not [r for r in allowed["MoveTheAliases"]["Resource"] if "*" in str(r)]


def test_every_way_for_the_function_has_its_equal_for_the_workflow(gradual: Template):
    condition, preference, otherwise = gradual["ServiceEndedAlias"]["Properties"]["DeploymentPreference"][
        "Fn::If"
    ]
    assert (condition, otherwise) == ("DeploysGradually", NOTHING)
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


def test_the_alias_points_at_the_newest_version_when_nothing_is_gradual(resources: Template):
    routing = resources["ServiceEndedAlias"]["Properties"]["RoutingConfiguration"]["Fn::If"]
    whole = [{"StateMachineVersionArn": {"Ref": "ServiceEndedVersion"}, "Weight": 100}]
    assert routing == ["DeploysGradually", NOTHING, whole]


def test_switching_gradual_deployment_never_makes_a_version_twice(resources: Template):
    # A retained version cannot be made again for the same revision: it is there whatever the parameter.
    for name in ("ServiceEndedVersion", "ServiceEndedAlias"):
        assert "Condition" not in resources[name]


def test_a_version_of_the_workflow_outlives_what_replaces_it(gradual: Template):
    version = gradual["ServiceEndedVersion"]
    assert version["UpdateReplacePolicy"] == version["DeletionPolicy"] == "Retain"
    revision = {"Fn::GetAtt": ["ServiceEndedStateMachine", "StateMachineRevisionId"]}
    assert version["Properties"]["StateMachineRevisionId"] == revision


def test_whoever_starts_executions_by_the_output_needs_no_alias():
    assert source()["Outputs"]["StateMachineArn"]["Value"] == {"Ref": "ServiceEndedStateMachine"}


def test_the_same_release_can_be_deployed_again_after_a_rollback(resources: Template):
    # A version that is kept would be refused: SAM names it by the release's content.
    versions = [r for r in resources.values() if r["Type"] == "AWS::Lambda::Version"]
    assert {version["DeletionPolicy"] for version in versions} == {"Delete"}
