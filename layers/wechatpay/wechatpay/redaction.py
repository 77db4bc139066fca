"""Masking what WeChat Pay quotes in its free text: tickets, openids, phone numbers.

This text goes to logs, results, events and the execution history. Codes and names of fields stay readable.
"""

import base64
import itertools
import json
import re
from collections.abc import Collection, Iterable, Iterator
from urllib.parse import quote

PIECE = 12
"""Characters of a secret, in whatever encoding, that may not stand together."""

SHORTEST_ENCODED = 6
MASK = "***"
_WORD = r"[A-Za-z0-9+/=_%\\-]{12,}"
# Code or field, in words that are only lower case or only capitals, and headers such as Wechatpay-Serial.
_READABLE = r"/?[a-z]+([_/]([a-z]+|\d{1,3}))*|[A-Z]+(_[A-Z]+)*|([A-Z]?[a-z]{1,12}-?){1,4}"
_LONGEST_READABLE = 32
_DIGITS = r"\d(?:[ -]?\d){6,}"


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text without pieces of these secrets in any encoding, long opaque words and digit runs."""
    readable = re.sub(_WORD, lambda word: _readable(word[0]), without(text, secrets))
    return re.sub(_DIGITS, MASK, readable)


def without(text: str, secrets: Iterable[str]) -> str:
    """Return the text without pieces of these secrets in any encoding."""
    for secret in secrets:
        forms = {form.lower() for form in encodings(secret)}
        for short in sorted({form for form in forms if len(form) < PIECE}, key=len, reverse=True):
            text = re.sub(re.escape(short), MASK, text, flags=re.IGNORECASE)
        text = _without_pieces(text, {piece for form in forms for piece in _pieces(form)})
    return text


def _readable(word: str) -> str:
    return word if len(word) <= _LONGEST_READABLE and re.fullmatch(_READABLE, word) else MASK


def _without_pieces(text: str, pieces: Collection[str]) -> str:
    lowered = text.lower()
    folded = lowered if len(lowered) == len(text) else text  # one capital letter of Unicode becomes two
    hidden = bytearray(len(text))
    for start in range(len(folded) - PIECE + 1):
        if folded[start : start + PIECE] in pieces:
            hidden[start : start + PIECE] = b"\1" * PIECE
    runs = itertools.groupby(zip(text, hidden, strict=True), key=lambda pair: pair[1])
    return "".join(MASK if hide else "".join(char for char, _ in run) for hide, run in runs)


def _pieces(form: str) -> Iterator[str]:
    return (form[start : start + PIECE] for start in range(len(form) - PIECE + 1))


def encodings(secret: str) -> Iterator[str]:
    """Yield a text as itself, percent-encoded, escaped in JSON and Python, in base64 and in hexadecimal."""
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    if len(secret) < SHORTEST_ENCODED:
        return  # a few characters in another encoding are found in any text
    yield quote(raw, safe="")
    yield "".join(f"%{byte:02x}" for byte in raw)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(json.dumps(secret)[1:-1])[1:-1]
    yield "".join(f"\\u{ord(char):04x}" for char in secret)
    yield raw.hex()
    for shift in range(3):  # where in a longer text the secret begins, in groups of three bytes
        encoded = base64.b64encode(b"\0" * shift + raw).decode()
        inner = encoded[(0, 2, 3)[shift] : len(encoded.rstrip("=")) - 1]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")
