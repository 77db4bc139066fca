"""The Lambda function `QueryOrder`: asks whether an accepted order is paid. A table of contents."""

from invocation import startup

# isort: split
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext
from invocation.lines import json_lines
from invocation.telemetry import Observation
from query_order.payment import CompletedOrder, collected, summary
from query_order.settings import Settings
from wechatpay.client import Client
from wechatpay.deadline import ANSWER_SECONDS, Deadline
from wechatpay.merchant import Accounts
from wechatpay.merchant_secrets import MerchantSecrets
from wechatpay.signed_transport import Exchanger
from wechatpay.transport import Transport

logger = json_lines()
metrics = Metrics()
settings = Settings.from_environment()
accounts = Accounts(MerchantSecrets(settings.merchant_secret_prefix).read)
transport = Transport()
startup.done()


@logger.inject_lambda_context(log_event=False, clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Ask about the order of this result; see `payment` for what comes back and what is raised."""
    deadline = Deadline(context.get_remaining_time_in_millis() / 1000 - ANSWER_SECONDS)
    observation = Observation(logger, metrics)
    with observation.of_invocation(event, context):
        order = CompletedOrder.parse(event)
        exchanger = Exchanger(accounts[order.key.mchid], transport, observe=observation.of_exchange)
        result = collected(order, Client(exchanger, settings.wechatpay_hosts, deadline))
        observation.of_outcome(**summary(result))
        return result
