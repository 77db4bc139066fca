"""One run, whole: start everything, play the plan under fire, gather the evidence, judge it."""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from chaos import evidence, wechat, workers
from chaos.audit import Findings, audit
from chaos.disturbances import Disturbances
from chaos.inbox import Inbox
from chaos.leaks import Searched, Secrets, search
from chaos.ledger import Figures, figures
from chaos.load import Load
from chaos.plan import ChaosOrder
from local.aws import EmbeddedAws
from local.stack import deploy

WAIT_SCALE = 0.001
"""A day of waiting, for a retry or for payment, takes a minute and a half; most waits take milliseconds."""
READ_EVERY_SECONDS = 2.0

type Progress = Callable[[str, float, str], None]


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        seconds: from the first order to the last execution's end.
    """

    plan: Sequence[ChaosOrder]
    executions: Sequence[evidence.AuditedExecution]
    seconds: float
    figures: Figures
    findings: Findings
    searched: Searched
    load: Load
    happened: Counter[str]
    arrivals: evidence.Arrivals

    @property
    def ok(self) -> bool:
        """Whether every count that must be zero is."""
        return not self.findings.sentences() and not self.searched.leaks

    def stories(self) -> dict[str, list[str]]:
        """Return what happened to each order that a finding is about, by number."""
        sentences = self.findings.sentences()
        numbers = {order.number for order in self.plan for each in sentences if order.number in each}
        return {
            number: [
                *(each.line() for each in self.executions if each.event.get("out_order_no") == number),
                *self.arrivals.lines(number),
            ]
            for number in sorted(numbers)
        }


@dataclass(frozen=True)
class Conditions:
    """How hard a run is.

    Attributes:
        rate: share of all calls that meet a fault, 0 to 1.
        seed: decides which, and the kills.
        at_a_time: orders under way at once.
        download: begin with functions that download the platform certificates. A function that could not
            waits a minute before it asks again, which no waiting time of the workflow shortens.
    """

    rate: float
    seed: int
    at_a_time: int
    download: bool = True


def run(plan: Sequence[ChaosOrder], conditions: Conditions, progress: Progress) -> Outcome:
    """Run the plan. `progress` is called with what is being done, which share of it, and counts.

    Raises:
        EmbeddedAwsError, StackError: it could not begin.
    """
    seed, at_a_time = conditions.seed, conditions.at_a_time
    with ExitStack() as started:
        progress("starting", 0, "")
        log = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")), "server.log")
        sandbox, hosts = started.enter_context(wechat.running())
        # Beyond that many functions at a time, as when duplicates burst in, Lambda throttles.
        limit = {"LAMBDA_ACCOUNT_CONCURRENCY": str(at_a_time + at_a_time // 2)}
        aws = started.enter_context(EmbeddedAws(wait_scale=WAIT_SCALE, environment=limit, log=log))
        progress("deploying", 0, "")
        mchid = sandbox.secret()["mchid"]
        parameters = {"WeChatPayHosts": hosts, "DefaultMchid": mchid, "PaymentWaitDays": "1"}
        stack = deploy(aws.environment(), parameters)

        choose = random.Random(f"{seed} workers")
        disturbances = Disturbances(
            sandbox,
            stack.store_secret,
            lambda: workers.kill_one(aws.pid, choose),
            orders=len(plan),
            seed=seed,
        )
        disturbances.begin(download=conditions.download)
        sandbox.chaos(conditions.rate, seed, wechat.at_random())
        arrivals, inbox = evidence.Arrivals(sandbox), Inbox(stack)
        load = Load(stack, sandbox, inbox, at_a_time=at_a_time)
        next_read = 0.0

        def tick() -> None:
            nonlocal next_read
            share = load.ended / len(plan)
            disturbances.advance(share)
            if time.monotonic() > next_read:
                next_read = time.monotonic() + READ_EVERY_SECONDS
                arrivals.read()
            shown = ", ".join(f"{number} {name}" for name, number in sorted(disturbances.happened.items()))
            progress("settling", share, f"{arrivals.faults.total()} faults, {shown}")

        began = time.monotonic()
        with inbox:
            load.play(plan, tick)
            seconds = time.monotonic() - began
        progress("gathering the evidence", 1, "")
        arrivals.read()
        executions, ledger = evidence.executions(stack), wechat.ledger(sandbox)
        progress("searching for secrets", 1, "")
        places = {
            "log": evidence.log_lines(stack),
            "history": (text for execution in executions for text in execution.texts),
            "published event": (json.dumps(event.detail) for event in inbox.published),
            "metric": evidence.metric_names(stack),
            "log of the embedded AWS": log.read_text(encoding="utf-8", errors="replace").splitlines(),
        }
        inputs = [text for execution in executions for text in execution.inputs]
        searched = search(_secrets(plan, disturbances, arrivals), places, inputs)
        return Outcome(
            plan=plan,
            executions=executions,
            seconds=seconds,
            figures=figures(ledger, executions),
            findings=audit(plan, ledger, executions, inbox.published),
            searched=searched,
            load=load,
            happened=disturbances.happened,
            arrivals=arrivals,
        )


def _secrets(plan: Iterable[ChaosOrder], disturbances: Disturbances, arrivals: evidence.Arrivals) -> Secrets:
    given = {
        arrival.event["finish_ticket"]
        for order in plan
        for arrival in order.arrivals
        if "finish_ticket" in arrival.event
    }
    secrets = Secrets(given=given)
    for secret in disturbances.secrets:
        secrets.add_merchant(secret)
    for request in arrivals.requests:
        secrets.add_request(request)
    return secrets
