"""Replies that a test lets WeChat Pay give, as faults for `Simulator.script`."""

import json
from typing import Any

Fault = dict[str, Any]

UNVERIFIABLE = (
    "unsigned",
    "wrong_signature",
    "signtest",
    "unknown_serial",
    "stale_timestamp",
    "future_timestamp",
    "missing_header",
)
"""Kinds of faults that leave a reply without a valid signature."""


def refusal(
    status: int, code: str, message: str = "", tail: str = "", *, signed: bool = True, applied: bool = False
) -> Fault:
    """An error of WeChat Pay's; `applied` if what was asked for is done all the same."""
    named = {"status": status, "code": code, "message": message, "tail": tail}
    return {"fault": "reply", **named, "signed": signed, "applied": applied}


def genuine(document: object) -> Fault:
    """A signed 200 with this document; nothing of what was asked for is done."""
    content = json.dumps(document, ensure_ascii=False)
    return {"fault": "reply", "status": 200, "content": content, "applied": False}
