"""Alarms, dashboard, queries and messages: each about something that exists, and sent to somebody."""

import ast
import json
import re
from typing import Any, get_args

from complete_order.result import Outcome
from invocation.failure import Category
from wechatpay import errors

from operations import expiry
from tests.json_tree import walk

from .conftest import ROOT, Template, source
from .test_security import listed, of_type

NAMESPACE = "SmartRetail"
# States of a payment, from a module that only its own function can import.
_PAYMENT = (ROOT / "functions/query_order/payment.py").read_text(encoding="utf-8")
PAYMENT_STATES = set(re.findall(r'"([A-Z]+)"', re.findall("PAID, COLLECTING = .*", _PAYMENT)[0]))
# Integers of `metadata` beyond 2^53, which Step Functions rounds: counted where the event is read.
AGREED = {"MetadataRounded"}
SETTLEMENT_ERRORS = {each.__name__ for each in errors.SettlementError.__subclasses__()}


def emitted() -> set[str]:
    """Names of the metrics that shipped code counts: literals, and names of errors and of outcomes."""
    trees = [
        ast.parse(path.read_text(encoding="utf-8"))
        for top in ("functions", "layers")
        for path in ROOT.glob(f"{top}/**/*.py")
    ]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    literal = {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in {"add_metric", "_count"}
        and isinstance(call.args[0], ast.Constant)
    }
    # What an error counts instead of its own name.
    other = {
        each.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "metric"
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and str(each.value).isidentifier()
    }
    outcomes = {*get_args(Outcome), *get_args(Category)} - {"FAILED"}
    return literal | other | AGREED | SETTLEMENT_ERRORS | outcomes | PAYMENT_STATES


def alarms(resources: Template) -> dict[str, Any]:
    resources_of_type = of_type(resources, "AWS::CloudWatch::Alarm")
    return {name.removesuffix("Alarm"): alarm for name, alarm in resources_of_type.items()}


def dashboard(resources: Template) -> dict[str, Any]:
    (properties,) = of_type(resources, "AWS::CloudWatch::Dashboard").values()
    body = properties["DashboardBody"]["Fn::Sub"][0]
    board: dict[str, Any] = json.loads(body)
    return board


def shown(resources: Template) -> list[list[Any]]:
    """Metrics of the dashboard, with its shorthands written out."""
    metrics = []
    for widget in dashboard(resources)["widgets"]:
        before: list[Any] = []
        for entry in widget["properties"].get("metrics", []):
            names = [part for part in entry if isinstance(part, str)]
            if names == ["..."]:
                names = before
            full = [before[place] if part == "." else part for place, part in enumerate(names)]
            if full:
                metrics.append(full)
                before = full
    return metrics


def test_every_alarm_has_its_name_a_description_and_the_topic(resources: Template):
    for name, alarm in alarms(resources).items():
        assert alarm["AlarmName"] == {"Fn::Sub": f"${{AWS::StackName}}-{name}"}
        assert alarm["AlarmDescription"].endswith(".")
        rings = "InsufficientDataActions" if name == "NoSuccess" else "AlarmActions"
        assert alarm[rings] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}]
        assert alarm["TreatMissingData"] == ("missing" if name == "NoSuccess" else "notBreaching")


def test_alarms_on_our_metrics_are_on_metrics_that_are_emitted(resources: Template):
    ours = {n: a for n, a in alarms(resources).items() if a["Namespace"] == NAMESPACE}
    assert {alarm["MetricName"] for alarm in ours.values()} <= emitted()
    for alarm in ours.values():
        assert alarm["Dimensions"] == [{"Name": "service", "Value": "complete-order"}]


def test_every_error_that_the_function_raises_has_an_alarm_of_its_name(resources: Template):
    for name in SETTLEMENT_ERRORS | {"UnverifiableReply"}:
        assert alarms(resources)[name]["MetricName"] == name


def test_the_function_emits_under_the_namespace_that_is_watched(resources: Template):
    services = {
        "CompleteOrderFunction": "complete-order",
        "QueryOrderFunction": "query-order",
        "PaymentNotificationFunction": "payment-notification",
    }
    for name, service in services.items():
        variables = resources[name]["Properties"]["Environment"]["Variables"]
        assert variables["POWERTOOLS_METRICS_NAMESPACE"] == NAMESPACE
        assert variables["POWERTOOLS_SERVICE_NAME"] == service
    shown_services = {metric[3] for metric in shown(resources) if metric[0] == NAMESPACE}
    assert shown_services == set(services.values())


def test_certificates_warn_on_the_days_that_the_operator_counts(resources: Template):
    expiring = [a for a in alarms(resources).values() if a["MetricName"] == "MerchantCertificateDaysLeft"]
    assert tuple(alarm["Threshold"] for alarm in expiring) == expiry.WARNING_DAYS


def test_slow_is_nine_tenths_of_the_timeout(resources: Template):
    timeout = resources["CompleteOrderFunction"]["Properties"]["Timeout"]
    assert alarms(resources)["FunctionDuration"]["Threshold"] == timeout * 1000 * 0.9


def test_no_success_rings_after_a_success_and_never_before_the_first(resources: Template):
    # A success counts 1 or more and never breaches; without one there is no data.
    # A new alarm has no data either, but an alarm acts only when its state changes.
    alarm = alarms(resources)["NoSuccess"]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert "AlarmActions" not in alarm


def test_unlisted_refusals_ring_within_minutes_and_orders_not_ready_never(resources: Template):
    alarm = alarms(resources)["UnlistedRefusal"]
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Threshold"]) == (300, 1, 0)
    assert "OrderNotReady" not in {each["MetricName"] for each in alarms(resources).values()}
    assert "OrderNotReady" in {metric[1] for metric in shown(resources)}


def test_no_success_is_watched_on_demand_within_what_cloudwatch_can():
    never = {"Fn::Equals": [{"Ref": "NoSuccessHours"}, 0]}
    assert source()["Conditions"]["WatchesForSuccess"] == {"Fn::Not": [never]}
    assert source()["Resources"]["NoSuccessAlarm"]["Condition"] == "WatchesForSuccess"
    period = source()["Resources"]["NoSuccessAlarm"]["Properties"]["Period"]
    assert source()["Parameters"]["NoSuccessHours"]["MaxValue"] * period <= 7 * 86400


def test_the_topic_is_encrypted_by_our_key_and_its_address_is_optional(resources: Template):
    assert "Condition" not in resources["AlarmTopic"]
    assert resources["AlarmTopic"]["Properties"] == {"KmsMasterKeyId": {"Fn::GetAtt": ["AlarmKey", "Arn"]}}
    assert resources["AlarmKey"]["Properties"]["EnableKeyRotation"] is True
    assert resources["AlarmSubscription"]["Condition"] == "HasAlarmEmail"


def test_alarms_and_events_can_use_the_key_and_the_topic(resources: Template):
    # EventBridge sends no source to KMS or to a topic's policy: a condition would drop its messages unseen.
    key = {s["Sid"]: s for s in resources["AlarmKey"]["Properties"]["KeyPolicy"]["Statement"]}
    topic = {s["Sid"]: s for s in resources["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]}
    account = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    for statement in (key["AlarmsAreEncrypted"], topic["OurAlarmsPublish"]):
        assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert statement["Condition"]["StringEquals"] == account
    for statement in (key["EventsAreEncrypted"], topic["EventsPublish"]):
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        assert "Condition" not in statement
    for sid in ("AlarmsAreEncrypted", "EventsAreEncrypted"):
        assert listed(key[sid]["Action"]) == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert topic["NeverWithoutTls"]["Effect"] == "Deny"


def test_every_end_but_success_is_announced_by_named_fields_only(resources: Template):
    rule = resources["ExecutionEndedRule"]["Properties"]
    assert rule["EventPattern"]["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    for name in ("ExecutionEndedRule", "TaskInterruptedRule"):
        properties = resources[name]["Properties"]
        assert "EventBusName" not in properties  # Step Functions announces on the default bus
        assert properties["EventPattern"]["detail"]["stateMachineArn"] == [
            {"Ref": "ServiceEndedStateMachine"}
        ]
        (target,) = properties["Targets"]
        assert target["Arn"] == {"Ref": "AlarmTopic"}
        paths = set(target["InputTransformer"]["InputPathsMap"].values())
        assert paths <= {"$.detail.status", "$.detail.error", "$.detail.executionArn"}


def test_a_final_failure_is_no_interruption(resources: Template):
    rule = resources["TaskInterruptedRule"]["Properties"]["EventPattern"]["detail"]
    assert rule["error"] == [{"anything-but": [*get_args(Category)]}]
    alarm = alarms(resources)["TaskInterrupted"]
    assert alarm["Dimensions"] == [{"Name": "RuleName", "Value": {"Ref": "TaskInterruptedRule"}}]


def test_the_dashboard_shows_every_alarm_that_always_exists(resources: Template):
    (properties,) = of_type(resources, "AWS::CloudWatch::Dashboard").values()
    body = properties["DashboardBody"]["Fn::Sub"][0]
    always = {
        name
        for name, resource in resources.items()
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Condition" not in resource
    }
    assert set(re.findall(r"\$\{(\w+Alarm)\.Arn\}", body)) == always


def test_the_dashboard_shows_metrics_that_are_emitted(resources: Template):
    ours = {metric[1] for metric in shown(resources) if metric[0] == NAMESPACE}
    assert ours <= emitted()
    assert SETTLEMENT_ERRORS | {*get_args(Category), "COMPLETED", "CANCELLED", "ProviderLatency"} <= ours


def test_the_dashboard_asks_the_four_questions(resources: Template):
    texts = [w["properties"]["markdown"] for w in dashboard(resources)["widgets"] if w["type"] == "text"]
    assert [text.split(" ")[1] for text in texts] == ["Are", "How", "What", "What"]


def test_no_two_widgets_lie_over_each_other(resources: Template):
    cells = [
        (x, y)
        for w in dashboard(resources)["widgets"]
        for x in range(w["x"], w["x"] + w["width"])
        for y in range(w["y"], w["y"] + w["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_every_query_reads_log_groups_and_fields_that_exist(resources: Template):
    queries = of_type(resources, "AWS::Logs::QueryDefinition")
    assert queries
    groups = of_type(resources, "AWS::Logs::LogGroup").keys()
    code = (ROOT / "layers/wechatpay/invocation/telemetry.py").read_text(encoding="utf-8")
    for query in queries.values():
        assert {group["Ref"] for group in query["LogGroupNames"]} <= groups
        for messages in re.findall(r'message (?:=|in) (\[?"[^\n|]*)', query["QueryString"]):
            for message in re.findall(r'"([^"]+)"', messages.partition(" and ")[0]):
                assert f'"{message}"' in code


def test_nothing_about_alarms_names_a_person_or_an_order():
    resources = source()["Resources"]
    texts = [text for text in walk(resources["Dashboard"]) if isinstance(text, str)]
    assert not [text for text in texts if "metadata" in text or "openid" in text]
