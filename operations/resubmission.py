"""Whether an order that FAILED may be sent again, now that its cause is said to be corrected.

Its event has to be valid now, and WeChat Pay itself has to say, by a signed query, that the order is open.
"""

import json

from complete_order.order import parse

from operations import standing
from operations.merchant_files import now
from operations.stuck import Stuck
from operations.target import Target

OPEN = frozenset({"CREATED", "USER_ACCEPTED"})


class NotAsked(Exception):
    """WeChat Pay could not be asked how the order stands; the message says why."""


def hindrance(target: Target, stuck: Stuck) -> str | None:
    """Return why an order is not to be sent again, None when it may be. Raises `NotAsked`."""
    try:
        event = json.loads(stuck.input)
        mchid = parse(event, default_mchid=target.default_mchid, now=now()).mchid
    except ValueError as exc:
        return f"its event is not valid: {exc}. Send a corrected one 事件仍无效，请修正后重发"
    answer = standing.ask(target, mchid, event, now())
    if not answer.state:
        raise NotAsked(f"WeChat Pay could not be asked: {answer.text}")
    if answer.state == standing.UNKNOWN:
        return "WeChat Pay does not know it 微信支付查无此单"
    return None if answer.state in OPEN else f"no longer open: it is {answer.state} 订单已非待完结状态"
