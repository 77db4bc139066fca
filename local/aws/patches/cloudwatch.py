"""Metrics and alarms as on AWS, so that an alarm can be provoked: MiniStack counts little and judges roughly.

Counted here: what a function writes in the embedded metric format, its invocations (also those of Step
Functions), executions, targets invoked by rules, and the depth of queues. An alarm sees the metric of its own
dimensions, in periods, M out of N, with missing data treated as it says. It is judged when something is
counted, once a second at most, and whenever alarms are described: what AWS does once a minute. Periods end
now, not on the minute.
"""

import json
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from local.aws.patches.ministack import named

JUDGED_EVERY_SECONDS = 1.0
Breach = bool | None
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
_EXECUTIONS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "ABORTED": "ExecutionsAborted",
    "TIMED_OUT": "ExecutionsTimedOut",
}


def wrap(lambda_svc: ModuleType, stepfunctions: ModuleType) -> None:
    """Count what AWS counts, and judge alarms as AWS does."""
    cloudwatch = import_module("ministack.services.cloudwatch")
    _judge_alarms(cloudwatch, import_module("ministack.services.sqs"))
    record = named(cloudwatch, "record_metric")
    judge_all = named(cloudwatch, "_evaluate_all_alarms")
    last = 0.0

    def count(namespace: str, dimensions: dict[str, str], values: Mapping[str, float]) -> None:
        for name, value in values.items():
            record(namespace, name, value, "None", dimensions)
        nonlocal last
        if time.monotonic() - last > JUDGED_EVERY_SECONDS:
            last = time.monotonic()
            judge_all()

    _count_invocations(lambda_svc, count)
    _count_executions(stepfunctions, count)
    _count_rules(import_module("ministack.services.eventbridge"), count)


_Count = Callable[[str, dict[str, str], Mapping[str, float]], None]


def embedded_metrics(log: str) -> list[tuple[str, dict[str, str], dict[str, float]]]:
    """Namespace, dimensions and values of every metric that a function's log holds (CloudWatch EMF)."""
    metrics = []
    for line in log.splitlines():
        if '"_aws"' not in line:
            continue
        try:
            document = json.loads(line)
        except ValueError:
            continue
        for directive in document["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                for metric in directive["Metrics"]:
                    values = document[metric["Name"]]
                    for value in values if isinstance(values, list) else [values]:
                        dimensions = {name: str(document[name]) for name in names}
                        metrics.append((directive["Namespace"], dimensions, {metric["Name"]: float(value)}))
    return metrics


def _count_invocations(lambda_svc: ModuleType, count: _Count) -> None:
    write_logs = named(lambda_svc, "_emit_lambda_logs")
    measure = named(lambda_svc, "_emit_lambda_metrics")

    def emit_logs(
        func: dict[str, Any], request_id: str, log: str, error: bool, duration_ms: int, **rest: Any
    ) -> None:
        write_logs(func, request_id, log, error, duration_ms, **rest)
        function = {"FunctionName": (func.get("config") or func)["FunctionName"]}
        count("AWS/Lambda", function, {"Invocations": 1, "Errors": int(error), "Duration": duration_ms})
        for namespace, dimensions, values in embedded_metrics(log):
            count(namespace, dimensions, values)

    def only_throttles(function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        if throttle:
            measure(function_name, duration_ms, error, throttle)

    lambda_svc._emit_lambda_logs = emit_logs  # type: ignore[attr-defined]
    lambda_svc._emit_lambda_metrics = only_throttles  # type: ignore[attr-defined]


def _count_executions(stepfunctions: ModuleType, count: _Count) -> None:
    announce = named(stepfunctions, "_emit_execution_status_event")

    def emit(execution: dict[str, Any]) -> None:
        announce(execution)
        machine = {"StateMachineArn": execution["stateMachineArn"]}
        count("AWS/States", machine, {_EXECUTIONS[execution["status"]]: 1})

    stepfunctions._emit_execution_status_event = emit  # type: ignore[attr-defined]


def _count_rules(eventbridge: ModuleType, count: _Count) -> None:
    invoke = named(eventbridge, "_invoke_target")

    def invoke_target(target: Any, event: Any, rule: dict[str, Any], view: Any = None) -> None:
        invoke(target, event, rule, view)
        count("AWS/Events", {"RuleName": rule["Name"]}, {"Invocations": 1})

    eventbridge._invoke_target = invoke_target  # type: ignore[attr-defined]


def _judge_alarms(cloudwatch: ModuleType, sqs: ModuleType) -> None:
    metrics, key_of = named(cloudwatch, "_metrics"), named(cloudwatch, "_dims_key")
    from_list, record = named(cloudwatch, "_dims_from_list"), named(cloudwatch, "record_metric")
    describe = named(cloudwatch, "_describe_alarms")
    queues, recount = named(sqs, "_queues"), named(sqs, "_refresh_counts")
    named(cloudwatch, "_evaluate_alarm")

    def judge(alarm: dict[str, Any]) -> None:
        dimensions = from_list(alarm.get("Dimensions") or [])
        points = metrics.get((alarm.get("Namespace"), alarm.get("MetricName"), key_of(dimensions))) or []
        known = [(point["Timestamp"], point["Value"]) for point in list(points)]
        state = judged(alarm, known, time.time())
        if state != alarm["StateValue"]:
            _move(cloudwatch, alarm, state)

    def describe_alarms(*arguments: Any, **rest: Any) -> Any:
        for queue in queues.values():
            recount(queue)
            depth = float(queue["attributes"]["ApproximateNumberOfMessages"])
            name = queue["attributes"]["QueueArn"].rpartition(":")[2]
            record("AWS/SQS", "ApproximateNumberOfMessagesVisible", depth, "Count", {"QueueName": name})
        cloudwatch._evaluate_all_alarms()
        return describe(*arguments, **rest)

    cloudwatch._evaluate_alarm = judge  # type: ignore[attr-defined]
    cloudwatch._describe_alarms = describe_alarms  # type: ignore[attr-defined]


def judged(alarm: Mapping[str, Any], points: list[tuple[float, float]], now: float) -> str:
    """Return the state of an alarm, given its metric's points as (UNIX seconds, value)."""
    periods, length = int(alarm["EvaluationPeriods"]), float(alarm["Period"])
    breaches: list[Breach] = []
    for index in range(periods):
        begin, end = now - (index + 1) * length, now - index * length
        values = [value for at, value in points if begin < at <= end]
        breaches.append(_breaches(alarm, values))
    needed = int(alarm.get("DatapointsToAlarm") or periods)
    if breaches.count(True) >= needed:
        return "ALARM"
    if all(breach is None for breach in breaches):
        ignored = alarm["TreatMissingData"] == "ignore"
        return str(alarm["StateValue"]) if ignored else "INSUFFICIENT_DATA"
    return "OK"


def _breaches(alarm: Mapping[str, Any], values: list[float]) -> Breach:
    if not values:
        return {"breaching": True, "notBreaching": False}.get(alarm["TreatMissingData"])
    statistic = {
        "Sum": sum(values),
        "Maximum": max(values),
        "Minimum": min(values),
        "Average": sum(values) / len(values),
        "SampleCount": float(len(values)),
    }[alarm["Statistic"]]
    return _OPERATORS[alarm["ComparisonOperator"]](statistic, float(alarm["Threshold"]))


def _move(cloudwatch: ModuleType, alarm: dict[str, Any], state: str) -> None:
    before, name = alarm["StateValue"], alarm["AlarmName"]
    reason = f"{alarm['Statistic']} {alarm['ComparisonOperator']} {alarm['Threshold']}: {state}"
    alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    named(cloudwatch, "_record_history")(name, before, state, reason)
    named(cloudwatch, "_dispatch_alarm_actions")(alarm, before, state, reason)
    named(cloudwatch, "_evaluate_parent_alarms")(alarm)
