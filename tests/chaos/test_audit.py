"""The audit can fail: every way of being wrong is made, one at a time, and counted as what it is."""

import dataclasses
import json

import pytest

from chaos.audit import audit
from chaos.evidence import AuditedExecution
from chaos.inbox import PublishedEvent
from chaos.ledger import figures
from chaos.plan import OPEN, Arrival, ChaosOrder, Truth

COUNTS = ("lost", "charged_twice", "wrong_amount", "claimed_but_not_true", "true_but_not_claimed")
API = "smartretail-orders"
PAYMENT = {"state": "PAID", "finish_transaction_id": "4200001", "pay_succ_time": "20251001183200"}


class World:
    """A run in which all went well; tests then change what they are about."""

    def __init__(self):
        self.plan, self.ledger, self.executions, self.published = [], [], [], []

    def order(self, number, event, truth, *, copies=1, valid=True, paid=True, api=API, **entry):
        event = {"out_order_no": number, "metadata": {"cabinet": "A"}, **event}
        arrival = Arrival(event, copies=copies, valid=valid)
        self.plan.append(ChaosOrder(number, "test", api, ((arrival,),), frozenset({truth}), paid=paid))
        charged = truth.amount if truth.finish_type == 2 and paid else 0
        settled = truth != OPEN
        state = "USER_PAID" if charged else "FINISHED" if settled else "USER_ACCEPTED"
        usual = {"state": state, "finish_type": truth.finish_type, "total_amount": truth.amount}
        usual |= {"settled_by": "merchant" if settled else None, "accepted": int(settled), "reentries": 0}
        usual |= {"debits": int(charged > 0), "charged": charged, "calls": {"complete": 1} if valid else {}}
        self.ledger.append({"out_order_no": number, **usual, **entry})
        return event

    def result(self, event, outcome, kinds, *, category=None, payment=None, api=API, **changes):
        arn = f"arn:{len(self.executions)}"
        evidence = None if category == "INVALID_INPUT" else "REPLY"
        result = {"outcome": outcome, "evidence": evidence, "total_amount": event.get("total_amount", 0)}
        result["order_api"] = api
        result |= {name: event[name] for name in ("out_order_no", "finish_type", "metadata")}
        if category:
            result["error"] = {"category": category}
        output = result | {"payment": payment} if payment else result
        for kind in kinds:
            detail = output if kind not in ("Order Completed",) else result
            self.published.append(PublishedEvent(kind, {**detail, "execution": arn}))
        ended = (
            {"status": "FAILED", "error": category, "cause": json.dumps(result["error"])} if category else {}
        )
        usual = {"status": "SUCCEEDED", "output": None if category else output, **ended, **changes}
        self.executions.append(AuditedExecution(arn, event=event, **usual))

    def counts(self):
        result = audit(self.plan, self.ledger, self.executions, self.published)
        return {name: len(getattr(result, name)) for name in COUNTS if getattr(result, name)}

    def entry(self, **changes):
        self.ledger[0].update(changes)

    def publish_otherwise(self, index=0, kind=None, **changes):
        event = self.published[index]
        self.published[index] = PublishedEvent(kind or event.kind, {**event.detail, **changes})

    def end_otherwise(self, index=0, **changes):
        self.executions[index] = dataclasses.replace(self.executions[index], **changes)


@pytest.fixture
def world():
    """Completed and paid (0), twice the same (1), cancelled, in conflict, refused, invalid, never paid."""
    made = World()
    paid = made.order("paid", {"finish_type": 2, "total_amount": 700}, Truth(2, 700))
    made.result(paid, "COMPLETED", ["Order Completed", "Order Paid"], payment=PAYMENT)
    twice = made.order("twice", {"finish_type": 2, "total_amount": 5}, Truth(2, 5), copies=2, reentries=1)
    for _ in range(2):
        made.result(twice, "COMPLETED", ["Order Completed", "Order Paid"], payment=PAYMENT)
    cancelled = made.order("cancelled", {"finish_type": 1}, Truth(1))
    made.result(cancelled, "CANCELLED", ["Order Cancelled"])
    elsewhere = {"settled_by": "someone else", "accepted": 0}
    conflict = made.order("conflict", {"finish_type": 2, "total_amount": 9}, Truth(2, 109), **elsewhere)
    made.result(conflict, "FAILED", ["Order Failed"], category="CONFLICT")
    refused = made.order("refused", {"finish_type": 2, "total_amount": 50001}, OPEN)
    made.result(refused, "FAILED", ["Order Failed"], category="REJECTED")
    invalid = made.order("invalid", {"finish_type": 2, "total_amount": True}, OPEN, valid=False)
    made.result(invalid, "FAILED", ["Order Failed"], category="INVALID_INPUT")
    unpaid = made.order("unpaid", {"finish_type": 2, "total_amount": 30}, Truth(2, 30), paid=False)
    by_call = {"state": "REVOKED", "accepted": 0, "finish_type": None, "total_amount": None}
    revoked = made.order("revoked", {"finish_type": 1}, Truth(1), api="serviceorder", **by_call)
    made.result(revoked, "CANCELLED", ["Order Cancelled"], api="serviceorder")
    overdue = {"state": "COLLECTING"}
    made.result(unpaid, "COMPLETED", ["Order Completed", "Order Payment Overdue"], payment=overdue)
    return made


def test_a_run_in_which_all_went_well_has_five_zeros(world):
    assert world.counts() == {}
    totals = figures(world.ledger, world.executions)
    assert (totals.charges, totals.fen) == (3, 700 + 5 + 109)
    assert (totals.duplicates_absorbed, totals.reentries, totals.conflicts_found) == (1, 1, 1)


def test_a_result_that_names_another_family_is_not_true(world):
    world.publish_otherwise(0, order_api="payafter-orders")
    world.end_otherwise(0, output={**world.executions[0].output, "order_api": "payafter-orders"})
    assert world.counts() == {"claimed_but_not_true": 2}


def test_a_cancellation_by_its_own_call_has_to_be_announced(world):
    cancellation = next(each for each in world.published if each.detail["out_order_no"] == "revoked")
    world.published.remove(cancellation)
    assert world.counts() == {"true_but_not_claimed": 2}


def test_an_order_that_was_finished_and_then_cancelled_was_settled_twice(world):
    revoked = next(entry for entry in world.ledger if entry["out_order_no"] == "revoked")
    revoked |= {"finish_type": 2, "accepted": 1}
    assert world.counts() == {"charged_twice": 1}


def test_an_order_that_is_still_open_is_lost(world):
    world.entry(state="USER_ACCEPTED", finish_type=None, debits=0, charged=0, accepted=0, settled_by=None)
    assert world.counts()["lost"] == 1


@pytest.mark.parametrize("status", ["RUNNING", "TIMED_OUT", "FAILED"])
def test_an_arrival_without_a_result_is_lost(world, status):
    world.end_otherwise(status=status, output=None, error="MerchantMisconfigured")
    del world.published[:2]
    assert world.counts() == {"lost": 1, "true_but_not_claimed": 1}


def test_an_arrival_that_started_nothing_is_lost(world):
    del world.executions[2]
    del world.published[4:6]
    assert world.counts() == {"lost": 1}


def test_what_the_operator_started_again_and_ended_well_is_not_lost(world):
    world.end_otherwise(status="FAILED", output=None, error="MerchantMisconfigured", raised=("A", "B"))
    del world.published[:2]
    event = world.executions[0].event
    world.result(event, "COMPLETED", ["Order Completed", "Order Paid"], payment=PAYMENT)
    assert world.counts() == {}
    assert figures(world.ledger, world.executions).retries == {"A": 1}


KEPT = {
    "status": "FAILED",
    "output": None,
    "error": "MerchantMisconfigured",
    "cause": '{"errorMessage": "the event is invalid now, and was sent before: total_amount"}',
}


def test_an_invalid_event_that_was_tried_before_may_wait_for_a_person(world):
    world.end_otherwise(6, **KEPT)
    del world.published[9]
    world.ledger[5]["calls"] = {"query": 1}
    assert world.counts() == {}


def test_a_valid_event_that_is_called_invalid_is_lost(world):
    world.end_otherwise(5, **KEPT)
    del world.published[8]
    assert world.counts() == {"lost": 1}


def test_an_invalid_event_that_waits_for_anything_else_is_lost(world):
    world.end_otherwise(6, **KEPT | {"cause": "the secret is malformed"})
    del world.published[9]
    assert world.counts() == {"lost": 1}


@pytest.mark.parametrize(
    "entry",
    [{"debits": 2, "charged": 1400}, {"accepted": 2}, {"settled_by": "someone else"}],
    ids=["two debits", "accepted twice", "accepted although someone else had settled it"],
)
def test_a_second_charge_is_found(world, entry):
    world.entry(**entry)
    assert world.counts()["charged_twice"] == 1


@pytest.mark.parametrize(
    "entry",
    [
        {"charged": 699},
        {"charged": 0, "debits": 0},
        {"total_amount": 800, "charged": 800},
        {"finish_type": 1, "total_amount": None, "charged": 0, "debits": 0},
    ],
    ids=["another sum", "nothing", "accepted for another amount", "the other way"],
)
def test_a_wrong_amount_is_found(world, entry):
    world.entry(**entry)
    assert world.counts()["wrong_amount"] == 1


def test_an_order_that_should_stay_open_and_is_charged_is_a_wrong_amount(world):
    world.ledger[4].update(
        state="USER_PAID",
        finish_type=2,
        total_amount=1,
        debits=1,
        charged=1,
        settled_by="merchant",
        accepted=1,
    )
    assert world.counts()["wrong_amount"] == 1


def test_a_charge_that_nobody_planned_is_a_wrong_amount(world):
    world.ledger.append({**world.ledger[0], "out_order_no": "unknown"})
    assert world.counts() == {"wrong_amount": 1}


@pytest.mark.parametrize(
    ("index", "changes"),
    [
        (0, {"total_amount": 701}),
        (0, {"outcome": "CANCELLED"}),
        (0, {"metadata": {}}),
        (0, {"evidence": None}),
        (1, {"payment": {"state": "PAID"}}),
        (1, {"kind": "Order Payment Overdue"}),
        (6, {"kind": "Order Completed"}),
        (7, {"error": {"category": "REJECTED"}}),
    ],
)
def test_an_event_that_says_something_else_is_not_true(world, index, changes):
    world.publish_otherwise(index, **changes)
    assert world.counts()["claimed_but_not_true"] >= 1


@pytest.mark.parametrize(("number", "category"), [(0, "CONFLICT"), (0, "REJECTED"), (0, "INVALID_INPUT")])
def test_a_failure_is_not_true_of_an_order_that_is_settled_as_asked(world, number, category):
    event = world.executions[number].event
    world.result(event, "FAILED", ["Order Failed"], category=category)
    assert world.counts() == {"claimed_but_not_true": 1}


def test_nothing_sent_is_not_true_of_an_order_that_was_called_about(world):
    world.ledger[5]["calls"] = {"query": 1}
    assert world.counts() == {"claimed_but_not_true": 1}


def test_an_overdue_payment_is_not_true_of_a_paid_order(world):
    world.ledger[6].update(debits=1, charged=30)
    assert world.counts()["claimed_but_not_true"] == 1


def test_an_event_twice_or_of_no_execution_or_for_no_order_is_invented(world):
    world.published.append(world.published[1])
    world.published.append(PublishedEvent("Order Paid", {"execution": "arn:nowhere"}))
    world.executions.append(
        AuditedExecution("arn:other", "SUCCEEDED", {"out_order_no": "unknown"}, output={})
    )
    world.executions.append(AuditedExecution("arn:stranger", "RUNNING", {"out_order_no": "paid"}))
    assert world.counts() == {"claimed_but_not_true": 4}


@pytest.mark.parametrize("missing", [0, 1, 6, 9])
def test_a_result_that_was_not_published_is_not_claimed(world, missing):
    del world.published[missing]
    assert world.counts()["true_but_not_claimed"] >= 1


def test_a_payment_without_a_result_is_not_claimed(world):
    output = dict(world.executions[0].output)
    del output["payment"], world.published[1]
    world.end_otherwise(output=output)
    assert world.counts() == {"true_but_not_claimed": 1}
