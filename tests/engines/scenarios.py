"""What may happen to an order, and the way that the workflow has to take through it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.engines import schedule
from tests.engines.world import TIMED_OUT, Answer, Raised, Result, World

EVENT: Result = {
    "out_order_no": "SR|2025*1",
    "finish_type": 2,
    "fees": [{"fee_name": "矿泉水", "fee_amount": 1200}],
    "total_amount": 1200,
    "metadata": {"cabinet": "深圳“南山”-3\n", "id": 9007199254740991, "nothing": None, "list": [1, [2]]},
}
ROUND = ["AwaitPayment", "QueryOrder", "Payment"]
WOKEN = ["AwaitNotification", "QueryOrder", "Payment"]
ACCEPTED = ["ServiceEnded", "Outcome", "OrderCompleted", "Payment"]
OVERDUE = ["OrderPaymentOverdue", "Payment"]
END = ["OrderPaid", "Completed"]
UNAVAILABLE, UNKNOWN_OUTCOME = Raised("WeChatPayUnavailable"), Raised("OutcomeUnknown")
LIMITED, MISCONFIGURED = Raised("WeChatPayRateLimited"), Raised("MerchantMisconfigured")
REFUSED, SLOW = Raised("EventBridge.FailedEntry"), Raised(TIMED_OUT)
NO_TABLE = Raised("DynamoDb.ResourceNotFoundException")
ERROR = {"category": "REJECTED", "code": "PARAM_ERROR", "message": "金额“过大”\\", "detail": None}
COMPLETED, PAID, LATE = "Order Completed", "Order Paid", "Order Payment Overdue"
DAYS = 1
ROUNDS = len(schedule.payment(DAYS))


def result(**fields: Any) -> Answer:
    """Answer as CompleteOrder does."""
    names = {"mchid": "1900000001", "appid": "wx1", "service_id": "500001", "evidence": "REPLY"}
    copied = ("out_order_no", "finish_type", "total_amount", "metadata")
    return lambda event: {name: event[name] for name in copied} | names | {"outcome": "COMPLETED"} | fields


def payment(**fields: Any) -> Answer:
    """Answer as QueryOrder does."""
    return lambda given: {**given, "payment": {"request_id": "R", **fields}}


def conflict(given: Result) -> Result:
    """Answer as QueryOrder does when the order is no longer what was accepted."""
    return {**given, "outcome": "FAILED", "error": {**ERROR, "category": "CONFLICT"}}


ACCEPT, OPEN = result(), payment(state="COLLECTING")
BY_WECHAT = payment(
    state="PAID", paid_by="WECHAT_PAY", finish_transaction_id="42", pay_succ_time="20251001183205"
)
BY_NOTHING = payment(state="PAID", paid_by="UNKNOWN", finish_transaction_id=None, pay_succ_time=None)
OF_BEFORE = payment(state="PAID", finish_transaction_id="42", pay_succ_time="20251001183205")


@dataclass(frozen=True)
class Scenario:
    """One order: what it meets, and how it has to end.

    Attributes:
        world: makes what it meets.
        states: names of the states it passes.
        waits: seconds of each wait and pause, by the schedule.
        raised: names of the errors that Tasks fail with.
        error: what it ends with, when not well.
    """

    world: Callable[[], World]
    states: list[str]
    events: tuple[str, ...] = ()
    waits: list[float | str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    error: str | None = None
    event: Result = field(default_factory=lambda: EVENT)
    days: int = DAYS
    notifications: bool = False


def queried(*answers: Answer | Raised, **world: Any) -> Callable[[], World]:
    """Return a world where the order is accepted, and queries find this."""
    return lambda: World([ACCEPT], list(answers), **world)


def given(*answers: Answer | Raised, **world: Any) -> Callable[[], World]:
    """Return a world where a completion finds this."""
    return lambda: World(list(answers), [BY_WECHAT], **world)


def followed(rounds: int) -> list[str]:
    """Return the states of so many rounds by the clock."""
    return [*ACCEPTED, *ROUND * rounds]


def notified(rounds: int) -> list[str]:
    """Return the states of so many rounds with notifications on."""
    return [*ACCEPTED, *WOKEN * rounds]


def named(*errors: Raised) -> list[str]:
    """Return the names of errors."""
    return [each.error for each in errors]


SCHEDULE = schedule.payment(DAYS)
ENDS = {
    "paid when first asked": Scenario(
        queried(BY_WECHAT), [*followed(1), *END], (COMPLETED, PAID), SCHEDULE[:1]
    ),
    "paid, said by a function of before": Scenario(
        queried(OF_BEFORE), [*followed(1), *END], (COMPLETED, PAID), SCHEDULE[:1]
    ),
    "paid when asked for the seventh time": Scenario(
        queried(*[OPEN] * 6, BY_WECHAT), [*followed(7), *END], (COMPLETED, PAID), SCHEDULE[:7]
    ),
    "never paid": Scenario(
        queried(OPEN), [*followed(ROUNDS), *OVERDUE, "Completed"], (COMPLETED, LATE), SCHEDULE
    ),
    "never paid in two days": Scenario(
        queried(OPEN),
        [*followed(len(schedule.payment(2))), *OVERDUE, "Completed"],
        (COMPLETED, LATE),
        schedule.payment(2),
        days=2,
    ),
    "not followed": Scenario(queried(), [*ACCEPTED, "Completed"], (COMPLETED,), days=0),
    "nothing to pay": Scenario(
        queried(), [*ACCEPTED, "Completed"], (COMPLETED,), event={**EVENT, "fees": [], "total_amount": 0}
    ),
    "no longer what was accepted": Scenario(
        queried(OPEN, conflict),
        [*followed(2), "OrderFailed", "Failed"],
        (COMPLETED, "Order Failed"),
        SCHEDULE[:2],
        error="CONFLICT",
    ),
    "cancelled": Scenario(
        given(result(outcome="CANCELLED")),
        ["ServiceEnded", "Outcome", "OrderCancelled", "Cancelled"],
        ("Order Cancelled",),
    ),
    "rejected": Scenario(
        given(result(outcome="FAILED", error=ERROR)),
        ["ServiceEnded", "Outcome", "OrderFailed", "Failed"],
        ("Order Failed",),
        error="REJECTED",
    ),
}
UNIDENTIFIED = {
    "paid by nothing for a day": Scenario(
        queried(BY_NOTHING), [*followed(29), *END], (COMPLETED, PAID), schedule.payment(7)[:29], days=7
    ),
    "paid by nothing at first": Scenario(
        queried(BY_NOTHING, BY_NOTHING, BY_WECHAT), [*followed(3), *END], (COMPLETED, PAID), SCHEDULE[:3]
    ),
    "paid by nothing, and then not paid": Scenario(
        queried(BY_NOTHING, OPEN, BY_WECHAT), [*followed(3), *END], (COMPLETED, PAID), SCHEDULE[:3]
    ),
    "paid by nothing on the last day, which is not overdue": Scenario(
        queried(*[OPEN] * (ROUNDS - 1), BY_NOTHING),
        [*followed(ROUNDS + 4), *END],
        (COMPLETED, PAID),
        [*SCHEDULE, *[6 * 3600] * 4],
    ),
}
RETRIED = {
    "each retrier counts for itself": Scenario(
        given(UNAVAILABLE, LIMITED, UNKNOWN_OUTCOME, LIMITED, UNAVAILABLE, ACCEPT),
        [*followed(1), *END],
        (COMPLETED, PAID),
        [2, 30, 4, 60, 8, 5],
        named(UNAVAILABLE, LIMITED, UNKNOWN_OUTCOME, LIMITED, UNAVAILABLE),
    ),
    "a query is retried as a completion is": Scenario(
        queried(LIMITED, UNKNOWN_OUTCOME, SLOW, BY_WECHAT),
        [*followed(1), *END],
        (COMPLETED, PAID),
        [5, 30, 2, 4],
        named(LIMITED, UNKNOWN_OUTCOME, SLOW),
    ),
    "unavailable until the retries are used up": Scenario(
        given(UNAVAILABLE),
        ["ServiceEnded"],
        waits=schedule.retries(200),
        raised=["WeChatPayUnavailable"] * 201,
        error="WeChatPayUnavailable",
    ),
    "limited until the retries are used up": Scenario(
        given(LIMITED),
        ["ServiceEnded"],
        waits=schedule.limited(101),
        raised=["WeChatPayRateLimited"] * 102,
        error="WeChatPayRateLimited",
    ),
    "misconfigured": Scenario(
        given(MISCONFIGURED), ["ServiceEnded"], raised=named(MISCONFIGURED), error=MISCONFIGURED.error
    ),
    "misconfigured since it was accepted": Scenario(
        queried(MISCONFIGURED),
        [*ACCEPTED, "AwaitPayment", "QueryOrder"],
        (COMPLETED,),
        SCHEDULE[:1],
        named(MISCONFIGURED),
        MISCONFIGURED.error,
    ),
    "every event is published after a refusal and a timeout": Scenario(
        queried(BY_WECHAT, bus=[REFUSED, SLOW, None, SLOW, REFUSED, None]),
        [*followed(1), *END],
        (COMPLETED, PAID),
        [2, 4, 5, 2, 4],
        named(REFUSED, SLOW, SLOW, REFUSED),
    ),
    "an overdue order is published after a refusal": Scenario(
        queried(OPEN, bus=[None, REFUSED, None]),
        [*followed(ROUNDS), *OVERDUE, "Completed"],
        (COMPLETED, LATE),
        [*SCHEDULE, 2],
        named(REFUSED),
    ),
    "a cancelled order is published after a refusal": Scenario(
        given(result(outcome="CANCELLED"), bus=[REFUSED, None]),
        ["ServiceEnded", "Outcome", "OrderCancelled", "Cancelled"],
        ("Order Cancelled",),
        [2],
        named(REFUSED),
    ),
    "a failed order is published after a timeout": Scenario(
        given(result(outcome="FAILED", error=ERROR), bus=[SLOW, None]),
        ["ServiceEnded", "Outcome", "OrderFailed", "Failed"],
        ("Order Failed",),
        [2],
        named(SLOW),
        "REJECTED",
    ),
    "no bus until the retries are used up": Scenario(
        given(ACCEPT, bus=[REFUSED]),
        ["ServiceEnded", "Outcome", "OrderCompleted"],
        waits=schedule.retries(200),
        raised=[REFUSED.error] * 201,
        error=REFUSED.error,
    ),
}
NOTIFIED = {
    "woken, and paid": Scenario(
        queried(BY_WECHAT, wakes=[True]),
        [*notified(1), *END],
        (COMPLETED, PAID),
        ["woken"],
        notifications=True,
    ),
    "woken counts as no time waited": Scenario(
        queried(OPEN, OPEN, OPEN, BY_WECHAT, wakes=[False, True, False, True]),
        [*notified(4), *END],
        (COMPLETED, PAID),
        [5, "woken", 15, "woken"],
        [TIMED_OUT] * 2,
        notifications=True,
    ),
    "without the table by the clock": Scenario(
        queried(OPEN, BY_WECHAT, wakes=[NO_TABLE]),
        [*ACCEPTED, *["AwaitNotification", *ROUND] * 2, *END],
        (COMPLETED, PAID),
        SCHEDULE[:2],
        [NO_TABLE.error] * 2,
        notifications=True,
    ),
    "overdue, and paid on the third day after": Scenario(
        queried(*[OPEN] * (ROUNDS + 2), BY_WECHAT, wakes=[*[False] * (ROUNDS + 2), True]),
        [*notified(ROUNDS), *OVERDUE, *WOKEN * 3, *END],
        (COMPLETED, LATE, PAID),
        [*SCHEDULE, *schedule.overdue(DAYS)[:2], "woken"],
        [TIMED_OUT] * (ROUNDS + 2),
        notifications=True,
    ),
    "overdue, and never paid to the 50th day": Scenario(
        queried(OPEN),
        [*notified(ROUNDS), *OVERDUE, *WOKEN * 49, "Completed"],
        (COMPLETED, LATE),
        [*SCHEDULE, *schedule.overdue(DAYS)],
        [TIMED_OUT] * (ROUNDS + 49),
        notifications=True,
    ),
    "overdue, and then no longer what was accepted": Scenario(
        queried(*[OPEN] * ROUNDS, conflict),
        [*notified(ROUNDS), *OVERDUE, *WOKEN, "OrderFailed", "Failed"],
        (COMPLETED, LATE, "Order Failed"),
        [*SCHEDULE, schedule.DAY],
        [TIMED_OUT] * (ROUNDS + 1),
        "CONFLICT",
        notifications=True,
    ),
    "overdue, and then paid by nothing": Scenario(
        queried(*[OPEN] * ROUNDS, BY_NOTHING),
        [*notified(ROUNDS), *OVERDUE, *WOKEN * 2, *END],
        (COMPLETED, LATE, PAID),
        [*SCHEDULE, schedule.DAY, schedule.DAY],
        [TIMED_OUT] * (ROUNDS + 2),
        notifications=True,
    ),
}
