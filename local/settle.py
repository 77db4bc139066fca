"""`make settle EVENT=events/x.json`: one order through the running stack, followed to its end."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from life import Attempt, Execution, Step
from life.reading import message_of, parsed
from local import foreground, running, sandbox
from local.stack import Stack
from operations import executions, order_event
from operations.errors import CommandError

PATIENCE_SECONDS = 90.0


def main() -> int:
    """Settle the order of the file named first; the fault named second happens to it once.

    Returns:
        0 when its execution SUCCEEDED, or the order is accepted and not paid yet.
    """
    file, fault = (*sys.argv[1:], "", "")[:2]
    text, event = _read(file)
    if fault:
        sandbox.require_fault(fault)
    try:
        return _settle(text, event, fault, running.read_environment())
    except (BotoCoreError, ClientError) as exc:
        raise CommandError(
            f"the local stack does not answer as it should ({exc}): make down, then make up"
        ) from exc
    except KeyboardInterrupt:
        print("\nNo longer following; the execution goes on.", file=sys.stderr)
        return 130


def _read(file: str) -> tuple[str, Any]:
    if not file:
        raise CommandError("which order? make settle EVENT=events/completed.json")
    try:
        return order_event.read(Path(file))
    except order_event.UnreadableFileError as exc:
        there = ", ".join(sorted(str(each) for each in Path("events").glob("*.json")))
        raise CommandError(f"{exc}. There are {there}") from exc


def _settle(text: str, event: Any, fault: str, environment: dict[str, str]) -> int:
    named = isinstance(event, dict) and isinstance(event.get("out_order_no"), str) and event["out_order_no"]
    if fault and not named:
        raise CommandError("no fault can happen to an order without an out_order_no")
    if fault:
        print(sandbox.plan_fault(environment, event["out_order_no"], fault))
    stack = Stack.find(environment, environment["STACK_NAME"])
    if named and "SIMULATOR_CONTROL" in environment:
        try:
            sandbox.open_order(environment, event)
        except CommandError as exc:  # such an event may be what is to be tried
            print(f"no order was opened: {exc}", file=sys.stderr)
    arn = stack.start(text, "settle")
    print(arn)
    started = time.monotonic()

    def show(step: Step | Attempt) -> None:
        text = f"  {step}: {step.message}" if isinstance(step, Attempt) else str(step)
        print(f"  {time.monotonic() - started:5.1f} s  {text}", flush=True)

    return _report(executions.follow(stack.client("stepfunctions"), arn, show, seconds=PATIENCE_SECONDS))


def _report(execution: Execution) -> int:
    accepted, seconds = executions.accepted(execution), executions.seconds_of(execution)
    if execution.status in executions.GOES_ON:
        stands = "not settled yet 尚未完结"
        if accepted:
            stands = "accepted, and not paid yet 已受理，尚未支付"
        print(f"{stands} after {seconds:.1f} s: no longer following; the execution goes on")
        return 0 if accepted else 1
    print(f"{execution.status} after {seconds:.1f} s")
    if execution.output is not None:
        print(json.dumps(execution.output, ensure_ascii=False, indent=2))
        return 0
    print(f"error: {execution.error}\ncause: {_readable(execution.cause)}")
    return 1


def _readable(cause: str) -> str:
    """A raised error's cause holds its stack trace, which is for the log; a result's error is shown whole."""
    value = parsed(cause)
    if isinstance(value, str) or (isinstance(value, dict) and "errorMessage" in value):
        return message_of(cause)
    return json.dumps(value, ensure_ascii=False, indent=2)


if __name__ == "__main__":
    foreground.run(main)
