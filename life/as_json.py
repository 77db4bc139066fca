"""An order's life as JSON, for programs: the dataclasses' own names, times in ISO 8601 UTC."""

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from life.model import Life


def to_json(life: Life) -> dict[str, Any]:
    """Return the life as JSON values."""
    document: dict[str, Any] = _value(life)
    # Which execution it is, is enough: all of it stands in `runs`.
    document["deciding"] = life.deciding.arn if life.deciding else None
    document["also"] = [run.arn for run in life.also]
    return document


def _value(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case Enum():
            return value.name
        case dict():
            return {str(name): _value(each) for name, each in value.items()}
        case list() | tuple():
            return [_value(each) for each in value]
    if is_dataclass(value):
        return {each.name: _value(getattr(value, each.name)) for each in fields(value)}
    return value
