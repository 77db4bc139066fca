"""Reads texts that may be anything: an input is whatever somebody started an execution with."""

import json
from datetime import UTC, datetime
from typing import Any


def parsed(text: Any) -> Any:
    """Return the JSON value of a text; the text itself when it is none, None when there is no text."""
    if not isinstance(text, str):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def json_object(text: Any) -> dict[str, Any]:
    """Return the JSON object of a text; an empty one when it is none."""
    value = parsed(text)
    return value if isinstance(value, dict) else {}


def message_of(cause: str) -> str:
    """Return what a failure's cause says: the message of a raised error or of a result's; else all of it."""
    error = json_object(cause)
    if "errorMessage" in error:
        return str(error["errorMessage"])
    detail = error.get("detail")
    details = "; ".join(map(str, detail)) if isinstance(detail, list) else detail
    return (
        " | ".join(str(part) for part in (error.get("code"), error.get("message"), details) if part) or cause
    )


def order_of(text: Any, default_mchid: str = "") -> tuple[str, str]:
    """Return merchant and number of the order in an execution's input; `?` where it has no number."""
    event = json_object(text)
    return str(event.get("mchid") or default_mchid), str(event.get("out_order_no") or "?")


def moment(text: Any) -> datetime | None:
    """Return a time of ISO 8601; None when it is none. Without a zone it is UTC, as the functions log it."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
