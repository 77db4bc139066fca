"""Alarms of the embedded AWS are judged as AWS documents it, and metrics are read from a function's log."""

import json
from typing import Any

import pytest

from local.aws.patches.cloudwatch import embedded_metrics, judged

NOW = 10_000.0


def alarm(**changed: Any) -> dict[str, Any]:
    return {
        "StateValue": "OK",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        **changed,
    }


@pytest.mark.parametrize(
    ("changed", "points", "state"),
    [
        ({}, [], "OK"),
        ({}, [(NOW - 30, 1.0)], "ALARM"),
        ({}, [(NOW - 61, 1.0)], "OK"),
        ({"Threshold": 2.0}, [(NOW - 1, 1.0), (NOW - 2, 1.0)], "OK"),
        ({"Threshold": 1.0}, [(NOW - 1, 1.0), (NOW - 2, 1.0)], "ALARM"),
        ({"EvaluationPeriods": 3}, [(NOW - 10, 1.0), (NOW - 70, 1.0)], "OK"),
        ({"EvaluationPeriods": 3}, [(NOW - 10, 1.0), (NOW - 70, 1.0), (NOW - 130, 1.0)], "ALARM"),
        ({"EvaluationPeriods": 3, "DatapointsToAlarm": 2}, [(NOW - 10, 1.0), (NOW - 130, 1.0)], "ALARM"),
        ({"TreatMissingData": "breaching"}, [], "ALARM"),
        ({"TreatMissingData": "missing"}, [], "INSUFFICIENT_DATA"),
        ({"TreatMissingData": "ignore", "StateValue": "ALARM"}, [], "ALARM"),
        ({"Statistic": "Maximum", "Threshold": 5.0}, [(NOW - 1, 6.0), (NOW - 2, 1.0)], "ALARM"),
        ({"Statistic": "Minimum", "Threshold": 5.0}, [(NOW - 1, 6.0), (NOW - 2, 1.0)], "OK"),
        ({"ComparisonOperator": "LessThanOrEqualToThreshold", "Threshold": 7.0}, [(NOW - 1, 7.0)], "ALARM"),
    ],
)
def test_alarm_is_in_this_state(changed: dict[str, Any], points: list[tuple[float, float]], state: str):
    assert judged(alarm(**changed), points, NOW) == state


def test_metrics_of_a_log_are_those_of_its_embedded_metric_lines():
    metric = {
        "_aws": {
            "Timestamp": 1,
            "CloudWatchMetrics": [
                {
                    "Namespace": "SmartRetail",
                    "Dimensions": [["service"]],
                    "Metrics": [{"Name": "COMPLETED", "Unit": "Count"}, {"Name": "ProviderLatency"}],
                }
            ],
        },
        "service": "complete-order",
        "COMPLETED": [1.0],
        "ProviderLatency": [12.5, 30.0],
    }
    log = "\n".join(['{"message": "settled"}', json.dumps(metric), 'no json "_aws"'])
    service = {"service": "complete-order"}
    assert embedded_metrics(log) == [
        ("SmartRetail", service, {"COMPLETED": 1.0}),
        ("SmartRetail", service, {"ProviderLatency": 12.5}),
        ("SmartRetail", service, {"ProviderLatency": 30.0}),
    ]
