"""What goes wrong on our side and at the hosts while orders come in, each at its point of the run."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from wechatpay_sandbox.client import Client

from chaos.plan import SERVICE_ORDER, SMART_RETAIL


class Step(NamedTuple):
    """One disturbance: after which share of the orders (0 to 1), what it counts as, and what it does."""

    at: float
    counts_as: str
    act: Callable[[], object]


class Disturbances:
    """Makes each step when its time has come. `happened` counts what was done, `secrets` all ever stored."""

    def __init__(
        self,
        sandbox: Client,
        store_secret: Callable[[dict[str, Any]], object],
        kill_worker: Callable[[], bool],
        *,
        orders: int,
        seed: int,
    ) -> None:
        self.happened: Counter[str] = Counter()
        self.secrets: list[dict[str, Any]] = []
        self._order_api = SMART_RETAIL
        self._sandbox = sandbox
        self._store_secret = store_secret
        self._kill_worker = kill_worker
        self._steps = sorted([*self._operations(), *self._kills(orders, seed)], key=lambda step: step.at)

    def begin(self, *, download: bool) -> None:
        """Store the first secret: without platform keys when functions are to download the certificates."""
        secret = self._sandbox.secret()
        if download:
            del secret["wechatpay_certificates"]
        self._store(secret)

    def advance(self, share: float) -> None:
        """Make the steps that are due when this share of the orders has ended."""
        while self._steps and self._steps[0].at <= share:
            step = self._steps.pop(0)
            if step.act() is not False:
                self.happened[step.counts_as] += 1

    def _operations(self) -> Iterator[Step]:
        """A merchant's key is rotated as an operator does it, without a gap: issue, store, refuse the old.

        Functions are warm meanwhile and hold the secret for minutes, so the old serial is refused to them.
        The migration of platform keys stores the secret before WeChat Pay goes on to the next stage.
        The migration to serviceorder finds orders of every family open.
        """
        control = self._sandbox
        for issued, refused in ((0.10, 0.14), (0.40, 0.44), (0.70, 0.74)):
            yield Step(issued, "keys issued", lambda: self._store(control.rotate_merchant_key(keep_old=True)))
            yield Step(refused, "merchant key rotations", control.drop_old_merchant_keys)
        for host, lost, returned in ((0, 0.22, 0.27), (1, 0.50, 0.55), (0, 0.82, 0.87)):
            yield Step(lost, "hosts lost", partial(control.set_host, host, up=False))
            yield Step(returned, "hosts returned", partial(control.set_host, host, up=True))
        yield Step(0.32, "platform key migrations", lambda: self._store(control.set_keys("both")))
        yield Step(0.58, "migrations to serviceorder", self._to_service_order)
        yield Step(0.62, "platform key migrations", lambda: self._store(control.set_keys("public_key")))

    def _kills(self, orders: int, seed: int) -> list[Step]:
        draw = random.Random(f"{seed} kills")
        count = max(3, orders // 25)
        return [Step(draw.uniform(0.02, 0.97), "functions killed", self._kill_worker) for _ in range(count)]

    def _to_service_order(self) -> None:
        self._order_api = SERVICE_ORDER
        self._store(self.secrets[-1])

    def _store(self, secret: dict[str, Any]) -> None:
        secret = {**secret, "order_api": self._order_api}
        self.secrets.append(secret)
        self._store_secret(secret)
