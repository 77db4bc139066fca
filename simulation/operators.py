"""The operators of one shop, at the wrong moments too: they act through the code of `operations/`.

They redrive and resubmit what is stuck, store secrets, and report what was paid at the counter.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from botocore.exceptions import ClientError
from wechatpay.credentials import parse
from wechatpay.deadline import Deadline
from wechatpay.orders import PAID_TO_THE_MERCHANT
from wechatpay.transport import Transport
from wechatpay_sandbox import MCHID
from wechatpay_sandbox.times import shanghai

from operations import live_check, order_query, recovery, resubmission, stuck, sync
from operations.errors import CommandError
from operations.recovery import Did
from operations.remedies import Remedy, Selection
from operations.staging import merchant_secret
from simulation.audit import NEVER, Violation
from simulation.environments import PREFIX
from simulation.follow import moment
from simulation.network import HOSTS, Sender
from simulation.orders import HOUR, SimulatedOrder
from simulation.step_functions import StepFunctions
from simulation.stepper import Execution

if TYPE_CHECKING:
    from simulation.shop import Shop

MACHINE = "arn:aws:states:us-east-1:000000000000:execution:ServiceEnded"
"""What executions' ARNs begin with; their list is asked for by it."""
LOOKS_WITHIN = 1800.0
"""Seconds after which an operator looks at an execution that needs one, at the latest."""
MOST_PRESSES = 12
"""Times that an operator brings one order forward after the world has healed."""
_INVALID = "the event is invalid now, and was sent before"
_TRIES = 6
_HERE = SimpleNamespace(map=map)
"""Stands for a pool of threads: does at once, here, what it is handed."""


class Operators:
    """Presses the keys of `make redrive`, `make resubmit`, `make secret` and `make sync`.

    Attributes:
        uncorrected: orders whose event a person has to correct: no press of a key makes it valid.
    """

    sender = Sender("operator")

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.uncorrected: set[str] = set()
        self._pressed: Counter[str] = Counter()
        self._coming: set[str] = set()
        self._world = shop.network.world(self, lambda: shop.kernel.now)
        self._step_functions = StepFunctions(shop.executions, shop.resubmitted)
        self._target: Any = SimpleNamespace(
            default_mchid=MCHID,
            function=SimpleNamespace(hosts=HOSTS, secret_prefix=PREFIX),
            client=lambda service: shop.secret if service == "secretsmanager" else self._step_functions,
        )

    def reach(self, point: str) -> None:
        """As `network.Caller`: nobody kills an operator."""

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let the code of `operations/` live in this shop's world meanwhile."""
        kernel = self._shop.kernel
        with ExitStack() as patches:
            for where, name, instead in (
                (stuck, "ThreadPoolExecutor", lambda _threads: nullcontext(_HERE)),
                (order_query, "Transport", lambda: Transport(world=self._world)),
                (resubmission, "now", lambda: moment(kernel.now)),
                (live_check, "time", SimpleNamespace(time=lambda: kernel.now)),
                (live_check, "Deadline", partial(Deadline, clock=self._world.monotonic)),
                (order_query, "Deadline", partial(Deadline, clock=self._world.monotonic)),
            ):
                patches.enter_context(patch.object(where, name, instead))
            patches.enter_context(patch("ssl.create_default_context", lambda **_: None))
            yield

    def ended(self, execution: Execution) -> None:
        """Look after an execution that has ended without success, some time."""
        shop, random = self._shop, self._shop.random
        if execution.state == "Failed" and (execution.redrives or random.random() > 0.1):
            return
        if random.random() < 0.1:
            self._step_functions.unredrivable.add(execution.arn)
        if execution.input["out_order_no"] in self._coming:
            return
        self._coming.add(execution.input["out_order_no"])
        visit = partial(self._visit, execution)
        shop.kernel.spawn(visit, after=random.uniform(60, LOOKS_WITHIN))

    def _visit(self, execution: Execution) -> None:
        shop, number = self._shop, execution.input["out_order_no"]
        self._coming.discard(number)
        if shop.healed and _INVALID in execution.cause:
            self._count("corrected by a person")
            self.uncorrected.add(number)
            return
        self._pressed[number] += shop.healed
        if self._pressed[number] > MOST_PRESSES:
            raise Violation(NEVER, number, f"{execution.error} {execution.cause[:200]}")
        reasons = frozenset({execution.error} if execution.state == "Failed" else ())
        orders = frozenset({number} if reasons or shop.random.random() < 0.8 else ())
        selection = Selection(reasons=reasons, orders=orders)
        client, pace = self._step_functions, recovery.at_most(5.0, shop.kernel.sleep)
        listing = stuck.find(client, MACHINE, moment(shop.kernel.now), selection, default_mchid=MCHID)
        chosen = [
            each
            for each in listing.stuck
            if each.remedy is not Remedy.CORRECT or selection.names(each.reason)
        ]
        hindrance = partial(resubmission.hindrance, self._target)
        for done in recovery.recover(client, MACHINE, chosen, pace, hindrance):
            what = f"{done.stuck.remedy.command}: {done.did.value}"
            self._count(what if done.did is not Did.SKIPPED else "resubmit: hindered")
            shop.trace.add(shop.kernel.now, done.stuck.out_order_no, "operator", what)

    def make_secret(self, value: dict[str, Any], tries: int = _TRIES) -> None:
        """Store a secret once it is proven against WeChat Pay; again later when it is not."""
        self._shop.kernel.spawn(partial(self._make_secret, value, tries))

    def _make_secret(self, value: dict[str, Any], tries: int) -> None:
        shop = self._shop
        staged = merchant_secret(self._target, MCHID)

        def prove(stored: dict[str, Any]) -> None:
            carrier = live_check.Recording(world=self._world)
            findings = live_check.prove(parse(json.dumps(stored), MCHID), HOSTS, carrier)
            if wrong := [each.message for each in findings if each.failed]:
                raise CommandError(wrong[0])

        for _ in range(tries):
            try:
                staged.store(value, prove, lambda _line: None)
            except (CommandError, ClientError) as exc:  # the latter: another operator was faster
                self._count("secret: not stored")
                reason = exc
                shop.kernel.sleep(shop.random.uniform(30, 300))
            else:
                self._count("secret: stored")
                return
            if value != shop.wanted_secret():
                return  # somebody has changed the keys again
        if shop.healed:
            raise Violation(NEVER, "make secret", str(reason))

    def sync(self, planned: SimulatedOrder) -> None:
        """Report an order as paid at the counter just now; again later when it is not taken yet."""
        self._shop.kernel.spawn(partial(self._sync, planned))

    def _sync(self, planned: SimulatedOrder) -> None:
        shop, kernel = self._shop, self._shop.kernel
        paid_at = shanghai(kernel.now)
        for _ in range(_TRIES):
            kernel.sleep(shop.random.uniform(10, 300))
            try:
                self._sync_once(planned, paid_at)
            except CommandError:
                self._count("sync: not done")
                kernel.sleep(shop.random.uniform(60, HOUR))
            else:
                self._count("sync: done")
                shop.wechat.caught_up(planned.number)
                shop.trace.add(kernel.now, planned.number, "operator", "sync")
                shop.notifications.look_after()
                return

    def _sync_once(self, planned: SimulatedOrder, paid_at: str) -> None:
        credentials = live_check.read_credentials(merchant_secret(self._target, MCHID), MCHID)
        client = order_query.client_of(credentials, HOSTS)
        paid = sync.paid_time(paid_at, moment(self._shop.kernel.now), ())
        key, state = sync.find(client, order_query.keys(credentials, planned.arrivals[0].event))
        if state.state == "USER_PAID" and state.pay_type == PAID_TO_THE_MERCHANT:
            return
        sync.require_unpaid(planned.number, state)
        sync.report(client, key, paid)

    def _count(self, what: str) -> None:
        self._shop.tally.operators[what] += 1
