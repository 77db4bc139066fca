"""Asks WeChat Pay how one order stands: a signed query, which changes nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from wechatpay.credentials import Credentials
from wechatpay.errors import ServiceError
from wechatpay.orders import OrderKey, OrderState

from life import Answer
from operations import order_query
from operations.errors import CommandError
from operations.live_check import read_credentials
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
    return query(target, credentials, order_query.keys(credentials, order), now)


def query(target: Target, credentials: Credentials, keys: Sequence[OrderKey], now: datetime) -> Answer:
    """Ask about an order in each family it may be of.

    Returns:
        The verified answer of the first that knows it; that none knows it; or why there is no answer.
    """
    client = order_query.client_of(credentials, target.function.hosts)
    answers = [_answer(answer, now) for _, answer in order_query.answers(client, keys)]
    if answers[-1].state not in ("", UNKNOWN):
        return answers[-1]
    return next((each for each in answers if not each.state), answers[0])


def _answer(answer: OrderState | order_query.Failure, now: datetime) -> Answer:
    match answer:
        case OrderState():
            parts = [f"finish_type {answer.finish_type}"] if answer.finish_type is not None else []
            parts += [f"paid {answer.pay_succ_time}"] if answer.pay_succ_time else []
            parts += [f"transaction {answer.finish_transaction_id}"] if answer.finish_transaction_id else []
            return Answer(now, answer.state, answer.total_amount, ", ".join(parts))
        case ServiceError():
            state = UNKNOWN if order_query.is_unknown_order(answer.problem) else ""
            return Answer(now, state, text=str(answer))
    return Answer(now, text=f"not asked, or no verified answer: {answer}")
