"""What an order may be put into the world with, by the control."""

from collections.abc import Mapping
from typing import Any

from wechatpay_sandbox.order import APIS, CANCEL, FINISH, STATES
from wechatpay_sandbox.times import is_time

SETTINGS: Mapping[str, tuple[type, ...]] = {
    "api": (str,),
    "appid": (str,),
    "service_id": (str,),
    "state": (str,),
    "risk_cap": (int,),
    "openid": (str,),
    "notify_url": (str, type(None)),
    "attach": (str, type(None)),
    "service_start_time": (str, type(None)),
    "service_end_time": (str, type(None)),
    "service_start_location": (str, type(None)),
    "debit_after": (int, float, type(None)),
    "debit_every": (int, float),
    "debit_amount": (int, type(None)),
    "cancelled_state": (str,),
    "finish_ticket": (str,),
    "finish_type": (int,),
    "total_amount": (int,),
}

_CHOICES: Mapping[str, tuple[Any, ...]] = {
    "state": STATES,
    "api": APIS,
    "cancelled_state": ("REVOKED", "FINISHED"),
    "finish_type": (FINISH, CANCEL),
}
MAX_NUMBER = 2**31
"""Fen, or seconds: more than any order."""


def check(settings: Mapping[str, Any]) -> None:
    """Raise ValueError for a setting that is unknown or means nothing."""
    for name, value in settings.items():
        allowed = SETTINGS.get(name)
        if allowed is None:
            raise ValueError(f"unknown order setting {name!r}; known: {', '.join(SETTINGS)}")
        if isinstance(value, bool) or not isinstance(value, allowed):
            raise ValueError(f"order setting {name!r} has the wrong type")  # noqa: TRY004 - one error type
        if isinstance(value, int | float) and not 0 <= value <= MAX_NUMBER:
            raise ValueError(f"order setting {name!r} must be from 0 to {MAX_NUMBER}")
    for name, known in _CHOICES.items():
        if settings.get(name, known[0]) not in known:
            raise ValueError(f"{name} must be one of {', '.join(map(str, known))}, not {settings[name]!r}")
    for name in ("service_start_time", "service_end_time"):
        if settings.get(name) not in (None, "OnAccept") and not is_time(settings[name]):
            raise ValueError(f"{name} must be a real time, yyyyMMddHHmmss or yyyyMMdd")
    if settings.get("debit_every", 1) < 1:
        raise ValueError("debit_every must be at least 1")
