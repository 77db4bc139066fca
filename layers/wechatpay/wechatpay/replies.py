"""Reading a reply's body: strictly when it is to be believed, forgivingly when it only explains a failure."""

import json
import re
from typing import Any, NoReturn

from .errors import Problem
from .transport import Reply

JSON = dict[str, Any]

_LONGEST_TEXT = 512
_LONGEST_ID = 128
# Signatures and tickets are long opaque words. WeChat Pay quotes what it was sent in `detail`, and this text
# goes to logs and into the execution history.
_OPAQUE = re.compile(r"[A-Za-z0-9+/=_-]{40,}")
_CODE = re.compile(r"[A-Z0-9_]{1,64}")
_EXPLAINING = ("field", "issue", "location", "description")


class Malformed(ValueError):
    """The body is not one well-formed JSON object."""


def json_object(body: bytes) -> JSON:
    """Decode a body that must be one JSON object in UTF-8.

    Raises:
        Malformed: other bytes, another type, a key twice (two readers could see two amounts), NaN, text that
            is no Unicode.
    """
    try:
        value = _STRICT.decode(body.decode())
        _AS_IT_IS.encode(value).encode()  # half a surrogate pair cannot be sent on
    except (ValueError, RecursionError) as exc:
        raise Malformed("the body is not well-formed JSON") from exc
    if not isinstance(value, dict):
        raise Malformed("the body is not a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> JSON:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("a key occurs twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
_AS_IT_IS = json.JSONEncoder(ensure_ascii=False)


def problem_of(reply: Reply, unproven: str, secret: str = "") -> Problem:
    """Say what a reply says, whatever its body is: a body that cannot be read never hides the status.

    Args:
        reply: the reply.
        unproven: why its signature does not hold; empty when it does.
        secret: what was sent and must not come back out: WeChat Pay quotes what it refuses.
    """
    try:
        body = json_object(reply.body)
    except Malformed as exc:
        kind = reply.headers.get("Content-Type", "no content type")[:64]
        body = {"message": f"{exc} ({kind}, {len(reply.body)} bytes)"} if reply.body else {}
    told, code = _text(body.get("message"), secret), _text(body.get("code"), secret)
    return Problem(
        status=reply.status,
        code=code if _CODE.fullmatch(code) else "",
        message="; ".join(part for part in (told, unproven) if part),
        detail=_text(_explanation(body.get("detail")), secret),
        request_id=request_id(reply),
        verified=not unproven,
    )


def request_id(reply: Reply) -> str:
    """Return the `Request-ID` header, cut to a sane length: nothing signs it, and it goes to logs."""
    return reply.headers.get("Request-ID", "")[:_LONGEST_ID]


def _explanation(detail: Any) -> Any:
    if isinstance(detail, dict):
        return {key: detail[key] for key in _EXPLAINING if key in detail} or None
    return detail


def _text(value: Any, secret: str) -> str:
    if value is None:
        return ""
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""
    if secret:  # first: what masks and cuts below may leave a piece of it
        text = text.replace(secret, "***").replace(json.dumps(secret, ensure_ascii=False)[1:-1], "***")
    text = text.encode("utf-8", "replace").decode()
    return _OPAQUE.sub("***", text)[:_LONGEST_TEXT]
