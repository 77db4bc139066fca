"""What goes wrong on our side and at the hosts while orders come in, each at its point of the run."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chaos.plan import SERVICE_ORDER, SMART_RETAIL
from chaos.wechat import WeChat

type StoreSecret = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Step:
    """One disturbance: after which share of the orders (0 to 1), what it counts as, and what it does."""

    at: float
    counts_as: str
    act: Callable[[], object]


class Disturbances:
    """Makes each step when its time has come. `happened` counts what was done, `secrets` all ever stored."""

    def __init__(
        self,
        wechat: WeChat,
        store_secret: StoreSecret,
        kill_worker: Callable[[], bool],
        *,
        orders: int,
        seed: int,
    ) -> None:
        self.happened: Counter[str] = Counter()
        self.secrets: list[dict[str, Any]] = []
        self._order_api = SMART_RETAIL
        self._wechat = wechat
        self._store_secret = store_secret
        self._kill_worker = kill_worker
        self._steps = sorted([*self._operations(), *self._kills(orders, seed)], key=lambda step: step.at)

    def begin(self, *, download: bool) -> None:
        """Store the first secret: without platform keys when functions are to download the certificates."""
        secret = self._wechat.control.secret()
        if download:
            del secret["wechatpay_certificates"]
        self._store(secret)

    def advance(self, share: float) -> None:
        """Make the steps that are due when this share of the orders has ended."""
        while self._steps and self._steps[0].at <= share:
            step = self._steps.pop(0)
            if step.act() is not False:
                self.happened[step.counts_as] += 1

    def _operations(self) -> Sequence[Step]:
        """A merchant's key is rotated as an operator does it, without a gap: issue, store, refuse the old.

        Functions are warm meanwhile and hold the secret for minutes, so the old serial is refused to them.
        The migration of platform keys stores the secret before WeChat Pay goes on to the next stage.
        The migration to serviceorder finds orders of every family open.
        """
        return (
            *self._rotation(0.10, 0.14),
            *self._host_outage(0, 0.22, 0.27),
            Step(0.32, "platform key migrations", lambda: self._migrate("both")),
            *self._rotation(0.40, 0.44),
            *self._host_outage(1, 0.50, 0.55),
            Step(0.58, "migrations to serviceorder", self._to_service_order),
            Step(0.62, "platform key migrations", lambda: self._migrate("public_key")),
            *self._rotation(0.70, 0.74),
            *self._host_outage(0, 0.82, 0.87),
        )

    def _kills(self, orders: int, seed: int) -> list[Step]:
        draw = random.Random(f"{seed} kills")
        count = max(3, orders // 25)
        return [Step(draw.uniform(0.02, 0.97), "functions killed", self._kill_worker) for _ in range(count)]

    def _rotation(self, begin: float, end: float) -> tuple[Step, Step]:
        def issue() -> None:
            self._store(self._wechat.control.call("POST", "/merchant-key", {"keep_old": True}))

        def refuse_old() -> None:
            self._wechat.control.call("DELETE", "/merchant-key/old")

        return Step(begin, "keys issued", issue), Step(end, "merchant key rotations", refuse_old)

    def _host_outage(self, host: int, begin: float, end: float) -> tuple[Step, Step]:
        return (
            Step(
                begin, "hosts lost", lambda: self._wechat.control.call("PUT", f"/hosts/{host}", {"up": False})
            ),
            Step(
                end,
                "hosts returned",
                lambda: self._wechat.control.call("PUT", f"/hosts/{host}", {"up": True}),
            ),
        )

    def _migrate(self, stage: str) -> None:
        self._store(self._wechat.control.call("PUT", "/keys", {"mode": stage}))

    def _to_service_order(self) -> None:
        self._order_api = SERVICE_ORDER
        self._store(self.secrets[-1])

    def _store(self, secret: dict[str, Any]) -> None:
        secret = {**secret, "order_api": self._order_api}
        self.secrets.append(secret)
        self._store_secret(secret)
