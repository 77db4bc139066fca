"""Whether WeChat Pay has collected what it accepted: a verified answer, or no answer.

After a completion WeChat Pay debits the shopper by itself, again and again until it succeeds. Only
a query, or a notification, tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from invocation.failure import Failure
from wechatpay.client import Client
from wechatpay.errors import OrderNotFound, OutcomeUnknown
from wechatpay.find_order import find_order
from wechatpay.order_apis import ORDER_APIS
from wechatpay.orders import PAID_TO_THE_MERCHANT, SMART_RETAIL, OrderKey, OrderState
from wechatpay.reply_rules import STILL_OPEN, Verdict, of_state

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
        order_api = result.get("order_api", SMART_RETAIL)  # a release before this one returned none
        if not isinstance(order_api, str) or order_api not in ORDER_APIS:
            wrong.append(f"order_api: must be one of {', '.join(ORDER_APIS)}")
        if wrong:
            raise ValueError("; ".join(wrong))
        key = OrderKey(**{name: result[name] for name in names}, order_api=order_api)
        return cls(key, result["total_amount"], result)


def collected(order: CompletedOrder, client: Client) -> dict[str, Any]:
    """Ask whether an order is paid.

    Returns:
        The result with `payment` added: PAID with what there is of the payment, or COLLECTING.
        A result that FAILED with CONFLICT when the order is not what was accepted: revoked, another amount.

    Raises:
        SettlementError: there is no verified answer now; which of its kinds says what to do.
    """
    number = order.key.out_order_no
    try:
        state = find_order(client, order.key)
    except OrderNotFound as error:
        # Even a verified 404 does not end an order that was accepted.
        raise OutcomeUnknown(f"{number}: was accepted, and a query is refused: {error}") from error
    verdict = of_state(
        cancelling=False,
        amount=order.total_amount,
        state=state.state,
        finish_type=state.finish_type,
        total_amount=state.total_amount,
    )
    if verdict in STILL_OPEN or verdict is Verdict.UNCLEAR:
        # It was accepted. That it looks open can only be a reader behind the writer, or worse: ask again.
        raise OutcomeUnknown(f"{number}: was accepted, and a query says {state}")
    if verdict is not Verdict.AS_ASKED:
        failure = Failure.of_state("CONFLICT", "the order is no longer what was accepted", state)
        accepted = {name: value for name, value in order.result.items() if name != "payment"}
        return {**accepted, "outcome": "FAILED", "evidence": "QUERY", "error": failure._asdict()}
    return {**order.result, "payment": _payment(state)}


def _payment(state: OrderState) -> dict[str, Any]:
    """Return what a verified state says of the payment of an order that was accepted.

    `paid_by` UNKNOWN may be a reader behind the writer: the workflow asks on for a day first.
    """
    if state.state != "USER_PAID":
        return {"state": COLLECTING, "request_id": state.request_id}
    return {
        "state": PAID,
        "paid_by": _paid_by(state),
        "finish_transaction_id": state.finish_transaction_id or None,
        "pay_succ_time": state.pay_succ_time or None,
        **({"transactions": [each._asdict() for each in state.transactions]} if state.transactions else {}),
        "request_id": state.request_id,
    }


def _paid_by(state: OrderState) -> str:
    if state.pay_type == PAID_TO_THE_MERCHANT:
        return "MERCHANT_CHANNEL"
    return "WECHAT_PAY" if state.finish_transaction_id else "UNKNOWN"


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
