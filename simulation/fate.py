"""What goes wrong with single calls and invocations: scripted, or drawn from the seed."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from wechatpay_sandbox.fault import Fault
from wechatpay_sandbox.fault_kinds import KINDS
from wechatpay_sandbox.fault_options import make

# Not thrown: bodies of 32 MB (costly), and verdicts about the order that nobody may give who does not mean
# them: signed, they would be WeChat Pay's own word, and given twice they stand.
_NOT_THROWN = {"oversized_body", "oversized_chunked", "oversized_gzip", "not_found", "reply", "unsigned_4xx"}
_OF_ORDER = ("complete", "query", "cancel")
BEHIND_SECONDS = 120.0
"""So long at most a reader is behind while somebody refuses; the product counts on ten minutes (D)."""


def _odd(name: str, status: int, code: str, message: str) -> Fault:
    """Return a signed refusal of something that was not applied, and that the sandbox has no name for."""
    options = {"status": status, "code": code, "message": message, "applied": False}
    return replace(make("reply", options), name=name, operations=_OF_ORDER)


_BEHIND, _REFUSED = ("query", "behind_open"), ("complete", "unsigned_4xx")
_OWN = (
    Fault("doubled", "the real reply, twice on one connection"),
    _odd("state_error", 400, "INVALID_ORDER_STATE", "单据状态错误"),  # T: an open order was seen to get it
    _odd("429_other_code", 429, "TOO_MANY_REQUESTS", "请求过多"),
    _odd("401_other_code", 401, "UNAUTHORIZED", "未认证"),
    _odd("403_other_code", 403, "FORBIDDEN", "禁止访问"),
    _odd("serial_refused", 400, "PARAM_ERROR", "平台证书序列号Wechatpay-Serial错误"),
    _odd("set_up_refused", 400, "PARAM_ERROR", "appid与商户不匹配"),
    Fault(
        "lost_then_refused",
        "applied and never answered; then readers are behind, and somebody in between refuses",
        operations=("complete",),
        wire="reset",
        then=(_BEHIND, _REFUSED, _BEHIND, _REFUSED, _BEHIND),
    ),
)
KNOWN = dict(KINDS) | {fault.name: fault for fault in _OWN}
# A wrong parameter stands when it is refused twice (wechatpay.md 5), also where WeChat Pay's own reason was
# its clock: an order meets this one once.
_ONCE = "unsigned_4xx_applied"
# Nobody withstands a reader that is behind for long, or one who refuses what was applied again and again.
_NEVER_STICKS = {"behind_open", "behind_created", _ONCE}


class Fate:
    """Decides about single calls and invocations. This one lets everything go well.

    Attributes:
        everywhere: the fault that every call of an operation meets just now.
    """

    def __init__(self) -> None:
        self.everywhere: dict[str, Fault] = {}

    def fault(self, number: str, operation: str, who: str) -> Fault | None:
        """Return the fault of a call that arrives."""
        return None

    def dies_at(self, number: str, function: str, who: str) -> int | None:
        """Return the point at which an invocation is killed."""
        return None

    def passes(self, who: str, point: str) -> None:
        """Take note of a point that an invocation of CompleteOrder passes."""

    def platform(self, number: str, what: str) -> str:
        """Return how a call of an AWS service goes wrong: "", "before" or "after" it took effect."""
        return ""


_STICKS = 0.05
"""Share of the faults that the next calls of the order meet, too."""


class Drawn(Fate):
    """Draws by rates."""

    def __init__(self, random: Random, faults: float, deaths: float, platform: float) -> None:
        super().__init__()
        self._random = random
        self._rates = (faults, deaths, platform)
        kinds = [kind for kind in KNOWN.values() if kind.name not in _NOT_THROWN]
        self._kinds = {
            operation: [kind for kind in kinds if operation in kind.operations]
            for operation in ("complete", "query", "cancel", "sync", "certificates")
        }
        self._stuck: dict[tuple[str, str], tuple[Fault, int]] = {}
        self._refused: set[str] = set()

    def fault(self, number: str, operation: str, who: str) -> Fault | None:
        if operation in self.everywhere:
            return self.everywhere[operation]
        stuck, more = self._stuck.get((number, operation), (None, 0))
        if stuck is not None and more:
            self._stuck[number, operation] = (stuck, more - 1)
            return stuck
        if self._random.random() >= self._rates[0]:
            return None
        kind = self._drawn(operation)
        if kind.name == _ONCE:
            if number in self._refused:
                return None
            self._refused.add(number)
        if number and kind.name not in _NEVER_STICKS and not kind.then and self._random.random() < _STICKS:
            self._stuck[number, operation] = (kind, self._random.randint(2, 20))
        return kind

    def _drawn(self, operation: str) -> Fault:
        kind = self._random.choice(self._kinds[operation])
        if kind.wire == "late":
            return make(kind.name, {"seconds": self._random.choice((0.5, 3.0, 7.0, 20.0))})
        if kind.claim and kind.offset:
            return make(kind.name, {"offset": -2000})  # older than any two clocks here are apart
        return kind

    def dies_at(self, number: str, function: str, who: str) -> int | None:
        return self._random.randrange(12) if self._random.random() < self._rates[1] else None

    def platform(self, number: str, what: str) -> str:
        return self._random.choice(("before", "after")) if self._random.random() < self._rates[2] else ""
