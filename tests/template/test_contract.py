"""Names that users, other systems and the local stack rely on."""

import re
from typing import Any

import pytest

from .conftest import Template, source, translate

PARAMETERS = {
    "MerchantSecretPrefix": "wechatpay/merchants/",
    "DefaultMchid": "",
    "WeChatPayHosts": "https://api.mch.weixin.qq.com,https://api2.mch.weixin.qq.com",
    "TriggerSource": "smartretail.cabinet",
    "EventBusName": "default",
    "PaymentWaitDays": 7,
    "PaymentNotification": "Off",
    "AlarmEmail": "",
    "LogRetentionDays": 180,
    "ReservedConcurrency": "",
    "FunctionMemory": 512,
    "Architecture": "x86_64",
    "SnapStart": "Off",
    "NoSuccessHours": 0,
    "GradualDeployment": "Off",
    "SecretKmsKeyArn": "",
    "VpcSubnetIds": "",
    "VpcSecurityGroupIds": "",
    "PermissionsBoundaryArn": "",
}

HANDLERS = {
    "CompleteOrderFunction": "complete_order.app.lambda_handler",
    "QueryOrderFunction": "query_order.app.lambda_handler",
    "PaymentNotificationFunction": "payment_notification.app.lambda_handler",
}


def test_parameters_are_those_of_the_contract_and_all_have_defaults():
    assert {name: declared["Default"] for name, declared in source()["Parameters"].items()} == PARAMETERS


def test_outputs_are_those_of_the_contract():
    outputs = source()["Outputs"]
    assert outputs.pop("PaymentNotificationUrl")["Condition"] == "HearsNotifications"
    assert {name: output["Value"] for name, output in outputs.items()} == {
        "StateMachineArn": {"Ref": "ServiceEndedStateMachine"},
        "CompleteOrderFunctionArn": {"Ref": "CompleteOrderFunction.Alias"},
        "EventBusName": {"Ref": "EventBusName"},
        "MerchantSecretPrefix": {"Ref": "MerchantSecretPrefix"},
    }


@pytest.mark.parametrize("name", HANDLERS)
def test_function_is_where_the_contract_says(name: str, resources: Template):
    assert source()["Globals"]["Function"]["CodeUri"] == "functions/"
    assert source()["Resources"][name]["Properties"]["Handler"] == HANDLERS[name]
    assert resources[f"{name}Aliaslive"]["Properties"]["Name"] == "live"


def test_every_parameter_is_explained_in_english_and_chinese():
    for name, declared in source()["Parameters"].items():
        assert re.search(r"[a-z]{3}", declared["Description"]), name
        assert re.search(r"[\u4e00-\u9fff]", declared["Description"]), name


def test_payment_is_waited_for_whole_days():
    # It becomes a number in the workflow, and a Number of CloudFormation may have decimals.
    assert source()["Parameters"]["PaymentWaitDays"]["AllowedValues"] == list(range(31))


def test_every_restricted_parameter_says_what_it_wants():
    for name, declared in source()["Parameters"].items():
        assert "ConstraintDescription" in declared or declared.get("AllowedValues") == ["On", "Off"], name


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("MerchantSecretPrefix", "wechatpay/merchants/", True),
        ("MerchantSecretPrefix", "*", False),
        ("MerchantSecretPrefix", "", False),
        ("MerchantSecretPrefix", "${AWS::StackName}", False),
        ("DefaultMchid", "", True),
        ("DefaultMchid", "1900000001", True),
        ("DefaultMchid", "19000 0001", False),
        ("WeChatPayHosts", "https://api.mch.weixin.qq.com", True),
        ("WeChatPayHosts", "http://127.0.0.1:8080,http://localhost:81,http://[::1]:9", True),
        ("WeChatPayHosts", "http://api.mch.weixin.qq.com", False),
        ("WeChatPayHosts", "http://127.0.0.1.example.com", False),
        ("WeChatPayHosts", "https://api.mch.weixin.qq.com/v3", False),
        ("WeChatPayHosts", "https://a.example, https://b.example", False),
        ("WeChatPayHosts", "https://user@a.example", False),
        ("TriggerSource", "smartretail.cabinet", True),
        ("TriggerSource", "smart retail", False),
        ("EventBusName", "orders", True),
        ("EventBusName", "arn:aws:events:us-east-1:123456789012:event-bus/x", False),
        ("AlarmEmail", "", True),
        ("AlarmEmail", "night@example.com", True),
        ("AlarmEmail", "a@example.com,b@example.com", False),
        ("ReservedConcurrency", "", True),
        ("ReservedConcurrency", "20", True),
        ("ReservedConcurrency", "0", False),
        ("SecretKmsKeyArn", "", True),
        (
            "SecretKmsKeyArn",
            "arn:aws-cn:kms:cn-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            True,
        ),
        ("SecretKmsKeyArn", "arn:aws:kms:us-east-1:123456789012:alias/merchants", False),
        ("VpcSubnetIds", "subnet-0123456789abcdef0", True),
        ("VpcSubnetIds", "sg-0123456789abcdef0", False),
        ("VpcSecurityGroupIds", "sg-0123456789abcdef0", True),
        ("PermissionsBoundaryArn", "arn:aws:iam::123456789012:policy/team/boundary", True),
        ("PermissionsBoundaryArn", "arn:aws:iam::123456789012:role/boundary", False),
    ],
)
def test_parameter_values_are_accepted_or_refused(name: str, value: str, allowed: bool):
    declared = source()["Parameters"][name]
    fits = declared.get("MinLength", 0) <= len(value) <= declared.get("MaxLength", 4096)
    assert (fits and re.fullmatch(declared["AllowedPattern"], value) is not None) is allowed


@pytest.mark.parametrize("name", HANDLERS)
def test_every_parameter_of_a_function_publishes_a_version(name: str):
    # SAM names a version by the template's text, in which a parameter is the same Ref whatever its value.
    resources = translate("aws")["Resources"]
    function = resources[name]["Properties"]
    version = next(r for each, r in resources.items() if each.startswith(f"{name}Version"))
    sub, variables = version["Properties"]["Description"]["Fn::Sub"]
    described = set(re.findall(r"\$\{(\w+)\}", sub)) - set(variables)
    variables_of_it = function["Environment"]["Variables"].values()
    configured = {v["Ref"] for v in variables_of_it if "Ref" in v} & source()["Parameters"].keys()
    assert described == configured | {function["MemorySize"]["Ref"]}

    def first(parameter: str) -> dict[str, Any]:
        return {"Fn::If": ["InVpc", {"Fn::Select": [0, {"Ref": parameter}]}, ""]}

    assert variables == {
        "Snapshots": {"Fn::If": ["UseSnapStart", "On", "Off"]},
        "Subnet": first("VpcSubnetIds"),
        "Group": first("VpcSecurityGroupIds"),
    }


def test_description_of_a_version_never_exceeds_what_lambda_allows():
    parameters = source()["Parameters"]
    longest = (
        parameters["MerchantSecretPrefix"]["MaxLength"]
        + int(re.search(r"\{0,(\d+)\}", parameters["DefaultMchid"]["AllowedPattern"])[1])
        + parameters["WeChatPayHosts"]["MaxLength"]
        + len(str(parameters["FunctionMemory"]["MaxValue"]))
        + len("Off")
        + len("subnet-0123456789abcdef0" + "sg-0123456789abcdef0")
        + len("      ")
    )
    assert longest <= 256


@pytest.mark.parametrize("changed", ["DependenciesLayer", "WeChatPayLayer"])
def test_a_changed_layer_publishes_a_version_of_every_function(changed: str):
    def versions(template: Template) -> set[str]:
        resources = translate("aws", template=template)["Resources"]
        return {name for name, each in resources.items() if each["Type"] == "AWS::Lambda::Version"}

    template = source()
    before = versions(template)
    template["Resources"][changed]["Properties"]["Description"] = "changed"
    after = versions(template)
    assert len(after) == len(before) == len(HANDLERS)
    assert not after & before
