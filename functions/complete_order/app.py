"""The Lambda function `CompleteOrder`: settles one smart-retail order. A table of contents, no decisions."""

from datetime import UTC, datetime
from typing import Any

import order
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext
from completion import Completion, identified
from invocation.observation import Observation
from result import Result
from settings import Settings
from wechatpay.account import Account
from wechatpay.client import Client
from wechatpay.deadline import Deadline
from wechatpay.exchange import Exchanger
from wechatpay.merchant_secrets import MerchantSecrets
from wechatpay.transport import Transport

# Kept for the answer itself: a function that Lambda kills while it answers has proven nothing.
ANSWER_SECONDS = 1.5

logger = Logger(use_rfc3339=True)
metrics = Metrics()
settings = Settings.from_environment()
merchant_secrets = MerchantSecrets(settings.merchant_secret_prefix)
transport = Transport()
accounts: dict[str, Account] = {}


@logger.inject_lambda_context(log_event=False, clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Settle the order of this event; see the README for the event, the result and the errors raised."""
    deadline = Deadline(context.get_remaining_time_in_millis() / 1000 - ANSWER_SECONDS)
    observation = Observation(logger, metrics)
    with observation.of_invocation(event, context):
        try:
            wanted = order.parse(event, default_mchid=settings.default_mchid, now=datetime.now(UTC))
            account = account_of(wanted.mchid)
            key = identified(wanted, account)
        except order.InvalidOrder as exc:
            result = Result.invalid(event, exc.problems)
        else:
            exchanger = Exchanger(account, transport, observe=observation.of_exchange)
            client = Client(exchanger, settings.wechatpay_hosts, deadline)
            result = Completion(wanted, key, client).run()
        observation.of_outcome(**result.summary())
        return result.to_json()


def account_of(mchid: str) -> Account:
    """Return the merchant's account, kept while this execution environment lives."""
    if mchid not in accounts:
        accounts[mchid] = Account(lambda: merchant_secrets.read(mchid))
    return accounts[mchid]
