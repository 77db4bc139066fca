"""Whether WeChat Pay has collected what it accepted: a verified answer, or no answer.

After a completion WeChat Pay debits the shopper by itself, again and again until it succeeds, and tells
nobody who does not ask.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from invocation.failure import Failure
from wechatpay.client import Client
from wechatpay.decisions import Verdict, of_state
from wechatpay.errors import OutcomeUnknown, ServiceError
from wechatpay.lookup import find_order
from wechatpay.orders import OrderKey

PAID, COLLECTING = "PAID", "COLLECTING"


@dataclass(frozen=True)
class CompletedOrder:
    """A COMPLETED result of CompleteOrder, the state of the workflow from then on.

    Attributes:
        total_amount: fen that WeChat Pay is to collect.
        result: the whole result; passed on as it is.
    """

    key: OrderKey
    total_amount: int
    result: Mapping[str, Any]

    @classmethod
    def parse(cls, result: object) -> "CompletedOrder":
        """Read a result.

        Raises:
            ValueError: it is none of a completed order, or lacks what names one. Nothing was sent.
        """
        if not isinstance(result, dict) or result.get("outcome") != "COMPLETED":
            raise ValueError("outcome: must be COMPLETED; QueryOrder takes what CompleteOrder returned")
        names = ("mchid", "appid", "service_id", "out_order_no")
        wrong = [f"{name}: required, text" for name in names if not isinstance(result.get(name), str)]
        if type(result.get("total_amount")) is not int:
            wrong.append("total_amount: required, an integer of fen")
        if wrong:
            raise ValueError("; ".join(wrong))
        return cls(OrderKey(**{name: result[name] for name in names}), result["total_amount"], result)


def collected(order: CompletedOrder, client: Client) -> dict[str, Any]:
    """Ask whether an order is paid.

    Returns:
        The result with `payment` added: PAID with `finish_transaction_id` and `pay_succ_time`, or COLLECTING.
        A result that FAILED with CONFLICT when the order is not what was accepted: revoked, another amount.

    Raises:
        SettlementError: there is no verified answer now; which of its kinds says what to do.
    """
    number = order.key.out_order_no
    try:
        found = find_order(client, order.key)
    except ServiceError as error:
        # Even a verified 404 says nothing of what became of an order that was accepted.
        raise OutcomeUnknown(f"{number}: was accepted, and a query is refused: {error}") from error
    verdict = of_state(
        cancelling=False,
        amount=order.total_amount,
        state=found.state,
        finish_type=found.finish_type,
        total_amount=found.total_amount,
    )
    if verdict in (Verdict.OPEN, Verdict.UNCLEAR):
        # It was accepted. That it looks open can only be a reader behind the writer, or worse: ask again.
        raise OutcomeUnknown(f"{number}: was accepted, and a query says {found}")
    if verdict is not Verdict.AS_ASKED:
        failure = Failure.of_state("CONFLICT", "the order is no longer what was accepted", found)
        accepted = {name: value for name, value in order.result.items() if name != "payment"}
        return {**accepted, "outcome": "FAILED", "evidence": "QUERY", "error": asdict(failure)}
    if found.state != "USER_PAID":
        return {**order.result, "payment": {"state": COLLECTING, "request_id": found.request_id}}
    if not (found.finish_transaction_id and found.pay_succ_time):
        raise OutcomeUnknown(f"{number}: is paid, and a query lacks finish_transaction_id or pay_succ_time")
    payment = {
        "state": PAID,
        "finish_transaction_id": found.finish_transaction_id,
        "pay_succ_time": found.pay_succ_time,
        "request_id": found.request_id,
    }
    return {**order.result, "payment": payment}


def summary(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be logged of what `collected` returned."""
    error, payment = result.get("error", {}), result.get("payment", {})
    return {
        "outcome": payment.get("state") or result["outcome"],
        "evidence": "QUERY",
        "request_id": payment.get("request_id") or error.get("request_id", ""),
        "category": error.get("category"),
        "code": error.get("code"),
        "status": error.get("status"),
    }
