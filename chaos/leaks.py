"""The search for secrets in everything that the run wrote down.

A secret is found whole or in part: any 23 characters of it in a row hold one of its blocks of 12.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

BLOCK = 12
_TOKEN = re.compile(rf"[A-Za-z0-9+/=_\-]{{{BLOCK},}}")
_SIGNATURE = re.compile(r'signature="([^"]+)"')
_TICKET = re.compile(r'"finish_ticket": ?"([^"]+)"')
_PROBE = "WECHATPAY/SIGNTEST/"
# The first line of every key in PKCS#8 begins with the same bytes: version and algorithm.
_PEM_PREFIX = 64
MARKS = ("PRIVATE KEY", "WECHATPAY2-SHA256-RSA2048", 'signature="')
"""Text that stands beside a secret and never without one."""


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
        self.kinds.setdefault(kind, set()).update(value for value in values if len(value) >= BLOCK)

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
    """What was searched and what was found: sentences that name the kind and the place, never the secret."""

    secrets: int
    texts: int
    characters: int
    found: tuple[str, ...]


def search(secrets: Secrets, places: Mapping[str, Iterable[str]], inputs: Sequence[str] = ()) -> Searched:
    """Search texts, by the place they come from. In `inputs` of executions given tickets may be."""
    asked = _blocks(secrets.kinds)
    everywhere = asked | _blocks({"finish_ticket of an event": secrets.given})
    found: list[str] = []
    texts = characters = 0
    all_places = [(place, each, everywhere) for place, each in places.items()]
    for place, each, blocks in [*all_places, ("execution input", inputs, asked)]:
        seen: set[str] = set()
        for text in each:
            texts, characters = texts + 1, characters + len(text)
            found += [f"{kind} in {place}: {_shown(text)}" for kind in sorted(set(_in(text, blocks, seen)))]
    return Searched(len(secrets), texts, characters, tuple(found))


def _blocks(kinds: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {
        value[start : start + BLOCK]: kind
        for kind, values in kinds.items()
        for value in values
        for start in range(0, len(value) - BLOCK + 1, BLOCK)
    }


def _in(text: str, blocks: Mapping[str, str], seen: set[str]) -> Iterator[str]:
    """Kinds of secrets in the text. Words without any are remembered in `seen`, for they come again."""
    yield from (f"the mark {mark!r}" for mark in MARKS if mark in text)
    for token in _TOKEN.findall(text):
        if token in seen:
            continue
        starts = range(len(token) - BLOCK + 1)
        kinds = {blocks[part] for start in starts if (part := token[start : start + BLOCK]) in blocks}
        if not kinds:
            seen.add(token)
        yield from kinds


def _shown(text: str) -> str:
    """Where it is, without showing what must not be shown: the names of a JSON line, or its length."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    return f"fields {sorted(document)}" if isinstance(document, dict) else f"{len(text)} characters"
