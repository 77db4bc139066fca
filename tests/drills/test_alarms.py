"""Every alarm is provoked once, on the deployed stack, and reaches whoever is on call.

Most go off by what they are about. What the embedded AWS never does by itself (it times no execution out and
throttles nothing, and a quarter of an hour is longer than a test) is put into the metric that AWS would put
it into: `counted`.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
HOSTS = 2  # an attempt fails when both do
UNKNOWN_MERCHANT = "1900009999"
EXPIRING_MERCHANT = "1900009998"
TOO_MUCH = {"fees": [{"fee_name": "x", "fee_amount": 90_000_00}], "total_amount": 90_000_00}


class Drills:
    """How to make each alarm go off."""

    def __init__(self, stack: Any, simulator: Any, run: Any, order: Any) -> None:
        self._stack, self._simulator, self._run, self._order = stack, simulator, run, order
        resources = stack.client("cloudformation").describe_stack_resources(StackName=stack.name)
        self._ids = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in resources["StackResources"]}

    def alarms(self) -> dict[str, Any]:
        described = self._stack.client("cloudwatch").describe_alarms()["MetricAlarms"]
        return {alarm["AlarmName"].removeprefix(f"{self._stack.name}-"): alarm for alarm in described}

    def counted(self, name: str, value: float, *minutes_ago: float) -> None:
        """Put points into the metric of this alarm."""
        alarm = self.alarms()[name]
        points = [
            {
                "MetricName": alarm["MetricName"],
                "Dimensions": alarm["Dimensions"],
                "Value": value,
                "Timestamp": datetime.now(UTC) - timedelta(minutes=minutes),
            }
            for minutes in minutes_ago
        ]
        self._stack.client("cloudwatch").put_metric_data(Namespace=alarm["Namespace"], MetricData=points)

    def meets(self, fault: str, times: int, operation: str = "complete", *, ticket: bool = False) -> None:
        """Settle an order that meets a fault so often. With a ticket, no query comes before."""
        order = self._order()
        if ticket:
            order["finish_ticket"] = self._simulator.order(order["out_order_no"])["finish_ticket"]
        self._simulator.script(order["out_order_no"], operation, fault=fault, times=times)
        assert self._run(order).status == "SUCCEEDED"

    def persists(self, name: str, fault: str, times: int = 1) -> None:
        """Meet a fault now; that it was there ten and five minutes ago is counted."""
        self.counted(name, 1, 11, 6)
        self.meets(fault, times)

    def fail_an_execution(self) -> None:
        assert self._run(self._order(**TOO_MUCH)).error == "REJECTED"

    def interrupt_a_task(self) -> None:
        assert self._run(self._order(mchid=UNKNOWN_MERCHANT)).error == "MerchantMisconfigured"

    def abort_an_execution(self) -> None:
        order = self._order()
        self._simulator.script(order["out_order_no"], fault="unavailable", times=1000)
        arn = self._stack.start(json.dumps(order))
        self._stack.client("stepfunctions").stop_execution(executionArn=arn)
        self._simulator.clear_faults(order["out_order_no"])

    def time_out(self) -> None:
        self.counted("ExecutionsTimedOut", 1, 0)

    def be_slowed_down(self) -> None:
        self.counted("ExecutionsThrottled", 3, 11, 6, 1)

    def leave_a_dead_letter(self) -> None:
        # The queue itself takes nothing from us: its policy wants TLS, which the embedded AWS has not.
        self.counted("DeadLetters", 1, 0)

    def fail_a_dozen_attempts(self) -> None:
        self.meets("unavailable", 12 * HOSTS)

    def be_throttled(self) -> None:
        self.counted("FunctionThrottles", 1, 11, 6, 1)

    def lose_sight_of_a_payment(self) -> None:
        self.meets("unavailable", 12 * HOSTS, "query", ticket=True)

    def take_long(self) -> None:
        self.counted("FunctionDuration", 28_400, 0)

    def get_wrong_signatures(self) -> None:
        self.meets("wrong_signature", 6, "*")

    def lose_the_provider(self) -> None:
        self.persists("WeChatPayUnavailable", "unavailable", HOSTS)

    def be_rate_limited(self) -> None:
        self.persists("WeChatPayRateLimited", "rate_limited")

    def learn_nothing(self) -> None:
        self.counted("OutcomeUnknown", 1, 11, 6)
        order = self._order()
        number = order["out_order_no"]
        order["finish_ticket"] = self._simulator.order(number)["finish_ticket"]
        self._simulator.script(number, "complete", fault="reset_after")
        self._simulator.script(number, "query", fault="system_error", times=8)
        assert self._run(order).status == "SUCCEEDED"

    def be_refused_for_no_known_reason(self) -> None:
        self.counted("UnlistedRefusal", 1, 0)  # the simulator refuses only for reasons that are known

    def break_on_notifications(self) -> None:
        for _ in range(10):  # what API Gateway never hands over
            self._stack.client("lambda").invoke(
                FunctionName=self._ids["PaymentNotificationFunction"], Payload=b"[]"
            )

    def let_a_certificate_expire(self) -> None:
        # A merchant of its own, so that no cached secret hides the date; WeChat Pay refuses its signature.
        tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
        secret = {"mchid": EXPIRING_MERCHANT, "merchant_certificate_expires": tomorrow}
        self._stack.store_secret(self._simulator.secret() | secret)
        assert self._run(self._order(mchid=EXPIRING_MERCHANT)).error == "MerchantMisconfigured"


DRILLS: dict[str, Callable[[Drills], None]] = {
    "ExecutionsFailed": Drills.fail_an_execution,
    "TaskInterrupted": Drills.interrupt_a_task,
    "MerchantMisconfigured": Drills.interrupt_a_task,
    "ExecutionsAborted": Drills.abort_an_execution,
    "ExecutionsTimedOut": Drills.time_out,
    "ExecutionsThrottled": Drills.be_slowed_down,
    "DeadLetters": Drills.leave_a_dead_letter,
    "FunctionErrors": Drills.fail_a_dozen_attempts,
    "QueryErrors": Drills.lose_sight_of_a_payment,
    "NotificationErrors": Drills.break_on_notifications,
    "FunctionThrottles": Drills.be_throttled,
    "FunctionDuration": Drills.take_long,
    "UnverifiableReply": Drills.get_wrong_signatures,
    "WeChatPayUnavailable": Drills.lose_the_provider,
    "WeChatPayRateLimited": Drills.be_rate_limited,
    "OutcomeUnknown": Drills.learn_nothing,
    "UnlistedRefusal": Drills.be_refused_for_no_known_reason,
    "CertificateExpires1": Drills.let_a_certificate_expire,
    "CertificateExpires7": Drills.let_a_certificate_expire,
    "CertificateExpires30": Drills.let_a_certificate_expire,
}


@pytest.fixture(scope="session")
def drills(stack, simulator, run, order) -> Drills:
    return Drills(stack, simulator, run, order)


def test_every_alarm_of_the_template_has_a_drill():
    resources = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))["Resources"]
    alarms = {n.removesuffix("Alarm") for n, r in resources.items() if r["Type"] == "AWS::CloudWatch::Alarm"}
    assert alarms == {*DRILLS, "NoSuccess"}


@pytest.mark.parametrize("name", DRILLS)
def test_alarm_goes_off_and_reaches_the_topic(name: str, calm: dict[str, str], drills: Drills, pager: Any):
    DRILLS[name](drills)
    assert pager.rings(name)
    assert calm[name] == "OK"


def test_no_success_is_silent_before_the_first_order_is_settled(stack, calm: dict[str, str]):
    history = stack.client("cloudwatch").describe_alarm_history(AlarmName=f"{stack.name}-NoSuccess")
    entered = [
        json.loads(item["HistoryData"])["newState"]["stateValue"]
        for item in history["AlarmHistoryItems"]
        if item["HistoryItemType"] == "StateUpdate"
    ]
    assert "ALARM" not in entered
    assert calm["NoSuccess"] == "OK"


def test_a_failed_execution_is_announced_without_its_order(pager, run, order):
    event = order(**TOO_MUCH)
    execution = run(event)
    assert pager.receives(lambda text: execution.arn in text)
    (message,) = [text for text in pager.messages if execution.arn in text]
    assert message.strip('"') == f"Execution FAILED REJECTED: {execution.arn}"


def test_an_interrupted_execution_is_announced_as_one_to_redrive(pager, run, order):
    execution = run(order(mchid=UNKNOWN_MERCHANT))
    assert pager.receives(lambda text: execution.arn in text and "to be redriven" in text)


def test_the_address_given_is_subscribed_to_the_topic(stack, pager):
    listed = stack.client("sns").list_subscriptions_by_topic(TopicArn=pager.topic)["Subscriptions"]
    assert ("email", "night@example.com") in {(s["Protocol"], s["Endpoint"]) for s in listed}
