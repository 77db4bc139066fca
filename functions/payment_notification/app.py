"""The Lambda function `PaymentNotification`: handles what WeChat Pay sends. A table of contents."""

from invocation import startup

# isort: split
import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from invocation.settings import Settings
from invocation.telemetry import Telemetry
from wechatpay.deadline import Deadline
from wechatpay.merchant import Merchants
from wechatpay.merchant_secrets import MerchantSecrets
from wechatpay.signed_transport import SignedTransport
from wechatpay.transport import Transport
from wechatpay.world import World

from payment_notification.merchants import KnownMerchants
from payment_notification.notifications import NotificationHandler
from payment_notification.request import Refused, Request
from payment_notification.waiting_orders import WaitingOrders

# WeChat Pay takes no answer after 5 s; the rest is for the way here and back, and for a start from cold.
HANDLING_SECONDS = 3.0

logger = Logger(utc=True, use_rfc3339=True, json_deserializer=str)
metrics = Metrics()
settings = Settings.from_environment("WAITING_ORDERS")
world = World()
merchants = KnownMerchants(
    Merchants(MerchantSecrets(settings.merchant_secret_prefix).read, world.clock), world.clock
)
waiting = WaitingOrders(settings.waiting_orders)
transport = Transport(world=world)
startup.done()


@logger.inject_lambda_context(log_event=False, clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one notification: 204, or 4xx or 5xx with `{"code": "FAIL"}`: WeChat Pay then sends it again."""
    telemetry = Telemetry(logger, metrics)
    handler = NotificationHandler(
        merchants,
        waiting,
        signed_transport=lambda merchant: SignedTransport(merchant, transport, observe=telemetry.attempt),
        hosts=settings.wechatpay_hosts,
        deadline=Deadline(HANDLING_SECONDS, world.monotonic),
        proven=lambda id_, order: logger.append_keys(notification=id_, out_order_no=order[:32]),
        clock=world.clock,
    )
    try:
        outcome = handler.handle(Request.parse(event))
    except Refused as exc:
        metrics.add_metric("NotificationRefused", MetricUnit.Count, 1)
        logger.warning("refused", status=exc.status.value, reason=str(exc))
        return _answer(exc.status, {"code": "FAIL", "message": str(exc)})
    metrics.add_metric("NotificationHandled", MetricUnit.Count, 1)
    logger.info("handled", outcome=outcome)
    return _answer(HTTPStatus.NO_CONTENT, None)


def _answer(status: HTTPStatus, body: dict[str, str] | None) -> dict[str, Any]:
    answer: dict[str, Any] = {"statusCode": status.value}
    if body is not None:
        answer |= {"headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
    return answer
