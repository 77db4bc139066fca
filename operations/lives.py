"""Reads what an order's life is made of: its executions, and what the functions logged about it.

Executions cannot be looked up by what is in their input. The functions' logs name the execution on every
line, so those lead there; the newest executions are looked through besides, for one whose function never ran.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

import life
from life.reading import parsed
from operations.executions import GOES_ON
from operations.stuck import REDRIVABLE_FOR, successor_arn
from operations.target import Target, error_code

LOGGED_FOR = timedelta(days=14)
LOOKED_THROUGH = 300  # AWS lets as many be described at once
_AT_A_TIME = 8
_LOGS = ("CompleteOrderLogs", "QueryOrderLogs")


class Reader:
    """Reads from one stack.

    Args:
        target: the stack.
        now: the time.
        since: how far to look back; None looks at the logs of 14 days and the newest executions.
        client: a boto3 Step Functions client, when there is one already.
    """

    def __init__(
        self, target: Target, now: datetime, since: datetime | None = None, client: Any = None
    ) -> None:
        self._target = target
        self._now = now
        self._since = since
        self._client = client or target.client("stepfunctions")

    def lines(self, out_order_no: str) -> list[dict[str, Any]]:
        """Return what the functions logged about an order, each line as its JSON object."""
        client = self._target.client("logs")
        start = self._since or self._now - LOGGED_FOR
        asked = {"filterPattern": json.dumps(out_order_no), "startTime": int(start.timestamp() * 1000)}
        messages = (
            event["message"]
            for group in self._log_groups
            for page in client.get_paginator("filter_log_events").paginate(logGroupName=group, **asked)
            for event in page["events"]
        )
        found = (parsed(message) for message in messages)
        return [line for line in found if isinstance(line, dict) and line.get("out_order_no") == out_order_no]

    def executions(
        self, out_order_no: str, lines: Iterable[Mapping[str, Any]], known: Collection[str] | None = None
    ) -> list[life.Execution]:
        """Return the executions of an order: those its lines name, and those known or found by looking."""
        named = {line["execution"] for line in lines if isinstance(line.get("execution"), str)}
        others = self._newest() if known is None else set(known)
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            described = [each for each in pool.map(self._describe, named | others) if each is not None]
            found = {each["executionArn"]: each for each in described if _number(each) == out_order_no}
            # A resubmission may be older than what was looked through, and may have logged nothing yet.
            again = {successor_arn(arn) for arn in found} - found.keys()
            found |= {
                each["executionArn"]: each for each in pool.map(self._describe, again) if each is not None
            }
            return list(pool.map(self.execution, found.values()))

    def execution(
        self,
        described: Mapping[str, Any],
        definition: Mapping[str, Any] | None = None,
        *,
        history: bool = True,
    ) -> life.Execution:
        """Return an execution with its history and the workflow that it runs, unless that is given."""
        arn = described["executionArn"]
        runs = described["status"] in GOES_ON
        return life.Execution(
            arn=arn,
            status=described["status"],
            began=described["startDate"],
            ended=None if runs else described.get("stopDate"),
            input=described.get("input") or "",
            output=described.get("output"),
            error=described.get("error") or "",
            cause=described.get("cause") or "",
            redrives=described.get("redriveCount") or 0,
            redrivable=not runs and self._redrivable(described),
            history=list(self._history(arn)) if history else (),
            definition=self._definition(arn) if definition is None else definition,
        )

    @cached_property
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
        pages = self._client.get_paginator("list_executions").paginate(
            stateMachineArn=self._target.whole_state_machine, PaginationConfig={"PageSize": LOOKED_THROUGH}
        )
        listed = (each for page in pages for each in page["executions"])
        if self._since is None:
            return {each["executionArn"] for each in islice(listed, LOOKED_THROUGH)}
        found = set()
        for each in listed:  # newest first
            if each["startDate"] < self._since:
                break
            found.add(each["executionArn"])
        return found

    def _describe(self, arn: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._client.describe_execution(executionArn=arn)
        except ClientError as exc:
            # Its logs outlive an execution by the days they are kept longer than 90.
            if error_code(exc) in ("ExecutionDoesNotExist", "InvalidArn"):
                return None
            raise
        return found

    def _history(self, arn: str) -> Iterator[dict[str, Any]]:
        for page in self._client.get_paginator("get_execution_history").paginate(executionArn=arn):
            yield from page["events"]

    def _definition(self, arn: str) -> dict[str, Any]:
        described = self._client.describe_state_machine_for_execution(executionArn=arn)
        found = parsed(described["definition"])
        return found if isinstance(found, dict) else {}

    def _redrivable(self, described: Mapping[str, Any]) -> bool:
        return (
            described["status"] != "SUCCEEDED"
            and self._now - described["stopDate"] < REDRIVABLE_FOR
            and described.get("redriveStatus") != "NOT_REDRIVABLE"
        )


def _number(described: Mapping[str, Any]) -> str:
    event = parsed(described.get("input"))
    found = event.get("out_order_no") if isinstance(event, dict) else None
    return found if isinstance(found, str) else ""
