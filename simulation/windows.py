"""Windows of trouble, drawn from the seed: from one moment to another something of the shop does not work."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from wechatpay_sandbox import MODES

from simulation.disturbances import KNOWN
from simulation.orders import BUSY, HOUR

if TYPE_CHECKING:
    from simulation.shop import Shop

Window = tuple[Callable[[], Any], Callable[[], Any]]


def draw_windows(shop: Shop, random: Random, times: int) -> None:
    """Let trouble begin and end again, so many times."""
    for _ in range(times):
        name = random.choice(sorted(_WINDOWS))
        shop.tally.windows[name] += 1
        begin, end = _WINDOWS[name](shop, random)
        at = random.uniform(0, min(BUSY, shop.heals))
        shop.at(at, begin)
        shop.at(min(at + random.choice((5.0, 60.0, 600.0, HOUR)), shop.heals), end)


def _hosts(name: str, *indexes: int) -> Callable[[Shop, Random], Window]:
    def window(shop: Shop, random: Random) -> Window:
        hosts: set[int] = getattr(shop.network.weather, name)
        chosen = indexes or (random.randrange(2),)
        return lambda: hosts.update(chosen), lambda: hosts.difference_update(chosen)

    return window


def _names(how: str) -> Callable[[Shop, Random], Window]:
    return lambda shop, _random: (
        lambda: setattr(shop.network.weather, "names", how),
        lambda: setattr(shop.network.weather, "names", ""),
    )


def _late(shop: Shop, random: Random) -> Window:
    share, weather = random.choice((0.1, 0.5)), shop.network.weather
    return lambda: setattr(weather, "late", share), lambda: setattr(weather, "late", 0.0)


def _everywhere(operation: str, *names: str) -> Callable[[Shop, Random], Window]:
    def window(shop: Shop, random: Random) -> Window:
        fault, everywhere = KNOWN[random.choice(names)], shop.fate.everywhere
        return lambda: everywhere.update({operation: fault}), lambda: everywhere.pop(operation, None)

    return window


def _secret(how: str) -> Callable[[Shop, Random], Window]:
    return lambda shop, _random: (
        lambda: setattr(shop.secret, "trouble", how),
        lambda: setattr(shop.secret, "trouble", ""),
    )


def _rotation(shop: Shop, random: Random) -> Window:
    """WeChat Pay takes the new key before the secret has it, or the secret has it too early."""
    keep = random.random() < 0.5
    return lambda: shop.keys.rotate_merchant(keep_old=keep), _operator(shop)


def _early_secret(shop: Shop, random: Random) -> Window:
    def begin() -> None:
        shop.keys.rotate_merchant(keep_old=False)
        shop.store_secret()
        shop.keys.rotate_merchant(keep_old=False)  # the other key is the old one again: not active yet

    return begin, lambda: shop.keys.rotate_merchant(keep_old=False)


def _migration(shop: Shop, random: Random) -> Window:
    mode = random.choice(MODES)
    return lambda: shop.keys.set_mode(mode), _operator(shop)


def _operator(shop: Shop) -> Callable[[], Any]:
    return lambda: shop.operators.make_secret(shop.wanted_secret())


def _too_early(shop: Shop, _random: Random) -> Window:
    """An operator tries to store a key that WeChat Pay does not take yet."""
    return lambda: shop.operators.make_secret(shop.secret_of_other_key(), 1), lambda: None


def _clock(name: str) -> Callable[[Shop, Random], Window]:
    def window(shop: Shop, random: Random) -> Window:
        seconds, before = random.choice((-400.0, -60.0, 60.0, 400.0)), getattr(shop, name)
        return lambda: setattr(shop, name, before + seconds), lambda: setattr(shop, name, before)

    return window


def _bus(shop: Shop, _random: Random) -> Window:
    return lambda: setattr(shop, "bus_down", True), lambda: setattr(shop, "bus_down", False)


def _table(shop: Shop, _random: Random) -> Window:
    return lambda: setattr(shop.waiting, "down", True), lambda: setattr(shop.waiting, "down", False)


_WINDOWS: dict[str, Callable[[Shop, Random], Window]] = {
    "a host is down": _hosts("hosts_down"),
    "a host is silent": _hosts("hosts_silent"),
    "both hosts are down": _hosts("hosts_down", 0, 1),
    "requests are late": _late,
    "every completion fails": _everywhere(
        "complete", "system_error", "unavailable", "forged_accepted_unsigned"
    ),
    "every query fails": _everywhere("query", "system_error", "unavailable", "wrong_signature"),
    "names are down": _names("down"),
    "names are slow": _names("slow"),
    "the secret is silent": _secret("silent"),
    "the secret is throttled": _secret("throttled"),
    "the secret is denied": _secret("denied"),
    "the secret is broken": _secret("broken"),
    "the merchant's key is rotated": _rotation,
    "the secret is ahead of its key": _early_secret,
    "an operator stores a key too early": _too_early,
    "the platform's keys are migrated": _migration,
    "the functions' clock jumps": _clock("function_skew"),
    "WeChat Pay's clock jumps": _clock("wechat_skew"),
    "the bus is down": _bus,
    "the table is down": _table,
}
