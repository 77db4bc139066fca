"""From accepted to paid, as the deployed workflow follows it: waits scaled, debits by the simulator."""

import itertools
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from wechatpay_sandbox import Simulator

from life import Attempt, Step
from local.stack import Stack, merchant_of
from operations import executions
from tests.workflow.ways import ACCEPTED, OVERDUE, PAID, ROUND

# A day: after 5 s, 15 s, 1 min, 5 min and 30 min, and then hourly.
QUERIES_IN_A_DAY = 29


@pytest.fixture
def reopened(simulator: Simulator, order: dict[str, Any]) -> Callable[..., None]:
    """Open the order anew, its payment as the settings say; the event brings its ticket."""

    def reopen(**settings: Any) -> None:
        opened = simulator.open_order(order["out_order_no"], replace=True, **settings)
        order["finish_ticket"] = opened["finish_ticket"]

    return reopen


def at_query(number: int, act: Callable[[], object]) -> Callable[[Step | Attempt], None]:
    """Act when the workflow starts its nth query."""
    queries = itertools.count(1)

    def on_step(step: Step | Attempt) -> None:
        if str(step) == "QueryOrder" and next(queries) == number:
            act()

    return on_step


def test_an_order_paid_at_once_is_announced_as_paid_when_first_asked(run, order, outbox, ledger):
    execution = run(order)

    assert execution.states == PAID
    completed, paid = outbox.details(order["out_order_no"], "Order Completed", "Order Paid")
    assert "payment" not in completed
    assert paid == {**execution.output, "execution": execution.arn}
    entry = ledger(order["out_order_no"])
    assert (entry["state"], entry["debits"], entry["charged"]) == ("USER_PAID", 1, 1200)
    assert (paid["payment"]["state"], paid["payment"]["paid_by"]) == ("PAID", "WECHAT_PAY")
    assert paid["payment"]["finish_transaction_id"] == f"42{entry['order_id'][2:]}"
    assert re.fullmatch(r"20\d{12}", paid["payment"]["pay_succ_time"])


@pytest.mark.parametrize("api", ["payafter-orders", "serviceorder"])
def test_an_order_whose_api_had_to_be_found_is_followed_in_that_api(run, order, simulator, outbox, api):
    simulator.open_order(order["out_order_no"], replace=True, api=api)

    execution = run(order)

    assert execution.states == PAID
    completed, paid = outbox.details(order["out_order_no"], "Order Completed", "Order Paid")
    assert [each["order_api"] for each in (completed, paid, execution.output)] == [api] * 3
    calls = [(request["operation"], request["api"]) for request in simulator.requests(order["out_order_no"])]
    assert calls[-3:] == [("query", api), ("complete", api), ("query", api)]


def test_an_order_paid_late_is_queried_until_it_is(run, order, simulator, reopened, outbox, ledger):
    reopened(debit_after=3600)

    execution = run(order, at_query(3, lambda: simulator.advance(3600)))

    rounds = execution.states.count("QueryOrder")
    assert 3 <= rounds < QUERIES_IN_A_DAY
    assert execution.states == [*ACCEPTED, *ROUND * rounds, "OrderPaid", "Completed"]
    _, paid = outbox.details(order["out_order_no"], "Order Completed", "Order Paid")
    assert paid["payment"]["state"] == "PAID"
    assert ledger(order["out_order_no"])["charged"] == 1200


def test_an_order_never_paid_is_announced_as_overdue_and_succeeds(run, order, reopened, outbox, ledger):
    reopened(debit_after=None)

    execution = run(order)

    rounds = ROUND * QUERIES_IN_A_DAY
    assert execution.states == [*ACCEPTED, *rounds, *OVERDUE, "Completed"]
    assert execution.status == "SUCCEEDED"
    _, overdue = outbox.details(order["out_order_no"], "Order Completed", "Order Payment Overdue")
    assert overdue == {**execution.output, "execution": execution.arn}
    assert (overdue["outcome"], overdue["payment"]["state"]) == ("COMPLETED", "COLLECTING")
    assert ledger(order["out_order_no"])["debits"] == 0


def test_another_amount_than_accepted_is_a_conflict_and_never_paid(run, order, reopened, outbox):
    reopened(debit_amount=90)

    execution = run(order)

    assert execution.states == [*ACCEPTED, *ROUND, "OrderFailed", "Failed"]
    assert execution.error == "CONFLICT"
    _, failed = outbox.details(order["out_order_no"], "Order Completed", "Order Failed")
    assert (failed["outcome"], failed["evidence"]) == ("FAILED", "QUERY")
    assert failed["error"]["detail"] == "state USER_PAID, finish_type 2, total_amount 90"
    assert failed["error"]["verified"] is True
    assert json.loads(execution.cause) == failed["error"]


def test_an_order_revoked_meanwhile_is_a_conflict(run, order, simulator, reopened, outbox):
    reopened(debit_after=None)
    revoke = at_query(1, lambda: simulator.settle_elsewhere(order["out_order_no"], finish_type=1))

    execution = run(order, revoke)

    assert execution.states[-3:] == ["Payment", "OrderFailed", "Failed"]
    assert execution.error == "CONFLICT"
    _, failed = outbox.details(order["out_order_no"], "Order Completed", "Order Failed")
    assert failed["error"]["detail"].startswith("state REVOKED")


@pytest.mark.parametrize(
    ("fault", "raised"),
    [("wrong_signature", "WeChatPayUnavailable"), ("rate_limited", "WeChatPayRateLimited")],
)
def test_a_query_that_proves_nothing_is_retried_by_name(
    run, order, simulator, reopened, outbox, fault, raised
):
    reopened()
    simulator.script(order["out_order_no"], "query", fault=fault, times=4)

    execution = run(order)

    assert set(execution.raised) == {raised}
    assert execution.states == PAID
    outbox.details(order["out_order_no"], "Order Completed", "Order Paid")


def test_a_merchant_misconfigured_meanwhile_fails_the_query_itself(run, order, simulator, reopened, outbox):
    reopened()
    simulator.script(order["out_order_no"], "query", fault="no_auth", times=None)

    execution = run(order)

    assert execution.status == "FAILED"
    assert execution.states == [*ACCEPTED, "AwaitPayment", "QueryOrder"]
    assert execution.raised == ["MerchantMisconfigured"]
    assert execution.error == "MerchantMisconfigured"
    outbox.details(order["out_order_no"], "Order Completed")


def test_an_order_of_nothing_is_completed_without_a_query(run, order, simulator, reopened, outbox):
    reopened()
    order |= {"fees": [{"fee_name": "矿泉水", "fee_amount": 0}], "total_amount": 0}
    del order["discounts"]

    execution = run(order)

    assert execution.states == [*ACCEPTED, "Completed"]
    assert [request["operation"] for request in simulator.requests(order["out_order_no"])] == ["complete"]
    outbox.details(order["out_order_no"], "Order Completed")


def again(stack: Stack, name: str, parameters: dict[str, str]) -> Stack:
    """The template that was deployed, deployed once more under another name."""
    formation, store = stack.client("cloudformation"), stack.client("s3")
    template = json.dumps(formation.get_template(StackName=stack.name)["TemplateBody"])
    region = {"LocationConstraint": stack.environment["AWS_REGION"]}
    store.create_bucket(Bucket=name, CreateBucketConfiguration=region)
    store.put_object(Bucket=name, Key="template", Body=template.encode())  # too long to be handed over
    formation.create_stack(
        StackName=name,
        TemplateURL=f"{stack.environment['AWS_ENDPOINT_URL']}/{name}/template",
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    formation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    return Stack.find(stack.environment, name)


def test_with_no_days_to_wait_there_is_no_query(stack: Stack, order, simulator, reopened, outbox):
    reopened(debit_after=None)
    # Events on the bus stay with the other stack.
    own = {**merchant_of(simulator), "PaymentWaitDays": "0", "TriggerSource": "no.one"}
    unfollowed = again(stack, "unfollowed", own)

    started = unfollowed.start(json.dumps(order))
    execution = executions.follow(unfollowed.client("stepfunctions"), started)

    assert execution.states == [*ACCEPTED, "Completed"]
    assert [request["operation"] for request in simulator.requests(order["out_order_no"])] == ["complete"]
    outbox.details(order["out_order_no"], "Order Completed")


def test_an_overdue_order_is_announced_once_when_a_notification_says_paid(
    stack: Stack, order, simulator, reopened, outbox
):
    reopened(debit_after=3600)
    own = {
        **merchant_of(simulator),
        "PaymentNotification": "On",
        "TriggerSource": "no.two",
        "PaymentWaitDays": "1",
    }
    hearing = again(stack, "hearing", own)

    def pay(step: Step | Attempt) -> None:
        if str(step) == "OrderPaymentOverdue":
            simulator.advance(3600)

    started = hearing.start(json.dumps(order))
    execution = executions.follow(hearing.client("stepfunctions"), started, pay)

    late = execution.states[execution.states.index("OrderPaymentOverdue") :]
    assert late == [*OVERDUE, "AwaitNotification", "QueryOrder", "Payment", "OrderPaid", "Completed"]
    published = ("Order Completed", "Order Payment Overdue", "Order Paid")
    *_, paid = outbox.details(order["out_order_no"], *published)
    assert paid == {**execution.output, "execution": execution.arn}
    assert paid["payment"]["state"] == "PAID"
