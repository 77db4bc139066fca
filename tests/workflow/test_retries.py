"""What is tried again, by which name, and what is left for a redrive."""

import json

from life import Attempt, Step
from operations import executions
from tests.workflow.ways import PAID


def test_a_transient_fault_is_retried_by_name_and_charged_once(run, order, simulator, outbox, ledger):
    simulator.script(order["out_order_no"], "complete", fault="unavailable", times=2)  # by either host

    execution = run(order)

    assert execution.raised == ["WeChatPayUnavailable"]
    assert execution.states == PAID
    assert execution.output["outcome"] == "COMPLETED"
    entry = ledger(order["out_order_no"])
    assert (entry["accepted"], entry["debits"], entry["charged"]) == (1, 1, 1200)
    outbox.details(order["out_order_no"], "Order Completed", "Order Paid")


def test_an_unknown_outcome_is_retried_by_name_and_charged_once(run, order, simulator, outbox, ledger):
    order["finish_ticket"] = simulator.order(order["out_order_no"])["finish_ticket"]
    simulator.script(order["out_order_no"], "complete", fault="reset_after")
    simulator.script(order["out_order_no"], "query", fault="system_error", times=2)  # from either host

    execution = run(order)

    assert execution.raised == ["OutcomeUnknown"]
    assert execution.output["outcome"] == "COMPLETED"
    entry = ledger(order["out_order_no"])
    assert (entry["accepted"], entry["debits"], entry["charged"]) == (1, 1, 1200)
    outbox.details(order["out_order_no"], "Order Completed", "Order Paid")


def test_a_rate_limit_is_retried_by_name(run, order, simulator, ledger):
    simulator.script(order["out_order_no"], fault="rate_limited", times=2)

    execution = run(order)

    assert execution.raised == ["WeChatPayRateLimited", "WeChatPayRateLimited"]
    assert execution.output["outcome"] == "COMPLETED"
    assert ledger(order["out_order_no"])["accepted"] == 1


def test_an_order_stopped_by_no_concurrency_waits_and_goes_on(run, order, stack, ledger):
    functions = stack.client("lambda")
    name = stack.outputs["CompleteOrderFunctionArn"].split(":")[6]
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)

    def let_go(step: Step | Attempt) -> None:
        if isinstance(step, Attempt):
            functions.delete_function_concurrency(FunctionName=name)

    try:
        execution = run(order, let_go)
    finally:
        functions.delete_function_concurrency(FunctionName=name)

    assert set(execution.raised) == {"Lambda.TooManyRequestsException"}
    assert execution.output["outcome"] == "COMPLETED"
    assert ledger(order["out_order_no"])["accepted"] == 1


def test_a_merchant_without_a_secret_fails_the_task_itself(run, order, simulator, outbox):
    execution = run({**order, "mchid": "1900009999"})

    assert execution.status == "FAILED"
    assert execution.states == ["ServiceEnded"]
    assert execution.raised == ["MerchantMisconfigured"]
    assert execution.error == "MerchantMisconfigured"
    assert "wechatpay/merchants/1900009999" in json.loads(execution.cause)["errorMessage"]
    assert simulator.requests(order["out_order_no"]) == []


def test_an_interrupted_order_settles_when_it_is_run_again(run, order, stack, simulator, ledger):
    mchid = "1900009998"
    broken = {**simulator.secret(), "mchid": mchid, "api_v3_key": "too short"}
    stack.store_secret(broken)
    assert run({**order, "mchid": mchid}).error == "MerchantMisconfigured"

    assert run(order).output["outcome"] == "COMPLETED"
    assert ledger(order["out_order_no"])["accepted"] == 1


def test_a_redriven_order_goes_on_at_the_task_that_failed(run, order, stack, simulator, outbox, ledger):
    simulator.script(order["out_order_no"], "complete", fault="no_auth")
    stopped = run(order)
    assert (stopped.error, stopped.states) == ("MerchantMisconfigured", ["ServiceEnded"])

    workflow = stack.client("stepfunctions")
    workflow.redrive_execution(executionArn=stopped.arn)
    execution = executions.follow(workflow, stopped.arn)

    assert execution.states == PAID
    assert ledger(order["out_order_no"])["accepted"] == 1
    outbox.details(order["out_order_no"], "Order Completed", "Order Paid")
