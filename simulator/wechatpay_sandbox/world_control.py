"""What a test, the demo or a user may do to the world around the orders: keys, rules, hosts and clocks."""

from collections.abc import Iterable
from typing import Any

from wechatpay_sandbox import Mode
from wechatpay_sandbox.server import Api

TEN_YEARS = 10 * 365 * 24 * 3600
type Json = dict[str, Any]


class WorldControl:
    """Operations that concern no single order."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._core = api.core

    async def set_keys(self, mode: Mode) -> Json:
        self._core.keys.set_mode(mode)
        return await self.secret()

    async def rotate_merchant_key(self, *, keep_old: bool = False) -> Json:
        self._core.keys.rotate_merchant(keep_old=keep_old)
        return await self.secret()

    async def drop_old_merchant_keys(self) -> Json:
        """Refuse the serials that rotations kept; returns the secret that is left."""
        self._core.keys.drop_old_merchant_keys()
        return await self.secret()

    async def rotate_platform_certificate(self) -> Json:
        self._core.keys.rotate_platform_certificate()
        return await self.secret()

    async def drop_oldest_platform_certificate(self) -> Json:
        self._core.keys.drop_oldest_platform_certificate()
        return await self.secret()

    async def tolerate(self, rules: Iterable[str]) -> Json:
        """Lift these rules and no others: names, or patterns like ``smartretail.complete.*``."""
        if isinstance(rules, str) or not isinstance(rules, Iterable):
            raise ValueError("rules must be a list of names")  # noqa: TRY004 - one error type
        return {"tolerated": self._core.rules.tolerate(list(rules))}

    async def secret(self) -> Json:
        """The merchant's secret, as the product stores it."""
        return self._core.keys.secret(self._core.orders.appid, self._core.orders.service_id)

    async def merchant_certificate(self) -> str:
        """The merchant's API certificate (apiclient_cert.pem)."""
        return self._core.keys.merchant.pem

    async def set_host(self, index: int, *, up: bool) -> list[Json]:
        """Let a host listen, or refuse connections and break those that are open."""
        hosts = self._api.hosts
        if index not in range(len(hosts)):
            raise ValueError(f"host must be 0 or {len(hosts) - 1}")
        if up:
            hosts[index].up()
        else:
            hosts[index].down()
        return self._hosts()

    async def set_latency(self, seconds: float) -> Json:
        self._api.latency = _seconds(seconds, low=0)
        return {"latency": self._api.latency}

    async def advance(self, seconds: float) -> Json:
        """Move the orders' clock forward: debits become due without waiting. Signatures are unmoved."""
        self._core.clock_offset = _seconds(self._core.clock_offset + _seconds(seconds))
        return {"offset": self._core.clock_offset}

    async def set_clock(self, skew: float) -> Json:
        self._core.clock_skew = _seconds(skew)
        return {"skew": self._core.clock_skew}

    async def settings(self) -> Json:
        return {
            "hosts": self._hosts(),
            "offset": self._core.clock_offset,
            "skew": self._core.clock_skew,
            "latency": self._api.latency,
            "keys": self._core.keys.mode,
            "merchant_serial_no": self._core.keys.merchant.serial,
            "purses": dict(self._core.orders.purses),
            "tolerated": sorted(self._core.rules.tolerated),
        }

    def _hosts(self) -> list[Json]:
        return [{"host": host.url, "up": host.is_up} for host in self._api.hosts]


def _seconds(value: object, low: float = -TEN_YEARS) -> float:
    """A number of seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= TEN_YEARS:
        raise ValueError(f"seconds must be a number from {low:.0f} to {TEN_YEARS}")
    return float(value)
