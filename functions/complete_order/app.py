"""The Lambda function `CompleteOrder`: settles one smart-retail order. A table of contents, no decisions."""

from invocation import startup

# isort: split
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext
from invocation.attempts import Attempts
from invocation.settings import Settings
from invocation.telemetry import Telemetry
from wechatpay.client import Client
from wechatpay.credentials import Credentials
from wechatpay.deadline import ANSWER_SECONDS, Deadline
from wechatpay.merchant import Merchants
from wechatpay.merchant_secrets import MerchantSecrets
from wechatpay.signed_transport import SignedTransport
from wechatpay.transport import Transport
from wechatpay.world import World

from complete_order import invalid_event, order
from complete_order.completion import Completion
from complete_order.readiness import wait_until_ready

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
    """Settle the order of this event; event, result and errors raised: docs/reference.md."""
    deadline = Deadline(context.get_remaining_time_in_millis() / 1000 - ANSWER_SECONDS, world.monotonic)
    telemetry = Telemetry(logger, metrics)
    now = world.now()
    attempts = Attempts.of(context)

    def connect(mchid: str) -> tuple[Credentials, Client]:
        merchant = merchants[mchid]
        telemetry.credentials(merchant.credentials, now.date())
        signed_transport = SignedTransport(merchant, transport, observe=telemetry.attempt)
        hosts, unlisted = settings.wechatpay_hosts, telemetry.unlisted_refusal
        return merchant.credentials, Client(signed_transport, hosts, deadline, unlisted)

    with telemetry.invocation(event, context):
        try:
            wanted = order.parse(event, default_mchid=settings.default_mchid, now=now)
            telemetry.metadata(rounded=wanted.metadata_rounded)
            wait_until_ready(wanted, now, deadline, world.sleep)
            credentials, client = connect(wanted.mchid)
            completion = Completion(
                wanted,
                wanted.key(credentials),
                client,
                attempts,
                unmanned_retail=credentials.unmanned_retail,
                decided=telemetry.decided,
                now=world.now(),
            )
            result = completion.run()
        except order.InvalidOrder as exc:
            result = invalid_event.settle(event, exc, attempts, connect)
        telemetry.outcome(**result.summary())
        return result.to_json()
