"""What WeChat Pay answered when somebody pressed the button of an order's page; of the latest orders only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from life import Answer
from operations import ask_wechat_pay
from operations.target import Target

_MOST = 100


@dataclass
class Asked:
    """The latest answer about each order, by merchant and number. Both methods fit `ask_wechat_pay.ask`."""

    _answers: dict[tuple[str, str], Answer] = field(default_factory=dict)

    def anew(self, target: Target, mchid: str, order: Mapping[str, object], now: datetime) -> Answer:
        """Ask, and keep the answer in place of the one before."""
        answer = ask_wechat_pay.ask(target, mchid, order, now)
        key = mchid, str(order["out_order_no"])
        self._answers.pop(key, None)  # the newest is the last
        self._answers[key] = answer
        if len(self._answers) > _MOST:
            del self._answers[next(iter(self._answers))]
        return answer

    def remembered(
        self, _target: Target, mchid: str, order: Mapping[str, object], _now: datetime
    ) -> Answer | None:
        """Return the answer that was kept, if there is one."""
        return self._answers.get((mchid, str(order["out_order_no"])))
