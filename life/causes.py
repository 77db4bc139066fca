"""What the cause of a failure says, for people."""

import json


def message_of(cause: str) -> str:
    """Return what a cause says: a raised error's message, or that of the result's `error`; else all of it."""
    try:
        found = json.loads(cause)
    except ValueError:
        return cause
    if not isinstance(found, dict):
        return cause
    if "errorMessage" in found:
        return str(found["errorMessage"])
    detail = found.get("detail")
    told = "; ".join(map(str, detail)) if isinstance(detail, list) else detail
    return " | ".join(str(part) for part in (found.get("code"), found.get("message"), told) if part) or cause
