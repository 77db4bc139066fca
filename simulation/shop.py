"""One shop: a merchant's stack, some orders, and everything that goes wrong until the world heals."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from functools import cache, partial
from random import Random
from typing import Any

from wechatpay_sandbox import SERVICE_ID
from wechatpay_sandbox.order import APIS

from simulation import language
from simulation.audit import Audit
from simulation.aws import Secret, Waiting
from simulation.endings import finish
from simulation.environments import TABLE, Environment, Pool
from simulation.fate import Drawn, Fate
from simulation.follow import Follower
from simulation.kernel import Kernel
from simulation.keys import ShopKeys, material
from simulation.network import Network
from simulation.notifications import Notifications
from simulation.operators import MACHINE, Operators
from simulation.orders import APPID, BEGAN, BUSY, HOUR, Maker, SimulatedOrder
from simulation.stepper import Execution
from simulation.tally import Tally
from simulation.tasks import Tasks
from simulation.trace import Sink, Trace
from simulation.wechat import WeChat
from simulation.windows import draw_windows
from tools import workflow


class Shop:
    """One shop from its first order to the end of its last execution.

    Args:
        follow: the order whose life is kept.
        fate: what disturbs a shop in which nothing else goes wrong; None: everything is drawn.

    Attributes:
        function_skew: seconds that the functions' clock is ahead of true time.
        heals: seconds from the beginning at which everything works again.
    """

    def __init__(
        self, random: Random, trace: Trace, tally: Tally, *, follow: str = "", fate: Fate | None = None
    ) -> None:
        quiet = fate is not None
        self.kernel = Kernel(random, BEGAN)
        self.random, self.trace, self.tally = random, trace, tally
        self.sink = Sink((material().api_v3_key,))
        self.audit = Audit()
        self._follower = Follower(follow, trace)
        if follow:
            self.sink.reader = lambda line: self._follower.read(line, self.kernel.now)
        self.fate = fate or Drawn(random, *random.choice(_RATES))
        self.keys = ShopKeys(random.choice(("public_key", "public_key", "both", "certificate")))
        self.order_api = None if quiet else random.choice((None, None, *APIS))
        self.wechat = WeChat(self.kernel, random, self.keys, self.fate, self.audit, trace)
        self.network = Network(self.kernel, self.wechat)
        self.secret = Secret(self.kernel)
        self.secret.store(self.wanted_secret())
        self.executions: dict[str, Execution] = {}
        self.waiting = Waiting(self.kernel, self.executions.get)
        self.bus_down = self.healed = False
        self.heals = random.uniform(0.3, 1.2) * BUSY
        self.function_skew = 0.0 if quiet else random.uniform(-4, 4)
        self.wechat.core.clock_skew = 0.0 if quiet else random.uniform(-8, 8)
        self.notified = random.random() < 0.3
        self.definition = _definition(random.choice((0, 0, 1, 7)), notified=self.notified)
        names = ("complete_order", "query_order", "payment_notification")
        self.pools = {name: Pool(self, name) for name in names}
        self.tasks, self.notifications, self.operators = Tasks(self), Notifications(self), Operators(self)
        self._who: dict[str, str] = {}
        self.planned: dict[str, SimulatedOrder] = {}

    def aws_client(self, environment: Environment, service: str) -> Any:
        """Return the client of an AWS service that a function has."""
        return self.secret.client(environment) if service == "secretsmanager" else self.waiting

    def wanted_secret(self) -> dict[str, Any]:
        """Return the secret as it has to be now."""
        own = {} if self.order_api is None else {"order_api": self.order_api}
        return self.keys.secret(APPID, SERVICE_ID) | own

    def secret_of_other_key(self) -> dict[str, Any]:
        """Return it with the merchant's other key, which WeChat Pay may not take."""
        other = next(key for key in material().merchants if key is not self.keys.merchant)
        own = {"merchant_serial_no": other.serial, "merchant_private_key": other.private_pem}
        return self.wanted_secret() | own

    def at(self, seconds: float, work: Callable[[], Any]) -> None:
        """Do something so many seconds after the beginning."""
        self.kernel.at(BEGAN + seconds, work)

    def run(self, numbers: list[str]) -> None:
        """Let these orders happen, and everything else, to the end."""
        draw_windows(self, self.random, self.random.choice((0, 2, 6)))
        for number in numbers:
            self.plan(Maker(self.random, number).draw())
        self.at(self.heals, self.heal)
        self.settle()

    def settle(self) -> None:
        """Take turns until nothing is left to happen, and hold the end to what must have come of it."""
        with contextlib.redirect_stdout(self.sink), warnings.catch_warnings(), self.operators.at_work():
            warnings.simplefilter("ignore")
            self.kernel.run()
            finish(self)

    def life(self) -> list[str]:
        """Return the life of the order that is followed."""
        return list(self._follower.life(self.executions))

    def plan(self, planned: SimulatedOrder) -> None:
        """Let an order happen."""
        self.planned[planned.number] = planned
        self.tally.families[planned.settings.get("api", APIS[0])] += 1
        if self.notified:
            planned.settings["notify_url"] = "http://127.0.0.1/"
            if self.random.random() < 0.2:
                at = planned.opened_at + self.random.uniform(0, HOUR)
                self.at(at, lambda: self.notifications.stray(planned.number))
        self.at(planned.opened_at, lambda: self.wechat.open(planned))
        for index, arrival in enumerate(planned.arrivals):
            self.at(arrival.at, partial(self._start, f"{index}-{planned.number}", str(index), arrival.event))
        for at, what in planned.acts:
            self.at(max(at, planned.opened_at), partial(self._acts, planned, what))

    def heal(self) -> None:
        """Everything works from now on, and what is stored is right as soon as an operator has stored it."""
        self.healed = True
        weather = self.network.weather
        weather.hosts_down.clear()
        weather.hosts_silent.clear()
        weather.names, weather.late = "", 0.0
        self.secret.trouble, self.waiting.down, self.bus_down = "", False, False
        self.function_skew = self.wechat.core.clock_skew = 0.0
        self.fate = self.wechat.fate = Fate()
        self.wechat.core.misbehaviour.clear()
        self.operators.make_secret(self.wanted_secret())

    def settles_from(self, number: str) -> float:
        """Return the moment from which nothing keeps an order from its end."""
        planned = self.planned[number]
        return BEGAN + max(self.heals, planned.possible_at, *(arrival.at for arrival in planned.arrivals))

    def resubmitted(self, name: str, event: dict[str, Any]) -> None:
        """Start an execution once more, as an operator does."""
        number = event["out_order_no"]
        self._start(name, f"resubmit-{len(self.executions)}", event)
        self.planned[number].possible_at = max(self.planned[number].possible_at, self.kernel.now - BEGAN)

    def who(self, execution: Execution) -> str:
        """Return an execution's short name in the trace."""
        return self._who[execution.arn]

    def _start(self, name: str, who: str, event: dict[str, Any]) -> None:
        arn = f"{MACHINE}:{name}"
        execution = Execution(self.kernel, self.tasks, self.definition, arn, event, self._observe)
        self.executions[arn], self._who[arn] = execution, who
        execution.start()

    def _acts(self, planned: SimulatedOrder, what: str) -> None:
        if what == "pays at the counter":
            self.operators.sync(planned)
        elif self.wechat.act(planned, what):
            self.tally.acts[what] += 1
        self.notifications.look_after()

    def _observe(self, execution: Execution, what: str, particulars: dict[str, Any]) -> None:
        number, who = execution.input["out_order_no"], self.who(execution)
        self._follower.observe(execution, what, particulars)
        if what == "entered":
            self.trace.add(self.kernel.now, number, "state", who, particulars["state"])
        elif what == "ended":
            self.trace.add(self.kernel.now, number, "ended", who, execution.status, execution.error)
            if execution.status != "SUCCEEDED":
                self.operators.ended(execution)


@cache
def _definition(days: int, *, notified: bool) -> dict[str, Any]:
    table = {"WaitingOrders": TABLE} if notified else {}
    return language.checked(workflow.deployed({"PaymentWaitDays": str(days)}, **table))


_RATES = ((0.0, 0.0, 0.0), (0.05, 0.02, 0.02), (0.2, 0.05, 0.05), (0.45, 0.1, 0.1))
"""Shares of calls with a fault, of invocations that are killed, of calls of AWS services that go wrong."""
