"""Windows of trouble, drawn from the seed: from one moment to another something of the shop does not work."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from random import Random
from typing import TYPE_CHECKING, Any

from wechatpay_sandbox import MODES

from simulation.fate import KNOWN
from simulation.orders import BUSY, HOUR

if TYPE_CHECKING:
    from simulation.shop import Shop

type Window = tuple[Callable[[], Any], Callable[[], Any]]
type Draw = Callable[[Shop, Random], Window]


def draw_windows(shop: Shop, random: Random, times: int) -> None:
    """Let trouble begin and end again, so many times."""
    for _ in range(times):
        name = random.choice(sorted(_WINDOWS))
        shop.tally.windows[name] += 1
        begin, end = _WINDOWS[name](shop, random)
        at = random.uniform(0, min(BUSY, shop.heals))
        shop.at(at, begin)
        shop.at(min(at + random.choice((5.0, 60.0, 600.0, HOUR)), shop.heals), end)


def _set(shop: Shop, path: str, value: object, usual: object) -> Window:
    """Set what is at a dotted path below the shop, and set it back."""
    owner, _, name = path.rpartition(".")
    part = attrgetter(owner)(shop) if owner else shop
    return partial(setattr, part, name, value), partial(setattr, part, name, usual)


def _setting(path: str, value: object, usual: object = "") -> Draw:
    return lambda shop, _random: _set(shop, path, value, usual)


def _hosts(name: str, *indexes: int) -> Draw:
    def window(shop: Shop, random: Random) -> Window:
        hosts: set[int] = getattr(shop.network.weather, name)
        chosen = indexes or (random.randrange(2),)
        return lambda: hosts.update(chosen), lambda: hosts.difference_update(chosen)

    return window


def _late(shop: Shop, random: Random) -> Window:
    return _set(shop, "network.weather.late", random.choice((0.1, 0.5)), 0.0)


def _everywhere(operation: str, *names: str) -> Draw:
    def window(shop: Shop, random: Random) -> Window:
        fault, everywhere = KNOWN[random.choice(names)], shop.fate.everywhere
        return lambda: everywhere.update({operation: fault}), lambda: everywhere.pop(operation, None)

    return window


def _rotation(shop: Shop, random: Random) -> Window:
    """WeChat Pay takes the new key before the secret has it, or the secret has it too early."""
    keep = random.random() < 0.5
    return lambda: shop.keys.rotate_merchant(keep_old=keep), _operator(shop)


def _early_secret(shop: Shop, random: Random) -> Window:
    def begin() -> None:
        shop.keys.rotate_merchant(keep_old=False)
        shop.secret.store(shop.wanted_secret())
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


def _clock(path: str) -> Draw:
    def window(shop: Shop, random: Random) -> Window:
        seconds, before = random.choice((-400.0, -60.0, 60.0, 400.0)), attrgetter(path)(shop)
        return _set(shop, path, before + seconds, before)

    return window


_WINDOWS: dict[str, Draw] = {
    "a host is down": _hosts("hosts_down"),
    "a host is silent": _hosts("hosts_silent"),
    "both hosts are down": _hosts("hosts_down", 0, 1),
    "requests are late": _late,
    "every completion fails": _everywhere(
        "complete", "system_error", "unavailable", "forged_accepted_unsigned"
    ),
    "every query fails": _everywhere("query", "system_error", "unavailable", "wrong_signature"),
    "names are down": _setting("network.weather.names", "down"),
    "names are slow": _setting("network.weather.names", "slow"),
    "the secret is silent": _setting("secret.trouble", "silent"),
    "the secret is throttled": _setting("secret.trouble", "throttled"),
    "the secret is denied": _setting("secret.trouble", "denied"),
    "the secret is broken": _setting("secret.trouble", "broken"),
    "the merchant's key is rotated": _rotation,
    "the secret is ahead of its key": _early_secret,
    "an operator stores a key too early": _too_early,
    "the platform's keys are migrated": _migration,
    "the functions' clock jumps": _clock("function_skew"),
    "WeChat Pay's clock jumps": _clock("wechat.core.clock_skew"),
    "the bus is down": _setting("bus_down", True, False),
    "the table is down": _setting("waiting.down", True, False),
}
