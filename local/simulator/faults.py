"""Misbehaviour as data: each kind is a named point on a few independent axes, each axis acted on in one place.

The axes: is the request processed (``applied``), what happens to the order first (``order_change``), which status and
body are answered, how the reply is signed, and how its bytes travel (``wire``).
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

OPERATIONS = ("complete", "query", "certificates")

type OrderChange = Literal["", "settled-same", "settled-amount", "cancelled", "tickets-expired"]
type Body = Literal["", "html", "empty", "other-order", "duplicate-keys", "oversized"]
type Signature = Literal["valid", "absent", "wrong", "signtest", "unknown-serial"]
type Wire = Literal["whole", "truncated", "slow-body", "slow-head", "late", "reset", "silent", "refuse"]


@dataclass(frozen=True)
class Fault:
    """One way to misbehave. Every field but the first three can be overridden when a fault is scripted.

    ``applied``: the request is verified and processed before anything goes wrong; otherwise it changes nothing.
    ``status``/``code``/``message``/``tail``/``detail``: an answer in place of the real one (0: the real one).
    ``content``: text to send for a body. ``size``: bytes of an oversized body.
    ``offset``: seconds added to the reply's timestamp. ``missing_header``: a header left out.
    ``seconds``: how long to be silent, late, slow or refusing. ``interval``: seconds between dripped pieces.
    ``amount``: fen that someone else settled with. ``host``: which host refuses (None: the one called).
    """

    name: str
    meaning: str
    operations: tuple[str, ...] = OPERATIONS
    chaos: bool = True
    applied: bool = True
    order_change: OrderChange = ""
    status: int = 0
    code: str = ""
    message: str = ""
    tail: str = ""
    detail: Mapping[str, Any] | None = None
    body: Body = ""
    content: str | None = None
    size: int = 32 * 1024 * 1024
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


_COMPLETE = ("complete",)
_UNAVAILABLE = {"applied": False, "signature": "absent", "body": "html"}


def _kinds() -> Iterable[Fault]:
    def error(name: str, meaning: str, status: int, code: str, message: str, **more: Any) -> Fault:
        return Fault(name, meaning, status=status, code=code, message=message, **{"applied": False, **more})

    def proxy(name: str, meaning: str, status: int, **more: Any) -> Fault:
        return Fault(name, meaning, status=status, **{**_UNAVAILABLE, **more})

    busy = "系统异常，请稍后重试"
    yield error("system_error", "500 SYSTEM_ERROR, nothing was applied", 500, "SYSTEM_ERROR", busy)
    yield error(
        "system_error_applied", "500 SYSTEM_ERROR, yet applied", 500, "SYSTEM_ERROR", busy, applied=True
    )
    yield proxy("bad_gateway", "502 HTML from a proxy, not applied", 502)
    yield proxy("bad_gateway_applied", "502 HTML from a proxy, yet applied", 502, applied=True)
    yield proxy("unavailable", "503 HTML from a proxy, not applied", 503)
    yield proxy("unavailable_applied", "503 HTML from a proxy, yet applied", 503, applied=True)
    yield error("rate_limited", "429 FREQUENCY_LIMIT_EXCEED", 429, "FREQUENCY_LIMIT_EXCEED", "频率超限")
    yield Fault(
        "accepted_202",
        "202 with an empty body, applied later or never",
        applied=False,
        status=202,
        body="empty",
    )
    yield Fault("no_content_204", "204, signed, yet applied", status=204, body="empty", operations=_COMPLETE)
    yield Fault("unsigned", "the real reply, without the signature headers", signature="absent")
    yield Fault("wrong_signature", "the real reply, its signature made over other bytes", signature="wrong")
    yield Fault(
        "signtest", "the real reply with a WECHATPAY/SIGNTEST/ probe for a signature", signature="signtest"
    )
    yield Fault(
        "unknown_serial", "the real reply, signed by a key nobody handed out", signature="unknown-serial"
    )
    yield Fault("stale_timestamp", "the real reply, correctly signed 301 s ago", offset=-301)
    yield Fault("future_timestamp", "the real reply, correctly signed 310 s from now", offset=310)
    yield Fault(
        "missing_header", "the real reply without one signature header", missing_header="Wechatpay-Nonce"
    )
    yield Fault("truncated_body", "the connection closes in the middle of the body", wire="truncated")
    yield Fault("slow_body", "the body arrives a byte at a time", wire="slow-body", chaos=False)
    yield Fault(
        "slow_headers", "the status line and headers arrive a byte at a time", wire="slow-head", chaos=False
    )
    yield Fault("late_reply", "the real reply, some seconds late", wire="late", seconds=1.0)
    yield Fault("oversized_body", "a correctly signed body of tens of MB", body="oversized", chaos=False)
    yield Fault("wrong_content_type", "the real reply called text/html", content_type="text/html")
    yield Fault("not_json", "a correctly signed 200 that is no JSON", content="<xml>OK</xml>")
    yield Fault(
        "redirect",
        "302 to another host",
        applied=False,
        status=302,
        body="empty",
        location="http://127.0.0.2:9/",
    )
    yield Fault(
        "host_down", "this connection is reset and the host refuses new ones for some seconds", applied=False,
        wire="refuse", seconds=1.0, chaos=False,
    )  # fmt: skip
    yield Fault(
        "reset_before", "the connection is reset before the request is read", applied=False, wire="reset"
    )
    yield Fault("reset_after", "the connection is reset after the request was applied", wire="reset")
    yield Fault(
        "silence", "no answer, nothing applied; the connection stays open", applied=False, wire="silent"
    )
    yield Fault("silence_applied", "no answer, yet applied; the connection stays open", wire="silent")
    yield Fault("other_order", "a correctly signed reply that belongs to another order", body="other-order")
    yield Fault("wrong_shape", "a correctly signed 200 whose JSON has another shape", content="[]")
    yield Fault(
        "duplicate_keys", "a correctly signed 200 in which out_order_no appears twice", body="duplicate-keys"
    )
    yield Fault(
        "settled_same", "someone else finishes the order first: same amount, another parameter", _COMPLETE,
        chaos=False, order_change="settled-same",
    )  # fmt: skip
    yield Fault(
        "settled_amount", "someone else finishes the order first, with another amount", _COMPLETE,
        chaos=False, order_change="settled-amount",
    )  # fmt: skip
    yield Fault(
        "settled_cancelled",
        "someone else cancels the order first",
        _COMPLETE,
        chaos=False,
        order_change="cancelled",
    )
    yield Fault(
        "stale_ticket",
        "every finish_ticket issued so far has expired",
        _COMPLETE,
        order_change="tickets-expired",
    )
    yield error(
        "debit_in_progress", "400 单据正在扣款中: the order was completed and a debit runs", 400, "PARAM_ERROR",
        "单据正在扣款中", tail="271316754", applied=True, operations=_COMPLETE,
    )  # fmt: skip
    unsigned = {"signature": "absent"}
    yield error("unsigned_4xx", "an unsigned 400, not applied", 400, "PARAM_ERROR", "参数错误", **unsigned)
    yield error(
        "unsigned_4xx_applied",
        "an unsigned 400, yet applied",
        400,
        "PARAM_ERROR",
        "参数错误",
        applied=True,
        **unsigned,
    )
    yield error("sign_error", "401 SIGN_ERROR", 401, "SIGN_ERROR", "错误的签名，验签失败", chaos=False)
    yield error("no_auth", "403 NO_AUTH", 403, "NO_AUTH", "商户无权限", chaos=False)
    yield Fault("reply", "any answer: give status, code, message, tail, detail, signed, applied", chaos=False)


KINDS: Mapping[str, Fault] = {kind.name: kind for kind in _kinds()}

_AXES: Mapping[str, tuple[type, ...]] = {
    "applied": (bool,), "status": (int,), "code": (str,), "message": (str,), "tail": (str,),
    "detail": (dict, type(None)), "content": (str, type(None)), "size": (int,), "content_type": (str,), "location": (str,),
    "offset": (int,), "missing_header": (str,), "seconds": (int, float), "interval": (int, float),
    "amount": (int, type(None)), "host": (int, type(None)),
}  # fmt: skip
OPTIONS = (*_AXES, "signed")
"""What a scripted fault may override; ``signed`` is short for a valid or an absent signature."""


def make(name: str, options: Mapping[str, Any]) -> Fault:
    """The named kind with its options. Raises ValueError for a name or an option that does not exist."""
    kind = KINDS.get(name)
    if kind is None:
        raise ValueError(f"unknown fault {name!r}; known: {', '.join(KINDS)}")
    changes = dict(options)
    signed = changes.pop("signed", None)
    if signed is not None:
        changes["signature"] = "valid" if signed is True else "absent"
    for option, value in changes.items():
        allowed = _AXES.get(option, (str,) if option == "signature" else ())
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            raise ValueError(
                f"fault option {option!r} is unknown or has the wrong type; known: {', '.join(OPTIONS)}"
            )
    return replace(kind, **changes)


@dataclass
class Scripted:
    """A fault waiting for its calls. ``times`` None means until it is cleared."""

    out_order_no: str | None
    operation: str
    fault: Fault
    times: int | None

    def fits(self, out_order_no: str, operation: str) -> bool:
        return (
            self.out_order_no in (None, out_order_no)
            and self.operation in ("*", operation)
            and operation in self.fault.operations
        )


@dataclass(frozen=True)
class Chaos:
    """Faults at random. The draw depends only on seed, order, operation and how often it was called before,
    so neither concurrency nor the order of arrival changes who gets what."""

    rate: float
    seed: int
    kinds: tuple[Fault, ...]

    def draw(self, out_order_no: str, operation: str, call: int) -> Fault | None:
        kinds = [kind for kind in self.kinds if operation in kind.operations]
        seed = f"{self.seed}\n{out_order_no}\n{operation}\n{call}".encode()
        digest = hashlib.blake2b(seed, digest_size=16).digest()
        if not kinds or int.from_bytes(digest[:8]) / 2**64 >= self.rate:
            return None
        return kinds[int.from_bytes(digest[8:]) % len(kinds)]


class Misbehaviour:
    """Which fault, if any, a call gets: those scripted for its order first, then those for any order, then chaos."""

    def __init__(self) -> None:
        self._scripted: list[Scripted] = []
        self._chaos = Chaos(0.0, 0, ())
        self._calls: Counter[tuple[str, str]] = Counter()

    def script(self, out_order_no: str | None, operation: str, fault: Fault, times: int | None) -> None:
        if operation not in (*OPERATIONS, "*"):
            raise ValueError(f"operation must be one of {', '.join(OPERATIONS)} or *, not {operation!r}")
        if operation != "*" and operation not in fault.operations:
            raise ValueError(f"fault {fault.name!r} happens only on {', '.join(fault.operations)}")
        if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
            raise ValueError("times must be a positive number, or null for ever")
        self._scripted.append(Scripted(out_order_no, operation, fault, times))

    def clear(self, out_order_no: str | None = None) -> None:
        """Forget scripted faults: all, or one order's."""
        self._scripted = [s for s in self._scripted if out_order_no not in (None, s.out_order_no)]

    def pending(self) -> list[dict[str, Any]]:
        """The scripted faults that have not happened yet."""
        return [
            {
                "out_order_no": s.out_order_no,
                "operation": s.operation,
                "fault": s.fault.name,
                "times": s.times,
            }
            for s in self._scripted
        ]

    def set_chaos(self, rate: float, seed: int, kinds: Iterable[str] | None) -> list[str]:
        """Throw faults at this rate (0 to 1) from these kinds; by default every kind an order survives."""
        if not 0 <= rate <= 1:
            raise ValueError("rate must be between 0 and 1")
        chosen = [kind.name for kind in KINDS.values() if kind.chaos] if kinds is None else list(kinds)
        self._chaos = Chaos(rate, seed, tuple(make(name, {}) for name in chosen))
        return chosen

    def next_fault(self, out_order_no: str, operation: str) -> Fault | None:
        """The fault of this call, used up."""
        call = self._calls[out_order_no, operation]
        self._calls[out_order_no, operation] += 1
        waiting = [s for s in self._scripted if s.fits(out_order_no, operation)]
        if not waiting:
            return self._chaos.draw(out_order_no, operation, call)
        chosen = min(waiting, key=lambda s: s.out_order_no is None)
        if chosen.times is not None:
            chosen.times -= 1
            if chosen.times == 0:
                self._scripted.remove(chosen)
        return chosen.fault


def describe() -> list[dict[str, str]]:
    """Every kind with its meaning, for documentation and for ``--list-faults``."""
    return [
        {
            "fault": kind.name,
            "on": ", ".join(kind.operations),
            "in chaos": "yes" if kind.chaos else "",
            "meaning": kind.meaning,
        }
        for kind in KINDS.values()
    ]
