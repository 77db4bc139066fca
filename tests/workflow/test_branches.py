"""Every branch of the workflow, judged by what it leaves: WeChat Pay's ledger and the events on the bus."""

import json

from operations import executions
from tests.workflow.ways import PAID


def test_a_finished_order_is_accepted_once_and_announced_as_completed(run, order, outbox, ledger):
    execution = run(order)

    assert execution.states == PAID
    assert execution.output["outcome"] == "COMPLETED"
    assert execution.output["evidence"] == "REPLY"
    entry = ledger(order["out_order_no"])
    assert (entry["accepted"], entry["total_amount"], entry["order_id"]) == (
        1,
        1200,
        execution.output["order_id"],
    )
    completed, _ = outbox.details(order["out_order_no"], "Order Completed", "Order Paid")
    accepted = {name: value for name, value in execution.output.items() if name != "payment"}
    assert completed == {**accepted, "execution": execution.arn}
    assert completed["metadata"] == {"cabinet": "SZ-NS-003"}


def test_an_unused_order_is_revoked_and_announced_as_cancelled(run, number, outbox, ledger):
    execution = run({"out_order_no": number, "finish_type": 1, "cancel_reason": "用户未取商品"})

    assert execution.states == ["ServiceEnded", "Outcome", "OrderCancelled", "Cancelled"]
    assert execution.output["outcome"] == "CANCELLED"
    assert ledger(number)["state"] == "REVOKED"
    (published,) = outbox.about(number)
    assert (published["source"], published["detail-type"]) == ("smartretail.orders", "Order Cancelled")
    assert published["detail"] == {**execution.output, "execution": execution.arn}


def test_a_rejected_order_ends_in_the_fail_state_and_is_announced(run, order, outbox, ledger):
    order["fees"][0]["fee_amount"] = 90_000_00
    order["total_amount"] = 90_000_00 - 100

    execution = run(order)

    assert execution.status == "FAILED"
    assert execution.states == ["ServiceEnded", "Outcome", "OrderFailed", "Failed"]
    assert execution.raised == []
    assert execution.error == "REJECTED"
    cause = json.loads(execution.cause)
    assert (cause["status"], cause["code"], cause["verified"]) == (400, "PARAM_ERROR", True)
    assert ledger(order["out_order_no"])["state"] == "USER_ACCEPTED"
    (published,) = outbox.about(order["out_order_no"])
    assert published["detail-type"] == "Order Failed"
    assert published["detail"]["error"] == cause
    assert published["detail"]["execution"] == execution.arn


def test_an_invalid_event_sends_nothing_to_wechat_pay(run, order, simulator, outbox):
    order["discuonts"] = order.pop("discounts")

    execution = run(order)

    assert execution.states == ["ServiceEnded", "Outcome", "OrderFailed", "Failed"]
    assert execution.error == "INVALID_INPUT"
    assert any("discuonts" in problem for problem in json.loads(execution.cause)["detail"])
    assert simulator.requests(order["out_order_no"]) == []
    (published,) = outbox.about(order["out_order_no"])
    assert published["detail-type"] == "Order Failed"


def test_a_ticket_that_the_event_lacks_is_queried_first(run, order, simulator):
    run(order)

    requested = [request["operation"] for request in simulator.requests(order["out_order_no"])]
    assert requested == ["query", "complete", "query"]  # the last asks whether it is paid


def test_a_ticket_in_the_event_is_used_without_a_query(run, order, simulator):
    order["finish_ticket"] = simulator.order(order["out_order_no"])["finish_ticket"]

    execution = run(order)

    assert execution.status == "SUCCEEDED"
    requested = [request["operation"] for request in simulator.requests(order["out_order_no"])]
    assert requested == ["complete", "query"]


def put(stack, *entries):
    bus = stack.outputs["EventBusName"]
    reply = stack.client("events").put_events(Entries=[{"EventBusName": bus, **entry} for entry in entries])
    assert reply["FailedEntryCount"] == 0


def service_ended(order):
    return {"Source": "smartretail.cabinet", "DetailType": "Service Ended", "Detail": json.dumps(order)}


def test_an_event_on_the_bus_ends_in_the_published_events(stack, order, outbox, ledger):
    put(stack, service_ended(order))

    completed, paid = outbox.details(order["out_order_no"], "Order Completed", "Order Paid")

    assert completed["evidence"] == "REPLY"
    execution = executions.follow(stack.client("stepfunctions"), completed["execution"])
    assert paid == {**execution.output, "execution": execution.arn}
    assert ledger(order["out_order_no"])["accepted"] == 1


def test_an_event_of_another_source_or_type_starts_nothing(stack, order, outbox, simulator):
    foreign = {**order, "out_order_no": f"F{order['out_order_no'][1:]}"}
    put(
        stack,
        {**service_ended(foreign), "Source": "someone.else"},
        {**service_ended(foreign), "DetailType": "Service Started"},
        service_ended(order),
    )

    assert outbox.about(order["out_order_no"])
    workflow = stack.client("stepfunctions")
    assert executions.find(workflow, stack.outputs["StateMachineArn"], foreign["out_order_no"]) is None
    assert simulator.requests(foreign["out_order_no"]) == []
