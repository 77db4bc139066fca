"""One way to misbehave: a point on a few independent axes, each axis acted on in one place.

The axes: is the request processed (``applied``), what happens to the order first (``order_change``), which
status and body are answered, how the reply is signed, and how its bytes travel (``wire``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

OPERATIONS = ("complete", "query", "cancel", "create", "sync", "certificates")

type OrderChange = Literal["", "settled-same", "settled-amount", "cancelled", "tickets-expired"]
type Claim = Literal["", "accepted", "finished", "paid", "open", "created"]
type Body = Literal[
    "", "html", "empty", "other-order", "duplicate-keys", "oversized", "numeric-code", "quoting"
]
type Signature = Literal["valid", "absent", "wrong", "signtest", "unknown-serial", "foreign"]
type Wire = Literal["whole", "truncated", "slow-body", "slow-head", "late", "reset", "silent", "refuse"]


@dataclass(frozen=True)
class Fault:
    """One way to misbehave.

    ``chaos``: thrown at random by default; kinds that end an order otherwise, or are costly, are not.
    ``applied``: the request is processed before anything goes wrong; otherwise it changes nothing.
    ``claim``: the answer lies: it says accepted, finished, paid, or still open, whatever the order is.
    ``then``: faults that the next calls on the same order get, each an operation and a kind.
    ``status``/``code``/``message``/``tail``/``detail``: an answer in place of the real one (0: the real one).
    ``content``: text to send for a body. ``size``: bytes of an oversized body; ``chunked`` sends it without a
    Content-Length, ``gzip`` compressed. ``offset``: seconds added to the reply's timestamp.
    ``missing_header``: a header left out. ``seconds``: how long to be silent, late, slow or refusing.
    ``interval``: seconds between dripped bytes. ``amount``: fen that someone else settled with.
    ``host``: which host refuses (None: the one called).
    """

    name: str
    meaning: str
    operations: tuple[str, ...] = OPERATIONS
    chaos: bool = True
    applied: bool = True
    order_change: OrderChange = ""
    claim: Claim = ""
    then: tuple[tuple[str, str], ...] = ()
    status: int = 0
    code: str = ""
    message: str = ""
    tail: str = ""
    detail: Mapping[str, Any] | None = None
    body: Body = ""
    content: str | None = None
    size: int = 32 * 1024 * 1024
    chunked: bool = False
    gzip: bool = False
    content_type: str = ""
    location: str = ""
    signature: Signature = "valid"
    offset: int = 0
    missing_header: str = ""
    wire: Wire = "whole"
    seconds: float = 60.0
    interval: float = 0.5
    amount: int | None = None
    host: int | None = None

    @property
    def acts_on_arrival(self) -> bool:
        """True when nothing of the request is read: it can have been neither verified nor applied."""
        return self.wire == "refuse" or (not self.applied and self.wire in ("reset", "silent"))
