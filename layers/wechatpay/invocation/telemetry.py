"""What is logged and counted, as an allow-list: nothing else about an order ever reaches a log or a metric.

Metrics carry no order number: a dimension per order would be a metric per order, and cost like one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from wechatpay.credentials import Credentials
from wechatpay.errors import Problem, SettlementError
from wechatpay.reply_rules import ReplyRule
from wechatpay.signed_transport import Attempt

from invocation.attempts import execution_of

_OUTCOME_WORDS = {"PAID": "paid", "COLLECTING": "not paid yet"}


class Telemetry:
    """Logs and counts one invocation.

    Args:
        logger: writes JSON lines.
        metrics: writes CloudWatch embedded metrics; the caller flushes it.
    """

    def __init__(self, logger: Logger, metrics: Metrics) -> None:
        self._logger = logger
        self._metrics = metrics

    @contextmanager
    def invocation(self, event: object, context: LambdaContext) -> Iterator[None]:
        """Put order number and execution on every line, and count what is raised."""
        named = event.get("out_order_no") if isinstance(event, dict) else None
        self._logger.append_keys(out_order_no=_shown(named), execution=execution_of(context))
        try:
            yield
        except SettlementError as exc:
            self._count(exc.metric)
            self._logger.warning("not settled", outcome=type(exc).__name__, reason=str(exc))
            raise

    def credentials(self, credentials: Credentials, today: date) -> None:
        """Count the days the merchant's certificate is good for, when the secret tells: it is watched so."""
        if credentials.certificate_expires is not None:
            days = (credentials.certificate_expires - today).days
            self._metrics.add_metric("MerchantCertificateDaysLeft", MetricUnit.Count, days)

    def metadata(self, *, rounded: bool) -> None:
        """Count metadata with a number that Step Functions rounds: its sender has to write it as text."""
        if rounded:
            self._count("MetadataRounded")

    def attempt(self, attempt: Attempt) -> None:
        """Log one attempt on the wire and its latency."""
        self._metrics.add_metric("ProviderLatency", MetricUnit.Milliseconds, attempt.milliseconds)
        if attempt.status and attempt.problem:
            self._count("UnverifiableReply")
        self._logger.info(
            "called WeChat Pay",
            method=attempt.method,
            host=attempt.host,
            status=attempt.status,
            milliseconds=round(attempt.milliseconds, 1),
            request_id=attempt.request_id,
            problem=attempt.problem,
        )

    def decided(self, rule: ReplyRule) -> None:
        """Log which row of the decision table decided about a call without a verified acceptance."""
        self._logger.info("rule decided", rule=rule.name, then=rule.then.name)

    def unlisted_refusal(self, problem: Problem) -> None:
        """Count and log a refusal that no row of the decision table is about: somebody has to look today."""
        self._count("UnlistedRefusal")
        self._logger.warning(
            "unlisted refusal",
            status=problem.status,
            code=problem.code,
            internal_code=problem.internal_code,
            request_id=problem.request_id,
        )

    def outcome(
        self,
        outcome: str,
        *,
        evidence: str | None,
        request_id: str,
        category: str | None = None,
        code: str | None = None,
        status: int | None = None,
    ) -> None:
        """Log and count the outcome of the order; a failure by its category."""
        self._count(category or outcome)
        self._logger.info(
            "failed" if category else _OUTCOME_WORDS.get(outcome, "settled"),
            outcome=outcome,
            evidence=evidence,
            category=category,
            code=code,
            status=status,
            request_id=request_id,
        )

    def _count(self, name: str) -> None:
        self._metrics.add_metric(name, MetricUnit.Count, 1)


def _shown(out_order_no: object) -> str | None:
    """Return what may be a number of an order, so that it can be written: half a surrogate pair cannot."""
    if not isinstance(out_order_no, str):
        return None
    return out_order_no[:32].encode("utf-8", "backslashreplace").decode()
