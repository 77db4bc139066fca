"""The Lambda function `QueryOrder`: asks whether an accepted order is paid. A table of contents."""

from invocation import startup

# isort: split
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext
from invocation.settings import Settings
from invocation.telemetry import Telemetry
from wechatpay.client import Client
from wechatpay.deadline import ANSWER_SECONDS, Deadline
from wechatpay.merchant import Merchants
from wechatpay.merchant_secrets import MerchantSecrets
from wechatpay.signed_transport import SignedTransport
from wechatpay.transport import Transport
from wechatpay.world import World

from query_order.payment import CompletedOrder, collected, summary

logger = Logger(utc=True, use_rfc3339=True, json_deserializer=str)
metrics = Metrics()
settings = Settings.from_environment()
world = World()
merchants = Merchants(MerchantSecrets(settings.merchant_secret_prefix).read, world.clock)
transport = Transport(world=world)
startup.done()


@logger.inject_lambda_context(log_event=False, clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Ask about the order of this result; see `payment` for what comes back and what is raised."""
    deadline = Deadline(context.get_remaining_time_in_millis() / 1000 - ANSWER_SECONDS, world.monotonic)
    telemetry = Telemetry(logger, metrics)
    with telemetry.invocation(event, context):
        order = CompletedOrder.parse(event)
        signed_transport = SignedTransport(merchants[order.key.mchid], transport, observe=telemetry.attempt)
        hosts, unlisted = settings.wechatpay_hosts, telemetry.unlisted_refusal
        result = collected(order, Client(signed_transport, hosts, deadline, unlisted))
        telemetry.outcome(**summary(result))
        return result
