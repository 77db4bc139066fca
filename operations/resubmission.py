"""Whether an order that FAILED may be sent again, now that its cause is said to be corrected.

Its event has to be valid now, and WeChat Pay itself has to say, by a signed query, that the order is open.
"""

import functools
import json
from collections.abc import Callable

from complete_order import order
from wechatpay.client import Client
from wechatpay.deadline import Deadline
from wechatpay.errors import ServiceError, SettlementError, WeChatPayError
from wechatpay.merchant import Merchant
from wechatpay.order_apis import api_of
from wechatpay.signed_transport import SignedTransport
from wechatpay.transport import Transport

from operations import live_check
from operations.errors import CommandError
from operations.merchant_files import now
from operations.staging import merchant_secret
from operations.stuck import Stuck
from operations.target import Target

OPEN = frozenset({"CREATED", "USER_ACCEPTED"})
_SECONDS = 20.0


class NotAsked(Exception):
    """WeChat Pay could not be asked how the order stands; the message says why."""


def hindrance_of(target: Target) -> Callable[[Stuck], str | None]:
    """Return what tells why an order is not to be sent again, None when it may be; it raises `NotAsked`."""
    transport = Transport()

    @functools.cache
    def merchant(mchid: str) -> Merchant:
        credentials = live_check.read_credentials(merchant_secret(target, mchid), mchid)
        return Merchant(lambda: credentials)

    def hindrance(stuck: Stuck) -> str | None:
        try:
            event = json.loads(stuck.input)
            wanted = order.parse(event, default_mchid=target.default_mchid, now=now())
        except ValueError as exc:
            return f"its event is not valid: {exc}. Send a corrected one 事件仍无效，请修正后重发"
        try:
            owner = merchant(wanted.mchid)
            key = wanted.key(owner.credentials)
            client = Client(SignedTransport(owner, transport), target.function.hosts, Deadline(_SECONDS))
            state = api_of(key).query(client, key)
        except ServiceError as exc:
            if live_check.is_unknown_order(exc.problem):
                return f"WeChat Pay does not know it under service_id {key.service_id} 微信支付查无此单"
            raise NotAsked(f"WeChat Pay could not be asked: {exc}") from exc
        except (CommandError, WeChatPayError, SettlementError) as exc:
            raise NotAsked(f"WeChat Pay could not be asked: {exc}") from exc
        return None if state.state in OPEN else f"no longer open: {state} 订单已非待完结状态"

    return hindrance
