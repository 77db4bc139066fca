"""One shop: a merchant's stack, some orders, and everything that goes wrong until the world heals."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any

from simulation import stepper
from simulation.audit import Audit, Violation
from simulation.aws import Secret, Waiting
from simulation.disturbances import Drawn, Fate, draw_windows
from simulation.environments import TABLE, Environment, Invocation, Pool
from simulation.follow import Follower
from simulation.kernel import Kernel
from simulation.keys import MCHID, ShopKeys, material
from simulation.network import Network
from simulation.orders import BUSY, HOUR, Arrival, Maker, Planned
from simulation.stepper import Execution, TaskError
from simulation.trace import Sink, Trace
from simulation.wechat import APPID, SERVICE_ID, WeChat
from tools.checks.workflow import substitutions

ASL = Path(__file__).parents[1] / "statemachine/service_ended.asl.yaml"
BEGAN = 1_800_000_000.0
"""UNIX seconds at which virtual time begins."""
HEALS = BUSY + HOUR + 1.0
HOSTS = ("http://127.0.0.1:1", "http://127.0.0.1:2")
SETTLED_WITHIN = 2 * HOUR
"""After the world has healed: two retries of half an hour, and an operator."""
MOST_PRESSES = 12
"""Times that an operator brings one execution forward after the world has healed."""
_ARN = "arn:aws:states:us-east-1:000000000000:execution:ServiceEnded:"


@dataclass
class Tally:
    """What is counted over all shops."""

    orders: int = 0
    executions: int = 0
    invocations: int = 0
    environments: int = 0
    virtual_days: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    windows: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    operators: Counter[str] = field(default_factory=Counter)
    cells: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    fen: int = 0
    claims: int = 0
    slowest: float = 0.0
    most_calls: int = 0
    killed: int = 0


class Shop:
    """One shop from its first order to the end of its last execution.

    Attributes:
        function_skew, wechat_skew: seconds that a clock is ahead of true time.
    """

    mchid = MCHID
    hosts = HOSTS

    def __init__(
        self,
        random: Random,
        trace: Trace,
        sink: Sink,
        tally: Tally,
        *,
        follow: str = "",
        fate: Fate | None = None,
        quiet: bool = False,
    ) -> None:
        self.kernel = Kernel(random, BEGAN)
        self.random, self.trace, self.sink, self.tally = random, trace, sink, tally
        self.audit = Audit()
        self._follower = Follower(follow, trace)
        if follow:
            sink.reader = lambda line: self._follower.read(line, self.kernel.now)
        rates = (0.0, 0.0, 0.0) if quiet else random.choice(_RATES)
        self.fate = fate or Drawn(random, *rates)
        self.keys = ShopKeys(random.choice(("public_key", "public_key", "both", "certificate")))
        self.wechat = WeChat(self.kernel, random, self.keys, self.fate, self.audit, trace)
        self.network = Network(self.kernel, HOSTS, self.wechat)
        self.secret = Secret(self.kernel)
        self.store_secret()
        self.executions: dict[str, Execution] = {}
        self.waiting = Waiting(self.kernel, self.executions.get)
        self.bus_down = False
        self.function_skew = 0.0 if quiet else random.uniform(-4, 4)
        self.wechat_skew = 0.0 if quiet else random.uniform(-8, 8)
        self.notified = random.random() < 0.3
        self.definition = _definition(random.choice((0, 0, 1, 7)), notified=self.notified)
        names = ("complete_order", "query_order", "payment_notification")
        self.pools = {name: Pool(self, name) for name in names}
        self._asked_at: dict[str, float] = {}
        self._calls: Counter[str] = Counter()
        self._final: dict[str, float] = {}
        self._pressed: Counter[str] = Counter()
        self._kept: set[str] = set()
        self._planned: list[Planned] = []
        self._next_notice = float("inf")

    @property
    def wechat_skew(self) -> float:
        """Seconds that WeChat Pay's clock is ahead of true time."""
        return self.wechat.core.clock_skew

    @wechat_skew.setter
    def wechat_skew(self, seconds: float) -> None:
        self.wechat.core.clock_skew = seconds

    def function_clock(self) -> float:
        """As `Surroundings`."""
        return self.kernel.now + self.function_skew

    def aws_client(self, environment: Environment, service: str) -> Any:
        """As `Surroundings`."""
        return (self.secret if service == "secretsmanager" else self.waiting).client(environment)

    def store_secret(self) -> None:
        """Store the secret as it has to be now."""
        self.secret.store(self.keys.secret(APPID, SERVICE_ID))

    def at(self, seconds: float, work: Callable[[], Any]) -> None:
        """Do something so many seconds after the beginning."""
        self.kernel.at(BEGAN + seconds, work)

    def run(self, numbers: list[str]) -> None:
        """Let these orders happen, and everything else, to the end."""
        draw_windows(self, self.random, self.random.choice((0, 2, 6)))
        for number in numbers:
            self.plan(Maker(self.random, number, APPID, SERVICE_ID, BEGAN).draw())
        self.at(HEALS, self.heal)
        self.kernel.run()
        self.finish()

    def life(self) -> list[str]:
        """Tell the life of the order that is followed."""
        return list(self._follower.life(self.executions))

    def plan(self, planned: Planned) -> None:
        """Let an order happen."""
        self._planned.append(planned)
        if self.notified:
            planned.settings["notify_url"] = "http://127.0.0.1/"
        self.at(planned.opened_at, lambda: self.wechat.open(planned))
        for index, arrival in enumerate(planned.arrivals):
            self.at(arrival.at, partial(self._arrives, planned, arrival, index))
        for at, what in planned.acts:
            self.at(max(at, planned.opened_at), partial(self._acts, planned, what))

    def heal(self) -> None:
        """Everything works from now on, and what is stored is right."""
        weather = self.network.weather
        weather.hosts_down.clear()
        weather.hosts_silent.clear()
        weather.names, weather.late = "", 0.0
        self.secret.trouble, self.waiting.down, self.bus_down = "", False, False
        self.function_skew = self.wechat_skew = 0.0
        self.store_secret()
        self.fate = self.wechat.fate = Fate()
        self.wechat.core.misbehaviour.clear()

    def finish(self) -> None:
        """Hold the end to what must have come of every order, and count."""
        for planned in self._planned:
            self.wechat.caught_up(planned.number)
            self._require_final(planned)
        self.tally.orders += len(self._planned)
        self.tally.executions += len(self.executions)
        self.tally.environments += sum(pool.made for pool in self.pools.values())
        self.tally.virtual_days += (self.kernel.now - BEGAN) / 86400
        self.tally.calls += self.wechat.calls
        self.tally.faults += self.wechat.faults
        self.tally.fen += self.audit.fen
        self.tally.claims += self.audit.claims
        self.tally.most_calls = max(self.tally.most_calls, *self._calls.values(), 0)
        if self.sink.leaks:
            raise Violation(f"a secret came out: {self.sink.leaks[0][:300]}")

    def _require_final(self, planned: Planned) -> None:
        number = planned.number
        own = [each for each in self.executions.values() if each.input["out_order_no"] == number]
        for execution in own:
            if number in self._kept:
                continue
            final = any(other.status == "SUCCEEDED" or other.state == "Failed" for other in own)
            if execution.status == "RUNNING" or not final:
                told = f"{execution.status} {execution.state} {execution.error}"
                raise Violation(f"{number}: never final: {told}")
        ready = max(BEGAN + HEALS, max(arrival.at for arrival in planned.arrivals) + BEGAN)
        late = max((self._final[each.arn] for each in own if each.arn in self._final), default=0.0) - ready
        self.tally.slowest = max(self.tally.slowest, late)
        if late > SETTLED_WITHIN:
            raise Violation(f"{number}: settled only {late:.0f} s after the world had healed")

    def _arrives(self, planned: Planned, arrival: Arrival, index: int) -> None:
        self.start(planned.number, str(index), arrival.event)

    def start(self, number: str, name: str, event: dict[str, Any]) -> Execution:
        """Start an execution for an order."""
        arn = f"{_ARN}{name}-{number}"
        execution = Execution(self.kernel, self, self.definition, arn, event, self._observe)
        self.executions[arn] = execution
        execution.start()
        return execution

    def _acts(self, planned: Planned, what: str) -> None:
        self.wechat.act(planned, what)
        self._look_after_notices()

    # What Tasks call.

    def invoke(self, execution: Execution, function: str, payload: Any, client_context: str) -> Any:
        """As `stepper.Services`."""
        name = "complete_order" if "CompleteOrder" in function else "query_order"
        number, who = execution.input["out_order_no"], _short(execution.arn)
        how = self.fate.platform(number, name)
        self.kernel.sleep(self.random.uniform(0.001, 0.01))
        if how == "before":
            raise TaskError(
                self.random.choice(("Lambda.TooManyRequestsException", "Lambda.ServiceException"))
            )
        invocation = Invocation(who, self.fate.dies_at(number, name, who))
        if name == "query_order":
            self._asked_at[execution.arn] = self.kernel.now
        self.tally.invocations += 1
        try:
            result = self.pools[name].invoke(invocation, payload, client_context)
        except TaskError as exc:
            self.sink.examine(exc.cause)
            self.trace.add(self.kernel.now, number, name, who, exc.error)
            raise
        finally:
            self._calls[execution.arn] += invocation.calls
            self.tally.killed += invocation.killed
            self._look_after_notices()
        self.audit.called(number, invocation.calls)
        self.wechat.caught_up(number)
        self.sink.examine(json.dumps(result, ensure_ascii=False))
        if name == "complete_order":
            self._settled(execution, payload, result, invocation)
        else:
            self.audit.queried(result)
        told = result.get("payment", {}).get("state") or result["outcome"]
        category = (result.get("error") or {}).get("category", "")
        self.trace.add(self.kernel.now, number, name, who, told, category, result["total_amount"])
        if how == "after":
            raise TaskError(self.random.choice(("Lambda.ServiceException", "Lambda.Unknown")))
        return result

    def _settled(
        self, execution: Execution, event: Any, result: dict[str, Any], invocation: Invocation
    ) -> None:
        sent = invocation.calls if result["outcome"] == "FAILED" else 0
        self.audit.settled(invocation.who, event, result, sent)
        category = (result.get("error") or {}).get("category", "")
        self.tally.outcomes[category or result["outcome"]] += 1
        self._final.setdefault(execution.arn, self.kernel.now)

    def put_events(self, execution: Execution, entries: list[dict[str, Any]]) -> Any:
        """As `stepper.Services`."""
        number = execution.input["out_order_no"]
        how = "before" if self.bus_down else self.fate.platform(number, "put_events")
        self.kernel.sleep(0.01)
        if how == "before":
            raise TaskError("EventBridge.EventBridgeException", "the bus is down")
        for entry in entries:
            kind, detail = entry["DetailType"], entry["Detail"]
            self.wechat.caught_up(number)
            self.audit.published(kind, detail, self._asked_at.get(execution.arn, 0.0))
            self.sink.examine(json.dumps(detail, ensure_ascii=False))
            self.tally.outcomes[kind] += 1
            self.trace.add(
                self.kernel.now, number, "published", _short(execution.arn), kind, detail["total_amount"]
            )
        if how == "after":
            raise TaskError("States.TaskFailed", "no answer")
        return {"FailedEntryCount": 0}

    def put_item(self, execution: Execution, table: str, item: dict[str, Any]) -> Any:
        """As `stepper.Services`."""
        how = self.fate.platform(execution.input["out_order_no"], "put_item")
        self.kernel.sleep(0.005)
        if self.waiting.down or how == "before":
            raise TaskError("DynamoDb.InternalServerErrorException")
        self.waiting.items[item["order"]["S"]] = item
        if how == "after":
            raise TaskError("DynamoDb.InternalServerErrorException")
        return {}

    # What happens beside.

    def _observe(self, execution: Execution, what: str, particulars: dict[str, Any]) -> None:
        number, who = execution.input["out_order_no"], _short(execution.arn)
        self._follower.observe(execution, what, particulars)
        if what == "entered":
            self.trace.add(self.kernel.now, number, "state", who, particulars["state"])
        elif what == "ended":
            self.trace.add(self.kernel.now, number, "ended", who, execution.status, execution.error)
            if execution.status != "SUCCEEDED" and execution.state != "Failed":
                pause = self.random.uniform(60, HOUR if self.kernel.now < BEGAN + HEALS else 900)
                self.kernel.after(pause, lambda: self._operate(execution))

    def _operate(self, execution: Execution) -> None:
        """An operator redrives what failed, or submits it again; the secret may still be wrong."""
        if execution.status in ("RUNNING", "SUCCEEDED"):
            return
        number = execution.input["out_order_no"]
        if execution.cause and _INVALID in execution.cause and self.kernel.now > BEGAN + HEALS:
            self.tally.operators["corrected by a person"] += 1  # no press of a key makes the event valid
            self._kept.add(number)
            return
        if self.kernel.now > BEGAN + HEALS:
            self._pressed[execution.arn] += 1
            if self._pressed[execution.arn] > MOST_PRESSES:
                raise Violation(f"{number}: never final: {execution.error} {execution.cause[:200]}")
        again = f"resubmit-{_short(execution.arn)}"
        if self.random.random() < 0.8 or f"{_ARN}{again}-{number}" in self.executions:
            self.tally.operators["redriven"] += 1
            self.trace.add(self.kernel.now, number, "redriven", _short(execution.arn))
            execution.redrive()
            return
        self.tally.operators["resubmitted"] += 1
        self.start(number, again, execution.input)

    def _look_after_notices(self) -> None:
        over = self.kernel.now > BEGAN + HEALS and not any(
            e.status == "RUNNING" for e in self.executions.values()
        )
        if not self.notified or over:  # an empty purse would be debited for ever
            return
        due = self.wechat.core.outbox.next_at()
        if due is None:
            return
        at = max(due - self.wechat_skew, self.kernel.now) + 0.001  # or it is not due by a rounding
        if at < self._next_notice or self._next_notice <= self.kernel.now:
            self._next_notice = at
            self.kernel.at(at, self._send_notices)

    def _send_notices(self) -> None:
        if self.kernel.now >= self._next_notice:
            self._next_notice = float("inf")
        for outgoing in self.wechat.core.outbox.due(self.wechat.core.now()):
            self.kernel.spawn(partial(self._notify, outgoing))
        self._look_after_notices()

    def _notify(self, outgoing: Any) -> None:
        number = outgoing.out_order_no
        notice = outgoing.notice
        status = None
        how = self.fate.platform(number, "notice")
        self.kernel.sleep(self.random.uniform(0.005, 0.2))
        request = {
            "pathParameters": {"mchid": MCHID},
            "headers": dict(notice.headers),
            "body": notice.body.decode(),
        }
        if how != "before":
            invocation = Invocation("notice", self.fate.dies_at(number, "payment_notification", "notice"))
            self.tally.invocations += 1
            try:
                status = self.pools["payment_notification"].invoke(invocation, request)["statusCode"]
            except TaskError as exc:
                self.sink.examine(exc.cause)
        self.trace.add(self.kernel.now, number, "notice", outgoing.event_type, status)
        self.wechat.core.outbox.answered(outgoing, None if how == "after" else status)
        self._look_after_notices()


def _short(arn: str) -> str:
    return arn.removeprefix(_ARN).rpartition("-S")[0]


@cache
def _definition(days: int, *, notified: bool) -> dict[str, Any]:
    table = {"WaitingOrders": TABLE} if notified else {}
    return stepper.load(ASL, {**substitutions("aws", {"PaymentWaitDays": str(days)}), **table})


_INVALID = "the event is invalid now, and was sent before"
_NOT_BEGUN = ("Lambda.TooManyRequestsException", "Lambda.ServiceException")
_RATES = ((0.0, 0.0, 0.0), (0.05, 0.02, 0.02), (0.2, 0.05, 0.05), (0.45, 0.1, 0.1))


def known_secrets() -> tuple[str, ...]:
    """Return the short secrets of this process."""
    return (material().api_v3_key,)
