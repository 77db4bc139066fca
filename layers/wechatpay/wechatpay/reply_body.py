"""Reading a reply's body: strictly when it is to be believed, forgivingly when it only explains a failure."""

import json
import re
from collections.abc import Collection
from typing import Any, NoReturn

from .errors import Problem
from .redaction import masked, without
from .transport import Reply

JSON = dict[str, Any]

_LONGEST_TEXT = 512
_LONGEST_READ = 4096
_LONGEST_ID = 128
# D: a number, or a word without a capital letter, is the code of a gateway in between.
_CODE = r"(?=.*[A-Z])(?!.*[A-Z0-9]{25})[A-Z0-9_]{1,64}"
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
    document = dict(pairs)
    if len(document) != len(pairs):
        raise Malformed("a key occurs twice")
    return document


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
_AS_IT_IS = json.JSONEncoder(ensure_ascii=False)


def problem_of(reply: Reply, unproven: str, secrets: Collection[str] = ()) -> Problem:
    """Say what a reply says, whatever its body is: a body that cannot be read never hides the status.

    Args:
        reply: the reply.
        unproven: why its signature does not hold; empty when it does.
        secrets: what was sent and must not come back out: WeChat Pay quotes what it refuses.
    """
    try:
        body = json_object(reply.body)
    except Malformed as exc:
        kind = reply.headers.get("Content-Type", "no content type")[:64]
        body = {"message": f"{exc} ({kind}, {len(reply.body)} bytes)"} if reply.body else {}
    message, code = _text(body.get("message"), secrets), str(body.get("code"))[:_LONGEST_ID]
    return Problem(
        status=reply.status,
        code=code if re.fullmatch(_CODE, code) and without(code, secrets) == code else "",
        message="; ".join(part for part in (message, unproven) if part),
        detail=_text(_explanation(body.get("detail")), secrets),
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


def _text(value: Any, secrets: Collection[str]) -> str:
    if value is None:
        return ""
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""
    text = text[:_LONGEST_READ].encode("utf-8", "replace").decode()
    return masked(text, secrets)[:_LONGEST_TEXT]  # in this order: a cut may leave a piece
