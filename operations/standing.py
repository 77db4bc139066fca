"""Asks WeChat Pay how one order stands: a signed query, which changes nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from wechatpay.client import Client
from wechatpay.credentials import Credentials
from wechatpay.deadline import Deadline
from wechatpay.errors import MerchantMisconfigured, ServiceError, WeChatPayError
from wechatpay.merchant import Merchant
from wechatpay.order_apis import ORDER_APIS, api_of
from wechatpay.orders import SMART_RETAIL, OrderKey
from wechatpay.signed_transport import SignedTransport
from wechatpay.transport import Transport

from life import Answer
from operations.errors import CommandError
from operations.live_check import read_credentials
from operations.signed_query import SECONDS, is_unknown_order
from operations.staging import merchant_secret
from operations.target import Target

UNKNOWN = "NOT_FOUND"


def ask(target: Target, mchid: str, order: Mapping[str, object], now: datetime) -> Answer:
    """Ask about an order with the merchant's secret.

    Args:
        order: `out_order_no`, and `appid`, `service_id` and `order_api` where event or result name them.

    Returns:
        The verified answer, or why there is none: nobody is stopped from reading the rest.
    """
    try:
        credentials = read_credentials(merchant_secret(target, mchid), mchid)
    except CommandError as exc:
        return Answer(now, text=f"not asked: {exc}")
    return query(target, credentials, keys(credentials, mchid, order), now)


def client_of(credentials: Credentials, hosts: Sequence[str]) -> Client:
    """Return a client of WeChat Pay that has 20 seconds for its calls."""
    transport = SignedTransport(Merchant(lambda: credentials), Transport())
    return Client(transport, hosts, Deadline(SECONDS))


def keys(credentials: Credentials, mchid: str, order: Mapping[str, object]) -> list[OrderKey]:
    """Return what names an order in each family that it may be of; arguments as of `ask`."""
    key = OrderKey(
        mchid,
        str(order.get("appid") or credentials.appid or ""),
        str(order.get("service_id") or credentials.service_id or ""),
        str(order["out_order_no"]),
        str(order.get("order_api") or credentials.order_api or SMART_RETAIL),
    )
    others = [] if order.get("order_api") else [api for api in ORDER_APIS if api != key.order_api]
    return [key, *(key._replace(order_api=api) for api in others)]


def query(target: Target, credentials: Credentials, keys: Sequence[OrderKey], now: datetime) -> Answer:
    """Ask about an order in each family it may be of.

    Returns:
        The verified answer of the first that knows it; that none knows it; or why there is no answer.
    """
    answers: list[Answer] = []
    for key in keys:
        answers.append(_query(target, credentials, key, now))
        if answers[-1].state not in ("", UNKNOWN):
            return answers[-1]
    return next((each for each in answers if not each.state), answers[0])


def _query(target: Target, credentials: Credentials, key: OrderKey, now: datetime) -> Answer:
    try:
        state = api_of(key).query(client_of(credentials, target.function.hosts), key)
    except ServiceError as exc:
        return Answer(now, UNKNOWN if is_unknown_order(exc.problem) else "", text=str(exc))
    except (MerchantMisconfigured, WeChatPayError, ValueError) as exc:
        return Answer(now, text=f"not asked, or no verified answer: {exc}")
    parts = [f"finish_type {state.finish_type}"] if state.finish_type is not None else []
    parts += [f"paid {state.pay_succ_time}"] if state.pay_succ_time else []
    parts += [f"transaction {state.finish_transaction_id}"] if state.finish_transaction_id else []
    return Answer(now, state.state, state.total_amount, ", ".join(parts))
