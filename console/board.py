"""The orders of a stack as they stand, read by one reader whatever the number of pages that look.

A page never slows an order: Step Functions' limits are shared with the orders' own executions, so that the
reader takes few at a time, reads what has ended once, and rests while nobody looks.
"""

import asyncio
import contextlib
import functools
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from life import Execution, Life, life_of
from life.reading import json_object, order_of
from operations import executions
from operations.target import Target

MOST = 2000
_PAGE = 1000
_TOP = 20
_WHOLE_SECONDS = 3.0
_AT_A_TIME = 8
_IDLE_SECONDS = 60.0


@dataclass(frozen=True)
class Pace:
    """How much is asked of Step Functions.

    Attributes:
        seconds: between two looks at the list.
        again: seconds after which an execution that goes on is read again.
        reads: so many executions are read at each look.
    """

    seconds: float
    again: float
    reads: int


LOCAL = Pace(seconds=0.1, again=0.5, reads=100)
# DescribeExecution and GetExecutionHistory give 15 to 20 a second to the whole account.
ON_AWS = Pace(seconds=5.0, again=5.0, reads=20)

type Key = tuple[str, str]


@dataclass
class _Known:
    """An execution that was read, as it was listed then."""

    listed: tuple[str, datetime | None]
    read: float
    order: Key
    execution: Execution


@dataclass(frozen=True)
class Snapshot:
    """All orders at one moment, newest first.

    Attributes:
        unread: so many executions were listed and not read yet.
        problem: why the last look failed; empty when it did not.
    """

    version: int = 0
    lives: tuple[Life, ...] = ()
    unread: int = 0
    problem: str = ""


class Board:
    """Reads the orders of one stack while somebody looks."""

    def __init__(self, target: Target, pace: Pace) -> None:
        self._target = target
        self._pace = pace
        self._client = target.client("stepfunctions")
        self._listing: dict[str, dict[str, Any]] = {}
        self._whole_at = 0.0
        self._known: dict[str, _Known] = {}
        self._lives: dict[Key, Life] = {}
        self._changed = asyncio.Condition()
        self._wanted = time.monotonic()
        self._awake = asyncio.Event()
        self.snapshot = Snapshot()

    async def after(self, version: int, timeout: float) -> Snapshot:
        """Return the snapshot once it is newer than `version`, or as it is when the time is over."""
        self._wanted = time.monotonic()
        self._awake.set()
        async with self._changed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._changed.wait_for(lambda: self.snapshot.version > version)
        return self.snapshot

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            if time.monotonic() - self._wanted > _IDLE_SECONDS:
                self._awake.clear()
                await self._awake.wait()
            was = self.snapshot
            try:
                lives, unread = await asyncio.to_thread(self._refresh)
                problem = ""
            except Exception as exc:  # noqa: BLE001 - the page shows it, and the next look may succeed
                lives, unread, problem = was.lives, was.unread, f"{type(exc).__name__}: {exc}"
            if not was.version or (was.lives, was.unread, was.problem) != (lives, unread, problem):
                async with self._changed:
                    self.snapshot = Snapshot(was.version + 1, lives, unread, problem)
                    self._changed.notify_all()
            await asyncio.sleep(self._pace.seconds)

    @functools.cached_property
    def definition(self) -> dict[str, Any]:
        """The workflow as it is deployed."""
        described = self._client.describe_state_machine(stateMachineArn=self._target.whole_state_machine)
        return json_object(described["definition"])

    def executions_of(self, out_order_no: str) -> list[str]:
        """Return the ARNs of an order's executions, as far as they were read."""
        lives = self.snapshot.lives
        return [run.arn for life in lives if life.out_order_no == out_order_no for run in life.runs]

    def _refresh(self) -> tuple[tuple[Life, ...], int]:
        listed = self._listing = self._list()
        gone = [self._known.pop(arn) for arn in self._known.keys() - listed.keys()]
        due = [each for each in listed.values() if self._is_due(each)]
        # What was never read first, newest first; then what runs, longest unread first.
        read_at = {arn: known.read for arn, known in self._known.items()}
        due.sort(key=lambda each: read_at.get(each["executionArn"], 0.0))
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            read = list(pool.map(self._read, due[: self._pace.reads]))
        self._known |= {known.execution.arn: known for known in read}
        self._put_together({known.order for known in (*gone, *read)})
        lives = sorted(self._lives.values(), key=lambda each: each.runs[-1].began, reverse=True)
        return tuple(lives), len(listed) - len(self._known)

    def _list(self) -> dict[str, dict[str, Any]]:
        """Return what there is, newest first.

        The whole list is read every few seconds, which finds what was redriven; between, new executions are
        found at its top, and what runs is read one by one.
        """
        whole = time.monotonic() >= self._whole_at
        if whole:
            self._whole_at = time.monotonic() + _WHOLE_SECONDS
        listed: dict[str, dict[str, Any]] = {}
        pages = self._client.get_paginator("list_executions").paginate(
            stateMachineArn=self._target.whole_state_machine,
            PaginationConfig={"PageSize": _PAGE if whole else _TOP},
        )
        for page in pages:
            new = {each["executionArn"]: each for each in page["executions"]}
            listed |= new
            if len(listed) >= MOST or (not whole and new.keys() & self._listing.keys()):
                break
        if not whole:
            listed |= {arn: each for arn, each in self._listing.items() if arn not in listed}
        return dict(islice(listed.items(), MOST))

    def _is_due(self, listed: Mapping[str, Any]) -> bool:
        known = self._known.get(listed["executionArn"])
        if known is None or known.listed != _as_listed(listed):
            return True
        return known.execution.ended is None and time.monotonic() - known.read > self._pace.again

    def _read(self, listed: Mapping[str, Any]) -> _Known:
        described = self._client.describe_execution(executionArn=listed["executionArn"])
        # How a SUCCEEDED execution went stands in its result.
        whole = described["status"] != "SUCCEEDED"
        execution = executions.read(
            self._client, described, datetime.now(UTC), whole=whole, definition=self.definition
        )
        order = order_of(execution.input, self._target.default_mchid)
        return _Known(_as_listed(described), time.monotonic(), order, execution)

    def _put_together(self, orders: set[Key]) -> None:
        """Put the lives of these orders together again."""
        of_order: dict[Key, list[Execution]] = {}
        for known in self._known.values():
            if known.order in orders:
                of_order.setdefault(known.order, []).append(known.execution)
        for key in orders - of_order.keys():
            self._lives.pop(key, None)
        self._lives |= {key: life_of(key[1], each, mchid=key[0]) for key, each in of_order.items()}


def _as_listed(listed: Mapping[str, Any]) -> tuple[str, datetime | None]:
    return listed["status"], listed.get("stopDate")
