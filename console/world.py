"""What may be done to the local sandbox from its page: a table of actions, each with its form's fields."""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from wechatpay_sandbox.client import Client
from wechatpay_sandbox.fault import OPERATIONS
from wechatpay_sandbox.fault_kinds import KINDS
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
_YUAN = re.compile(r"([0-9]{1,9})(?:\.([0-9]{0,2}))?")
type Fields = Mapping[str, str]


class NotDone(ValueError):
    """What the form asks for cannot be done; the message says why."""


def known() -> dict[str, Any]:
    """Return what the page's forms offer."""
    return {
        "kinds": {kind.name: kind.meaning for kind in KINDS.values()},
        "operations": ("complete", EVERY_OPERATION, *(each for each in OPERATIONS if each != "complete")),
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
    """Do one thing, and where the form says so store the merchant's secret where the stack looks for it.

    Raises:
        NotDone: a field is wrong.
        ControlError: the sandbox refuses it.
    """
    _ACTIONS[what](sandbox.client, fields)
    if what == "store" or fields.get("store") == "yes":
        secret = sandbox.client.secret()
        merchant_secret(target, secret["mchid"]).replace(json.dumps(secret))


def _fault(client: Client, fields: Fields) -> None:
    client.script(
        fields.get("order", "").strip() or None,
        fields.get("operation", "complete"),
        fault=fields.get("fault", ""),
        times=_whole(fields, "times", 1),
    )


def _skip(client: Client, fields: Fields) -> None:
    try:
        seconds, *_ = SKIPS[fields.get("by", "")]
    except KeyError as exc:
        raise NotDone(f"by: {', '.join(SKIPS)}") from exc
    client.advance(seconds)


def _purse(client: Client, fields: Fields) -> None:
    yuan = fields.get("yuan", "").strip()
    client.purse(fields.get("openid", ""), _fen(yuan) if yuan else None)


def _open(client: Client, fields: Fields) -> None:
    number = fields.get("order", "").strip()
    if not number:
        raise NotDone("out_order_no")
    client.open_order(number, api=fields.get("api", APIS[0]), state=fields.get("state", STATES[0]))


def _whole(fields: Fields, name: str, least: int = 0) -> int:
    text = fields.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) >= least):  # noqa: PLR2004
        raise NotDone(f"{name}: {least}-9999")
    return int(text)


def _number(fields: Fields, name: str) -> float:
    try:
        number = float(fields.get(name, ""))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise NotDone(f"{name}: 0, 0.03, -3")
    return number


def _fen(yuan: str) -> int:
    if not (amount := _YUAN.fullmatch(yuan)):
        raise NotDone("yuan: 0, 12, 12.50")
    return int(amount[1]) * 100 + int((amount[2] or "").ljust(2, "0"))


_ACTIONS: Mapping[str, Callable[[Client, Fields], object]] = {
    "host": lambda client, fields: client.set_host(_whole(fields, "index"), up=fields.get("up") == "yes"),
    "fault": _fault,
    "clear": lambda client, fields: client.clear_faults(fields.get("order") or None),
    "skip": _skip,
    "skew": lambda client, fields: client.set_clock(_number(fields, "seconds")),
    "latency": lambda client, fields: client.set_latency(_number(fields, "seconds")),
    "merchant-key": lambda client, fields: client.rotate_merchant_key(keep_old=fields.get("keep") == "yes"),
    "platform-certificate": lambda client, _fields: client.rotate_platform_certificate(),
    "mode": lambda client, fields: client.set_keys(fields.get("mode", "")),
    "store": lambda _client, _fields: None,
    "purse": _purse,
    "open": _open,
    "confirm": lambda client, fields: client.confirm(fields.get("order", "")),
    "pay": lambda client, fields: client.pay(fields.get("order", "")),
}
NAMES = tuple(_ACTIONS)
