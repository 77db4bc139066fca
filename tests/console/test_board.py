"""A page never slows an order: what the console asks of Step Functions, counted on the wire."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from console.board import Board, Pace
from life import Execution
from local.stack import Stack
from operations import target
from operations.merchant_files import now
from operations.show import read
from operations.target import Target


@pytest.fixture
def calls(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Counts the calls that clients made from now on make, by their names."""
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    target._session.cache_clear()
    counted: Counter[str] = Counter()
    events = target._session(None, None).events

    def count(model: Any, **_: object) -> None:
        counted[model.name] += 1

    events.register("before-call.stepfunctions", count)
    yield counted
    target._session.cache_clear()


async def follow(board: Board, viewers: int, times: int) -> None:
    """Let so many viewers follow a board until it has looked so often."""
    reading = asyncio.create_task(board.run())
    await board.after(0, 30)
    for _ in range(times):
        await asyncio.gather(*(board.after(board.snapshot.version, 0.02) for _ in range(viewers)))
    reading.cancel()


def test_an_ended_execution_is_read_once_for_all_viewers(
    stack: Stack, settle: Callable[..., Execution], calls: Counter[str]
) -> None:
    settle()
    board = Board(Target(stack.name), Pace(seconds=0.001, again=0, reads=500))
    asyncio.run(follow(board, viewers=40, times=10))
    executions = sum(len(life.runs) for life in board.snapshot.lives)
    assert board.snapshot.unread == 0
    assert calls["DescribeExecution"] == executions
    assert calls["ListExecutions"] < 40 * 10  # by the reader's pace, not by viewers


def test_one_round_reads_no_more_than_its_pace(
    stack: Stack, settle: Callable[..., Execution], calls: Counter[str]
) -> None:
    for _ in range(2):
        settle()
    board = Board(Target(stack.name), Pace(seconds=60, again=0, reads=1))
    asyncio.run(follow(board, viewers=1, times=1))
    assert calls["DescribeExecution"] == 1
    assert board.snapshot.unread > 0


def test_a_page_that_is_followed_reads_its_own_executions_only(
    stack: Stack, settle: Callable[..., Execution], number: str, calls: Counter[str]
) -> None:
    arn = settle().arn
    settle(total_amount=301)
    life, _ = read(Target(stack.name), number, None, now(), None, asking=None, known=[arn])
    assert calls["ListExecutions"] == 0
    assert calls["DescribeExecution"] <= 4  # both by their logs, and what they may have been resubmitted as
    assert arn in [run.arn for run in life.runs]
