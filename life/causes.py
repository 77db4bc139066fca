"""What the cause of a failure says, for people."""

from life.reading import json_object


def message_of(cause: str) -> str:
    """Return what a cause says: a raised error's message, or that of the result's `error`; else all of it."""
    error = json_object(cause)
    if "errorMessage" in error:
        return str(error["errorMessage"])
    detail = error.get("detail")
    details = "; ".join(map(str, detail)) if isinstance(detail, list) else detail
    return (
        " | ".join(str(part) for part in (error.get("code"), error.get("message"), details) if part) or cause
    )
