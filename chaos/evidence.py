"""What the run left behind: executions, their histories, the functions' logs, what arrived at WeChat Pay."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from wechatpay_sandbox.client import Client

from local.stack import Stack
from operations.executions import listed, read

_READERS = 4
_STREAMS = 500
_INPUTS = ("input", "parameters")


ANNOUNCED = ("INVALID_INPUT", "REJECTED", "CONFLICT")
"""Errors of the Fail state: the execution has published its result and ends so on purpose."""


def kept_for_a_person(error: str, cause: str) -> bool:
    """Tell whether an execution ended by an event that is invalid, and was not at its first attempt.

    Nobody knows then what that attempt did (a new release may have other rules), so the order is not called
    failed: it waits for a person, who finds it still open.
    """
    return error == "MerchantMisconfigured" and "the event is invalid now" in cause


@dataclass(frozen=True)
class AuditedExecution:
    """One execution as it ended, with the errors its Tasks raised on the way.

    `inputs` and `texts` are all that AWS keeps of it: what was put in, and everything else.
    """

    arn: str
    status: str
    event: Any
    output: dict[str, Any] | None = None
    error: str = ""
    cause: str = ""
    raised: tuple[str, ...] = ()
    inputs: tuple[str, ...] = field(default=(), repr=False)
    texts: tuple[str, ...] = field(default=(), repr=False)

    @property
    def has_result(self) -> bool:
        """Whether it ended with a result of the function, good or bad, and not by an error."""
        return self.status == "SUCCEEDED" or (self.status == "FAILED" and self.error in ANNOUNCED)

    def line(self) -> str:
        """How it went, in a line."""
        name, raised = self.arn.rpartition(":")[2], ", ".join(self.raised) or "nothing"
        return f"{name} raised {raised} and ended {self.status} {self.error}"

    @property
    def is_kept(self) -> bool:
        """Whether it waits for a person, as an invalid event does when an attempt came before."""
        return self.status == "FAILED" and kept_for_a_person(self.error, self.cause)


def executions(stack: Stack) -> list[AuditedExecution]:
    """Every execution of the workflow there ever was."""
    workflow = stack.client("stepfunctions")
    arns = [each["executionArn"] for each in listed(workflow, stack.outputs["StateMachineArn"])]
    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(lambda arn: _execution(workflow, arn), arns))


def _execution(workflow: Any, arn: str) -> AuditedExecution:
    described = workflow.describe_execution(executionArn=arn)
    execution = read(workflow, described, datetime.now(UTC))
    inputs, texts = [execution.input], [described.get(name) or "" for name in ("output", "error", "cause")]
    for event in execution.history:
        details: dict[str, Any] = next((v for k, v in event.items() if k.endswith("EventDetails")), {})
        for name, value in details.items():
            (inputs if name in _INPUTS else texts).append(str(value))
    return AuditedExecution(
        arn=arn,
        status=execution.status,
        event=json.loads(execution.input),
        output=execution.output,
        error=execution.error,
        cause=execution.cause,
        raised=tuple(execution.raised),
        inputs=tuple(inputs),
        texts=tuple(texts),
    )


def log_lines(stack: Stack) -> Iterator[str]:
    """Every line in every log group: the functions' own lines, their metrics and errors among them."""
    logs = stack.client("logs")
    for groups in logs.get_paginator("describe_log_groups").paginate():
        for group in groups["logGroups"]:
            name = group["logGroupName"]
            pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=name)
            streams = [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
            for begin in range(0, len(streams), _STREAMS):
                some = streams[begin : begin + _STREAMS]
                events = logs.filter_log_events(logGroupName=name, logStreamNames=some)["events"]
                yield from (event["message"] for event in events)


def metric_names(stack: Stack) -> list[str]:
    """Every metric with its dimensions."""
    pages = stack.client("cloudwatch").get_paginator("list_metrics").paginate()
    return [json.dumps(metric) for page in pages for metric in page["Metrics"]]


class Arrivals:
    """What arrived at WeChat Pay and what it answered, read now and then: the latest are kept."""

    def __init__(self, sandbox: Client) -> None:
        self.requests: list[dict[str, Any]] = []
        self._sandbox = sandbox

    def read(self) -> None:
        """Read what is new."""
        after = self.requests[-1]["number"] if self.requests else 0
        self.requests += self._sandbox.requests(after=after)

    @property
    def faults(self) -> Counter[str]:
        """How often each kind of fault was thrown."""
        return Counter(request["fault"] for request in self.requests if request["fault"])

    def lines(self, number: str) -> list[str]:
        """What arrived about one order, a line a call, without bodies and headers."""
        return [
            f"{request['time']:.3f} host {request['host']}: {request['operation']}, "
            f"{request['fault'] or 'served'}: {request['status']}{'' if request['reply'] else ', never sent'}"
            for request in self.requests
            if request["out_order_no"] == number
        ]
