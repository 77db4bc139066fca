"""Whether an order that FAILED may be sent again, once its cause is corrected.

Its event has to be valid now, and WeChat Pay itself has to say, by a signed query, that the order is open.
"""

import json

from complete_order.order import parse
from wechatpay.errors import MerchantMisconfigured
from wechatpay.reply_rules import STATES, STILL_OPEN

from operations import ask_wechat_pay
from operations.errors import CommandError
from operations.live_check import read_credentials
from operations.merchant_files import now
from operations.remedies import Stuck
from operations.staging import merchant_secret
from operations.target import Target

OPEN = frozenset(row.state for row in STATES if row.finish in STILL_OPEN)


class NotAsked(Exception):
    """WeChat Pay could not be asked how the order stands; the message says why."""


def hindrance(target: Target, stuck: Stuck) -> str | None:
    """Return why an order is not to be sent again, None when it may be. Raises `NotAsked`."""
    try:
        order = parse(json.loads(stuck.input), default_mchid=target.default_mchid, now=now())
        credentials = read_credentials(merchant_secret(target, order.mchid), order.mchid)
        keys = order.keys(order.key(credentials))
    except ValueError as exc:
        return f"its event is not valid: {exc}. Send a corrected one 事件仍无效，请修正后重发"
    except (CommandError, MerchantMisconfigured) as exc:
        raise NotAsked(f"WeChat Pay could not be asked: {exc}") from exc
    answer = ask_wechat_pay.query(target, credentials, keys, now())
    if not answer.state:
        raise NotAsked(f"WeChat Pay could not be asked: {answer.text}")
    if answer.state == ask_wechat_pay.UNKNOWN:
        return f"WeChat Pay does not know it under service_id {keys[0].service_id} 微信支付查无此单"
    return None if answer.state in OPEN else f"no longer open: it is {answer.state} 订单已非待完结状态"
