"""Runs the demo: everything is started on free ports, used, checked and stopped again.

With the path of an SVG, for `make demo-picture`: the table is also written there.
"""

import contextlib
import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from wechatpay_sandbox import Simulator

from life import Attempt, Execution, Step
from local import foreground
from local.aws import EmbeddedAws
from local.demo.printing import Printer
from local.demo.samples import SLOW_SECONDS, Sample, samples
from local.demo.settled import Settled
from local.stack import Stack, StackError, deploy_for
from operations import executions
from operations.order_event import emit

ARRIVAL_SECONDS = 30
# A day of waiting for a payment passes in under two seconds.
WAIT_SCALE = 2e-5
PAYMENT_WAIT_DAYS = 1
PICTURE_COLUMNS = 100


def main() -> int:
    """Run the demo. Returns 0 if every order reached its expected outcome and the ledger agrees."""
    foreground.end_on_signals()
    pictures = [Path(path) for path in sys.argv[1:]]
    printer = Printer(PICTURE_COLUMNS if pictures else None)
    status = foreground.status_of(lambda: _run(printer), printer.console)
    if status == 0:
        for path in pictures:
            printer.picture(path)
    return status


def _run(printer: Printer) -> int:
    with contextlib.ExitStack() as started:
        with printer.step("Starting a WeChat Pay simulator and an embedded AWS on 127.0.0.1"):
            simulator = started.enter_context(Simulator(debit_after=0))
            aws = started.enter_context(EmbeddedAws(wait_scale=WAIT_SCALE))
        with printer.step("Deploying template.yaml, unchanged, with sam deploy"):
            stack = deploy_for(simulator, aws.environment(), PaymentWaitDays=str(PAYMENT_WAIT_DAYS))
        ended = []
        for sample in samples():
            with printer.step(f"{sample.number}  {sample.what}") as show:
                ended.append((sample, _settle(sample, stack, simulator, show)))
        ledger = {entry["out_order_no"]: entry for entry in simulator.ledger()}
        orders = [
            Settled(sample, execution, ledger[sample.number], len(simulator.requests(sample.number)))
            for sample, execution in ended
        ]
    printer.table(orders)
    printer.ledger(orders)
    differences = [difference for order in orders for difference in order.differences()]
    printer.verdict(differences)
    return 1 if differences else 0


def _settle(sample: Sample, stack: Stack, simulator: Simulator, show: Callable[[str], None]) -> Execution:
    ticket = {"finish_ticket": sample.event["finish_ticket"]} if "finish_ticket" in sample.event else {}
    simulator.open_order(sample.number, **ticket, **sample.opened)
    if sample.fault:
        simulator.script(sample.number, "complete", fault=sample.fault, times=sample.fault_times)
    if sample.on_bus:
        arn = _arrive_on_bus(sample, stack)
    else:
        arn = stack.start(json.dumps(sample.event, ensure_ascii=False), "demo")
    queries = itertools.count(1)

    def on_step(step: Step | Attempt) -> None:
        show(str(step))
        if str(step) == "QueryOrder" and next(queries) == sample.debited_at_query:
            simulator.advance(SLOW_SECONDS)

    return executions.follow(stack.client("stepfunctions"), arn, on_step)


def _arrive_on_bus(sample: Sample, stack: Stack) -> str:
    """Emit the event as a cabinet does. Returns the execution that it started."""
    emit(stack.client("events"), stack.outputs["EventBusName"], [sample.event])
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while time.monotonic() < deadline:
        arn = executions.find(stack.client("stepfunctions"), stack.outputs["StateMachineArn"], sample.number)
        if arn is not None:
            return arn
        time.sleep(0.1)
    raise StackError(f"{sample.number} was put on the bus and started no execution in {ARRIVAL_SECONDS} s")


if __name__ == "__main__":
    sys.exit(main())
