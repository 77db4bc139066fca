"""Reads what an order's life is made of: its executions, and what the functions logged about it.

Executions cannot be looked up by what is in their input. The functions' logs name the execution on every
line, so those lead there; the newest executions are looked through besides, for one whose function never ran.
"""

import functools
import json
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any

from botocore.exceptions import ClientError

import life
from life.reading import json_object, order_of
from operations import executions
from operations.errors import CommandError, error_code
from operations.remedies import successor_arn
from operations.target import Target

LOGGED_FOR = timedelta(days=14)
LOOKED_THROUGH = 300  # AWS lets as many be described at once
_AT_A_TIME = 8
_LOGS = ("CompleteOrderLogs", "QueryOrderLogs")
_DENIED = ("AccessDeniedException", "AccessDenied")


@dataclass(frozen=True)
class Records:
    """What a stack has of one order of one merchant.

    Attributes:
        lines: what the functions logged.
        mchid: the merchant; empty when neither an event nor the stack names one.
        notes: what could not be read, in words.
    """

    executions: list[life.Execution]
    lines: list[dict[str, Any]]
    mchid: str
    notes: list[str]

    @property
    def identifiers(self) -> dict[str, str]:
        """What names the order to WeChat Pay, from the newest result or event that has it."""
        newest: dict[str, str] = {}
        for execution in sorted(self.executions, key=lambda each: each.began):
            for fields in (json_object(execution.input), execution.output or {}):
                names = ("appid", "service_id", "order_api")
                newest |= {name: fields[name] for name in names if isinstance(fields.get(name), str)}
        return newest


class OrderReader:
    """Reads from one stack.

    Args:
        since: how far to look back; None looks at the logs of 14 days and the newest executions.
    """

    def __init__(self, target: Target, now: datetime, since: datetime | None = None) -> None:
        self._target = target
        self._now = now
        self._since = since
        self._client = target.client("stepfunctions")

    def records(
        self, out_order_no: str, mchid: str | None = None, known: Collection[str] | None = None
    ) -> Records:
        """Return what there is of an order, without the logs where they may not be read.

        Args:
            mchid: the merchant, when several have an order of this number; None takes whichever there is.
            known: ARNs of its executions; None looks through the newest ones.

        Raises:
            CommandError: several merchants have an order of this number.
        """
        lines, notes = [], []
        try:
            lines = self.lines(out_order_no)
        except ClientError as exc:
            if error_code(exc) not in _DENIED:
                raise
            notes.append("the functions' logs cannot be read: ask for logs:FilterLogEvents 无权读取日志")
        default = self._target.default_mchid
        owners = [
            (order_of(each.input, default)[0], each) for each in self.executions(out_order_no, lines, known)
        ]
        if mchid is None and len({owner for owner, _ in owners}) > 1:
            several = ", ".join(sorted({owner for owner, _ in owners}))
            raise CommandError(
                f"several merchants have an order {out_order_no}: MCHID= one of {several} 请指定商户号"
            )
        merchant = mchid or next((owner for owner, _ in owners), default)
        own = [each for owner, each in owners if owner == merchant]
        arns = {each.arn for each in own}
        lines = [line for line in lines if line.get("execution") in arns or not line.get("execution")]
        return Records(own, lines, merchant, notes)

    def lines(self, out_order_no: str) -> list[dict[str, Any]]:
        """Return what the functions logged about an order, each line as its JSON object."""
        client = self._target.client("logs")
        start = self._since or self._now - LOGGED_FOR
        asked = {"filterPattern": json.dumps(out_order_no), "startTime": int(start.timestamp() * 1000)}
        lines = (
            json_object(event["message"])
            for group in self._log_groups
            for page in client.get_paginator("filter_log_events").paginate(logGroupName=group, **asked)
            for event in page["events"]
        )
        return [line for line in lines if line.get("out_order_no") == out_order_no]

    def executions(
        self, out_order_no: str, lines: Iterable[Mapping[str, Any]], known: Collection[str] | None = None
    ) -> list[life.Execution]:
        """Return the executions of an order: those its lines name, and those known or found by looking."""
        named = {line["execution"] for line in lines if isinstance(line.get("execution"), str)}
        others = self._newest() if known is None else set(known)
        # An execution's logs outlive it by the days that they are kept longer than 90.
        describe = functools.partial(executions.described, self._client)
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            described = {
                each["executionArn"]: each
                for each in pool.map(describe, named | others)
                if each is not None and order_of(each.get("input"))[1] == out_order_no
            }
            # A resubmission may be older than what was looked through, and may have logged nothing yet.
            successors = {successor_arn(arn) for arn in described} - described.keys()
            again = [each for each in pool.map(describe, successors) if each is not None]
            return list(pool.map(self._read, [*described.values(), *again]))

    @functools.cached_property
    def _log_groups(self) -> list[str]:
        client = self._target.client("cloudformation")
        pages = client.get_paginator("list_stack_resources").paginate(StackName=self._target.stack_name)
        return [
            each["PhysicalResourceId"]
            for page in pages
            for each in page["StackResourceSummaries"]
            if each["LogicalResourceId"] in _LOGS
        ]

    def _newest(self) -> set[str]:
        listed = executions.listed(self._client, self._target.whole_state_machine)
        if self._since is None:
            chosen: Iterable[dict[str, Any]] = islice(listed, LOOKED_THROUGH)
        else:
            since = self._since
            chosen = takewhile(lambda each: each["startDate"] >= since, listed)
        return {each["executionArn"] for each in chosen}

    def _read(self, description: Mapping[str, Any]) -> life.Execution:
        definition = self._definition(description["executionArn"])
        return executions.read(self._client, description, self._now, definition=definition)

    def _definition(self, arn: str) -> dict[str, Any]:
        described = self._client.describe_state_machine_for_execution(executionArn=arn)
        return json_object(described["definition"])
