"""What an order's life is made of. Everything is frozen, and nothing in it is secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any


@dataclass(frozen=True)
class Attempt:
    """One try of a Task. `error` is empty when it succeeded, or is under way while `ended` is None."""

    began: datetime
    ended: datetime | None = None
    error: str = ""
    message: str = ""

    def __str__(self) -> str:
        return f"raised {self.error}"


@dataclass(frozen=True)
class Step:
    """A state that was entered.

    Attributes:
        kind: Task, Choice, Wait, Succeed or Fail.
        ended: None while the execution is in it.
        outcome: what it came to, in a few words; empty when there is nothing to say.
    """

    name: str
    kind: str
    began: datetime
    ended: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    outcome: str = ""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Call:
    """One call on the wire to WeChat Pay.

    Attributes:
        status: HTTP status; 0 when no reply came.
        problem: why there is no verified reply; empty when there is one.
    """

    at: datetime
    service: str
    method: str
    host: str
    status: int
    milliseconds: float
    request_id: str
    problem: str

    @property
    def verified(self) -> bool:
        """Whether WeChat Pay's signature proves the reply."""
        return self.status > 0 and not self.problem


@dataclass(frozen=True)
class Remark:
    """What a function concluded from its calls, or why it raised."""

    at: datetime
    service: str
    outcome: str
    reason: str


@dataclass(frozen=True)
class Published:
    """An event put on the bus: its detail-type, and its detail."""

    at: datetime
    detail_type: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """One execution of the order.

    Attributes:
        asked: the order event with its ticket masked; a text when the input is no object.
        result: the result, when it SUCCEEDED.
        on_purpose: it ended in a Fail state: what was asked can never succeed.
        rule: the row of the decision table that a function named last; empty when its logs name none.
    """

    arn: str
    status: str
    began: datetime
    ended: datetime | None
    redrives: int
    redrivable: bool
    asked: Any
    steps: tuple[Step, ...]
    calls: tuple[Call, ...]
    remarks: tuple[Remark, ...]
    published: tuple[Published, ...]
    result: Mapping[str, Any] | None
    error: str
    message: str
    on_purpose: bool
    rule: str = ""

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.ended is None

    def announced(self, detail_type: str) -> bool:
        """Whether it put an event of this type on the bus."""
        return any(event.detail_type == detail_type for event in self.published)


@dataclass(frozen=True)
class Answer:
    """What a signed query just now said.

    Attributes:
        state: WeChat Pay's word, `NOT_FOUND` for a verified 404; empty when there is no verified answer.
        total_amount: fen, when the order is completed.
        text: the rest, or why there is no verified answer.
    """

    at: datetime
    state: str = ""
    total_amount: int | None = None
    text: str = ""


class Standing(Enum):
    """Where an order stands, by what its executions prove: in English and Chinese, each after its group."""

    UNKNOWN = ("no such order", "没有这个订单")
    COMPLETING = ("running: being completed", "处理中：正在完结")
    AWAITING_PAYMENT = ("running: accepted, not paid yet", "处理中：已完结，待扣款")
    ANNOUNCING = ("running: about to be announced", "处理中：待发布事件")
    ACCEPTED = ("settled: accepted, payment not followed", "已完结，不跟踪扣款")
    PAID = ("settled: paid", "已完结，已支付")
    OVERDUE = ("settled: accepted, payment overdue", "已完结，扣款逾期")
    CANCELLED = ("settled: cancelled", "已取消")
    FAILED = ("failed: cannot be settled as asked", "失败：原样重试不会成功")
    INTERRUPTED = ("stuck: needs someone", "中断：待人工处理")


@dataclass(frozen=True)
class Life:
    """One order's life.

    Attributes:
        runs: its executions, oldest first.
        direct: calls made outside any execution, by someone who invoked the function.
        deciding: the execution that tells where the order stands; None when there is none.
        answer: None when WeChat Pay was not asked.
        next_step, next_step_zh: what a person does now.
        also: executions that ended without success beside the deciding one.
    """

    out_order_no: str
    mchid: str
    runs: tuple[Run, ...]
    direct: tuple[Call, ...]
    standing: Standing
    deciding: Run | None
    answer: Answer | None
    next_step: str
    next_step_zh: str
    also: tuple[Run, ...] = field(default=())
