"""What may be done to the local sandbox from its page: a table of actions, each with its form's fields."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from wechatpay_sandbox.fault_kinds import KINDS, OPERATIONS
from wechatpay_sandbox.order import APIS, OPENID

from console.sandbox import Sandbox
from operations.staging import merchant_secret
from operations.target import Target

EVERY_OPERATION = "*"
MODES = ("certificate", "both", "public_key")
STATES = ("USER_ACCEPTED", "CREATED")
# Seconds by which the orders' clock is moved on, and their names.
SKIPS: Mapping[str, tuple[int, str, str]] = {
    "minute": (60, "1 minute", "1 分钟"),
    "hour": (3600, "1 hour", "1 小时"),
    "day": (86400, "1 day", "1 天"),
    "week": (7 * 86400, "7 days", "7 天"),
}
type Fields = Mapping[str, str]


class NotDone(ValueError):
    """What the form asks for cannot be done; the message says why."""


def known() -> dict[str, Any]:
    """Return what the page's forms offer."""
    kinds = {kind.name: kind.meaning for kind in KINDS.values()}
    operations = ("complete", EVERY_OPERATION, *(each for each in OPERATIONS if each != "complete"))
    return {
        "kinds": kinds,
        "operations": operations,
        "modes": MODES,
        "apis": APIS,
        "states": STATES,
        "skips": SKIPS,
        "openid": OPENID,
    }


def is_stored(target: Target, sandbox: Sandbox) -> bool:
    """Whether the stack's secret is the sandbox's, so that its calls are accepted."""
    secret = sandbox.client.secret()
    return merchant_secret(target, secret["mchid"]).value() == secret


def act(what: str, target: Target, sandbox: Sandbox, fields: Fields) -> None:
    """Do one thing.

    Raises:
        NotDone: a field is wrong.
        ControlError: the sandbox refuses it.
    """
    _ACTIONS[what](target, sandbox, fields)


def _host(_target: Target, sandbox: Sandbox, fields: Fields) -> None:
    sandbox.client.set_host(_whole(fields, "index"), up=fields.get("up") == "yes")


def _fault(_target: Target, sandbox: Sandbox, fields: Fields) -> None:
    sandbox.client.script(
        fields.get("order", "").strip() or None,
        fields.get("operation", "complete"),
        fault=fields.get("fault", ""),
        times=_whole(fields, "times", 1),
    )


def _clear(_target: Target, sandbox: Sandbox, fields: Fields) -> None:
    sandbox.client.clear_faults(fields.get("order") or None)


def _skip(_target: Target, sandbox: Sandbox, fields: Fields) -> None:
    try:
        seconds, *_ = SKIPS[fields.get("by", "")]
    except KeyError as exc:
        raise NotDone(f"by: {', '.join(SKIPS)}") from exc
    sandbox.client.advance(seconds)


def _skew(_target: Target, sandbox: Sandbox, fields: Fields) -> None:
    sandbox.client.set_clock(_number(fields, "seconds"))


def _latency(_target: Target, sandbox: Sandbox, fields: Fields) -> None:
    sandbox.client.set_latency(_number(fields, "seconds"))


def _merchant_key(target: Target, sandbox: Sandbox, fields: Fields) -> None:
    sandbox.client.rotate_merchant_key(keep_old=fields.get("keep") == "yes")
    _store_if_wanted(target, sandbox, fields)


def _platform_certificate(target: Target, sandbox: Sandbox, fields: Fields) -> None:
    sandbox.client.rotate_platform_certificate()
    _store_if_wanted(target, sandbox, fields)


def _mode(target: Target, sandbox: Sandbox, fields: Fields) -> None:
    sandbox.client.set_keys(fields.get("mode", ""))
    _store_if_wanted(target, sandbox, fields)


def _store_if_wanted(target: Target, sandbox: Sandbox, fields: Fields) -> None:
    if fields.get("store") == "yes":
        _store(target, sandbox, fields)


def _store(target: Target, sandbox: Sandbox, _fields: Fields) -> None:
    """Store the merchant's new secret where the stack looks for it; the functions follow as they would."""
    secret = sandbox.client.secret()
    merchant_secret(target, secret["mchid"]).replace(json.dumps(secret))


def _purse(_target: Target, sandbox: Sandbox, fields: Fields) -> None:
    yuan = fields.get("yuan", "").strip()
    sandbox.client.purse(fields.get("openid", ""), _fen(yuan) if yuan else None)


def _open(_target: Target, sandbox: Sandbox, fields: Fields) -> None:
    number = fields.get("order", "").strip()
    if not number:
        raise NotDone("out_order_no")
    sandbox.client.open_order(number, api=fields.get("api", APIS[0]), state=fields.get("state", STATES[0]))


def _confirm(_target: Target, sandbox: Sandbox, fields: Fields) -> None:
    sandbox.client.confirm(fields.get("order", ""))


def _pay(_target: Target, sandbox: Sandbox, fields: Fields) -> None:
    sandbox.client.pay(fields.get("order", ""))


def _whole(fields: Fields, name: str, least: int = 0) -> int:
    text = fields.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) >= least):  # noqa: PLR2004
        raise NotDone(f"{name}: {least}-9999")
    return int(text)


def _number(fields: Fields, name: str) -> float:
    try:
        number = float(fields.get(name, ""))
    except ValueError as exc:
        raise NotDone(f"{name}: 0, 0.03, -3") from exc
    if not math.isfinite(number):
        raise NotDone(f"{name}: 0, 0.03, -3")
    return number


def _fen(yuan: str) -> int:
    whole, _, part = yuan.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 9 and len(part) <= 2):  # noqa: PLR2004
        raise NotDone("yuan: 0, 12, 12.50")
    if part and not (part.isascii() and part.isdigit()):
        raise NotDone("yuan: 0, 12, 12.50")
    return int(whole) * 100 + int(part.ljust(2, "0"))


_ACTIONS: Mapping[str, Callable[[Target, Sandbox, Fields], None]] = {
    "host": _host,
    "fault": _fault,
    "clear": _clear,
    "skip": _skip,
    "skew": _skew,
    "latency": _latency,
    "merchant-key": _merchant_key,
    "platform-certificate": _platform_certificate,
    "mode": _mode,
    "store": _store,
    "purse": _purse,
    "open": _open,
    "confirm": _confirm,
    "pay": _pay,
}
NAMES = tuple(_ACTIONS)
