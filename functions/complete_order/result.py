"""The result of settling an order: what the function returns and the workflow branches on."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from invocation.failure import Failure
from wechatpay.forms import ORDER_API
from wechatpay.orders import OrderKey

from complete_order.event_rules import CANCEL
from complete_order.order import Wanted

Outcome = Literal["COMPLETED", "CANCELLED", "FAILED"]
Evidence = Literal["REPLY", "QUERY"]

_OPTIONAL = ("order_api", "order_id", "error")
# Step Functions and EventBridge take 256 KiB, and a hostile event may have a problem in every eight bytes.
_MOST_PROBLEMS = 200


class Result(NamedTuple):
    """The outcome of one order.

    Attributes:
        order_api: the API the order belongs to; left out when the event is invalid and does not say.
        evidence: REPLY a verified reply to the completion; QUERY a verified query; None: an invalid event.
        order_id: WeChat Pay's number of the order; only its reply to the completion tells it.
        total_amount: fen, as asked.
    """

    outcome: Outcome
    out_order_no: str | None
    mchid: str | None
    finish_type: int | None
    total_amount: int | None
    metadata: Mapping[str, Any]
    appid: str | None = None
    service_id: str | None = None
    order_api: str | None = None
    evidence: Evidence | None = None
    request_id: str = ""
    order_id: str | None = None
    error: Failure | None = None

    @classmethod
    def settled(
        cls, order: Wanted, key: OrderKey, evidence: Evidence, request_id: str, order_id: str | None = None
    ) -> "Result":
        """Return the result of an order that is proven to be settled as asked."""
        outcome: Outcome = "CANCELLED" if order.finish_type == CANCEL else "COMPLETED"
        return cls._of(outcome, order, key, evidence=evidence, request_id=request_id, order_id=order_id)

    @classmethod
    def failed(cls, order: Wanted, key: OrderKey, evidence: Evidence, error: Failure) -> "Result":
        """Return the result of an order that WeChat Pay will never settle as asked."""
        return cls._of("FAILED", order, key, evidence=evidence, request_id=error.request_id, error=error)

    @classmethod
    def _of(cls, outcome: Outcome, order: Wanted, key: OrderKey, **known: Any) -> "Result":
        return cls(
            outcome=outcome,
            out_order_no=order.out_order_no,
            mchid=key.mchid,
            appid=key.appid,
            service_id=key.service_id,
            order_api=key.order_api,
            finish_type=order.finish_type,
            total_amount=order.total_amount,
            metadata=order.metadata,
            **known,
        )

    @classmethod
    def invalid(cls, event: object, problems: list[str]) -> "Result":
        """Return the result of an event that breaks a rule; echoes only what names the order."""
        given = event if isinstance(event, dict) else {}
        amount, finish_type = given.get("total_amount"), given.get("finish_type")
        metadata, order_api = given.get("metadata"), given.get("order_api")
        clean = not any(problem.startswith("metadata:") for problem in problems)
        shown = problems[:_MOST_PROBLEMS]
        if len(problems) > len(shown):
            shown.append(f"(event): {len(problems) - len(shown)} more problems")
        return cls(
            outcome="FAILED",
            out_order_no=_echo(given.get("out_order_no")),
            mchid=_echo(given.get("mchid")),
            appid=_echo(given.get("appid")),
            service_id=_echo(given.get("service_id")),
            order_api=order_api if order_api in ORDER_API.words else None,
            finish_type=finish_type if finish_type in (1, 2) and type(finish_type) is int else None,
            total_amount=amount if type(amount) is int and abs(amount) < 2**53 else None,
            metadata=metadata if isinstance(metadata, dict) and clean else {},
            error=Failure("INVALID_INPUT", f"{len(problems)} problem(s) in the order event", detail=shown),
        )

    def summary(self) -> dict[str, Any]:
        """Return what may be logged of it."""
        error = self.error
        return {
            "outcome": self.outcome,
            "evidence": self.evidence,
            "request_id": self.request_id,
            "category": error.category if error else None,
            "code": error.code if error else None,
            "status": error.status if error else None,
        }

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain JSON, without fields that do not apply."""
        result = self._asdict()
        if self.error is not None:
            result["error"] = self.error._asdict()
        return {name: value for name, value in result.items() if name not in _OPTIONAL or value is not None}


def _echo(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return value[:64].encode("utf-8", "backslashreplace").decode()
