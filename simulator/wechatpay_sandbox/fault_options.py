"""A planned fault: a kind with options, checked; and as it is kept in a file."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from wechatpay_sandbox.fault import Fault
from wechatpay_sandbox.fault_kinds import KINDS

_RANGES: Mapping[str, tuple[int, int]] = {
    "status": (200, 599),
    "size": (0, 256 * 1024 * 1024),
    "offset": (-(2**31), 2**31),
    "host": (0, 1),
}
_HEADERS = ("content_type", "location", "missing_header", "tail")
_OPTIONS: Mapping[str, tuple[type, ...]] = {
    "applied": (bool,),
    "status": (int,),
    "code": (str,),
    "message": (str,),
    "tail": (str,),
    "detail": (dict, type(None)),
    "content": (str, type(None)),
    "size": (int,),
    "content_type": (str,),
    "location": (str,),
    "signed": (bool,),
    "offset": (int,),
    "missing_header": (str,),
    "seconds": (int, float),
    "interval": (int, float),
    "amount": (int, type(None)),
    "host": (int, type(None)),
}
"""What a planned fault may override; ``signed`` is short for a valid or an absent signature."""


def make(name: str, options: Mapping[str, Any]) -> Fault:
    """The named kind with its options. Raises ValueError for a name or an option that does not exist."""
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"unknown fault {name!r}; known: {', '.join(KINDS)}")
    for option, value in options.items():
        allowed = _OPTIONS.get(option, ())
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            known = ", ".join(_OPTIONS)
            raise ValueError(f"fault option {option!r} is unknown or of the wrong type; known: {known}")
        low, high = _RANGES.get(option, (0, 2**31))
        if isinstance(value, int | float) and not low <= value <= high:
            raise ValueError(f"fault option {option!r} must be from {low} to {high}")
        if option in _HEADERS and not str(value).isprintable():
            raise ValueError(f"fault option {option!r} stands in a header: no control characters")
    changes = dict(options)
    if "signed" in changes:
        changes["signature"] = "valid" if changes.pop("signed") else "absent"
    return replace(kind, **changes)


def to_json(fault: Fault) -> dict[str, Any]:
    """A fault as its name and what differs from its kind."""
    kind = KINDS[fault.name]
    values = {each.name: (getattr(fault, each.name), getattr(kind, each.name)) for each in fields(Fault)}
    return {"name": fault.name} | {name: mine for name, (mine, its) in values.items() if mine != its}


def from_json(document: Mapping[str, Any]) -> Fault:
    """A fault that was kept."""
    return replace(KINDS[document["name"]], **document)
