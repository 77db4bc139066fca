"""The search for secrets in everything that the run wrote down.

A secret is found by any 12 characters of it in a row, in whatever encoding: WeChat Pay's own free text may
quote them so. There are too many signatures for that: any 23 characters of one hold one of its blocks of 12.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from wechatpay_sandbox.fault_effects import PHONE
from wechatpay_sandbox.order import OPENID

PIECE = 12
_TOKEN = re.compile(rf"[A-Za-z0-9+/=_\-]{{{PIECE},}}")
_HEXADECIMAL = re.compile(rf"[0-9A-Fa-f]{{{2 * PIECE},}}")
_BASE64 = re.compile(rf"[A-Za-z0-9+/]{{{PIECE * 4 // 3},}}")
_ESCAPED = re.compile(r"\\+u00([0-9A-Fa-f]{2})")
_SLASH = re.compile(r"\\+/")
_IN_BLOCKS = ("signature", "reply's signature")
_SIGNATURE = re.compile(r'signature="([^"]+)"')
_TICKET = re.compile(r'"finish_ticket": ?"([^"]+)"')
_PROBE = "WECHATPAY/SIGNTEST/"
# The first line of every key in PKCS#8 begins with the same bytes: version and algorithm.
_PEM_PREFIX = 64
MARKS = ("PRIVATE KEY", "WECHATPAY2-SHA256-RSA2048", 'signature="', OPENID, PHONE)
"""Text that stands beside a secret and never without one, and what is personal."""


@dataclass
class Secrets:
    """Everything that must not be written down, by kind; `given` came in an event's finish_ticket.

    A ticket that the caller puts into an event is a part of the execution's input, which Step Functions keeps
    for 90 days: it may stand there, and nowhere else.
    """

    kinds: dict[str, set[str]] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.given) + sum(map(len, self.kinds.values()))

    def add(self, kind: str, values: Iterable[str]) -> None:
        """Add secrets of one kind."""
        self.kinds.setdefault(kind, set()).update(value for value in values if len(value) >= PIECE)

    def add_merchant(self, secret: Mapping[str, Any]) -> None:
        """Add a merchant's private key and APIv3 key."""
        lines = secret["merchant_private_key"].splitlines()
        body = "".join(line for line in lines if not line.startswith("--"))
        self.add("private key", [body[_PEM_PREFIX:]])
        self.add("APIv3 key", [secret["api_v3_key"]])

    def add_request(self, request: Mapping[str, Any]) -> None:
        """Add the signatures and tickets of one request and its answer."""
        self.add("signature", _SIGNATURE.findall(request["headers"].get("Authorization", "")))
        reply = request["reply"] or {"headers": {}, "body": ""}
        signature = reply["headers"].get("Wechatpay-Signature", "")
        self.add("reply's signature", [signature.removeprefix(_PROBE)])
        tickets = set(_TICKET.findall(request["body"] + reply["body"]))
        self.add("finish_ticket", tickets - self.given)


@dataclass(frozen=True)
class Searched:
    """What was searched, and the leaks: sentences that name the kind and the place, never the secret."""

    secrets: int
    texts: int
    characters: int
    leaks: tuple[str, ...]


def search(secrets: Secrets, places: Mapping[str, Iterable[str]], inputs: Sequence[str] = ()) -> Searched:
    """Search texts, by the place they come from. In `inputs` of executions given tickets may be."""
    asked = _pieces(secrets.kinds)
    everywhere = asked | _pieces({"finish_ticket of an event": secrets.given})
    leaks: list[str] = []
    texts = characters = 0
    all_places = [(place, each, everywhere) for place, each in places.items()]
    for place, each, pieces in [*all_places, ("execution input", inputs, asked)]:
        seen: set[str] = set()
        for text in each:
            texts, characters = texts + 1, characters + len(text)
            leaks += [f"{kind} in {place}: {_shown(text)}" for kind in sorted(set(_in(text, pieces, seen)))]
    return Searched(len(secrets), texts, characters, tuple(leaks))


def _pieces(kinds: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {
        value[start : start + PIECE]: kind
        for kind, values in kinds.items()
        for value in values
        for start in range(0, len(value) - PIECE + 1, PIECE if kind in _IN_BLOCKS else 1)
    }


def _in(text: str, pieces: Mapping[str, str], seen: set[str]) -> Iterator[str]:
    """Kinds of secrets in the text. Words without any are remembered in `seen`, for they come again."""
    plain = _without_escapes(text) if "\\" in text or "%" in text else text
    yield from (f"the mark {mark!r}" for mark in MARKS if mark in plain)
    for token in _TOKEN.findall(plain):
        if token in seen:
            continue
        kinds = {
            pieces[piece]
            for reading in (token, *_decoded(token))
            for start in range(len(reading) - PIECE + 1)
            if (piece := reading[start : start + PIECE]) in pieces
        }
        if not kinds:
            seen.add(token)
        yield from kinds


def _without_escapes(text: str) -> str:
    """Return the text without the escapes of JSON, however deep, and of URLs."""
    text = _ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), text)
    return unquote(unquote(_SLASH.sub("/", text)))


def _decoded(token: str) -> Iterator[str]:
    """Everything a word may be in hexadecimal or base64, wherever in it the encoded text begins."""
    for run in _HEXADECIMAL.findall(token):
        for start in (0, 1):
            digits = run[start:]
            yield bytes.fromhex(digits[: len(digits) // 2 * 2]).decode("latin-1")
    for run in _BASE64.findall(token.replace("-", "+").replace("_", "/")):
        for start in range(4):
            digits = run[start:]
            yield base64.b64decode(digits + "A" * (-len(digits) % 4)).decode("latin-1")


def _shown(text: str) -> str:
    """Where it is, without showing what must not be shown: the names of a JSON line, or its length."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    return f"fields {sorted(document)}" if isinstance(document, dict) else f"{len(text)} characters"
