"""The sums of the list agree with WeChat Pay's ledger, or the list marks the difference."""

from typing import Any

import pytest
from wechatpay.reply_rules import REPLIES

from console.board import Snapshot
from console.pages import order_table, rule_of
from life import Execution, life_of
from tests.life.histories import RESULT, History, line

PAID = History().paid().execution()
ACCEPTED = History().task("ServiceEnded").execution()
WAITING = History().task("ServiceEnded").task("OrderCompleted", given=RESULT).execution("RUNNING")


def failed(category: str) -> Execution:
    history = History().task("ServiceEnded").enter("Failed", "Fail").add("ExecutionFailed")
    return history.execution("FAILED", error=category)


def agrees(execution: Execution, **entry: Any) -> bool:
    snapshot = Snapshot(1, (life_of("A|1*", [execution]),))
    ledger = order_table(snapshot, {"A|1*": entry} if entry else {}).ledger
    assert ledger is not None
    return bool(ledger["agrees"])


@pytest.mark.parametrize(
    ("execution", "state", "charged", "right"),
    [
        (PAID, "USER_PAID", 300, True),
        (PAID, "USER_PAID", 299, False),
        (failed("REJECTED"), "USER_ACCEPTED", 0, True),
        (failed("REJECTED"), "USER_PAID", 300, False),
        (failed("CONFLICT"), "USER_PAID", 300, True),
        (ACCEPTED, "FINISHED", 0, True),
        (ACCEPTED, "USER_ACCEPTED", 0, False),
        (WAITING, "USER_ACCEPTED", 0, False),
    ],
)
def test_an_order_that_differs_at_wechat_pay_is_marked(
    execution: Execution, state: str, charged: int, right: bool
) -> None:
    assert agrees(execution, state=state, charged=charged) is right


def test_an_accepted_order_that_wechat_pay_does_not_know_is_marked() -> None:
    assert not agrees(ACCEPTED)


def test_the_rule_that_the_log_names_last_is_shown() -> None:
    (run,) = life_of("A|1*", [PAID], [line(1, PAID.arn, message="rule decided", rule="429")]).runs
    assert rule_of(run) is next(row for row in REPLIES if row.name == "429")
    (unnamed,) = life_of("A|1*", [PAID], [line(1, PAID.arn, message="rule decided", rule="of old")]).runs
    assert rule_of(unnamed) is None
