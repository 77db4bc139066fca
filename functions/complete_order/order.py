"""The order event: strict, and every problem reported at once (section 2 of the contract).

An unknown field is an error, because a misspelt `discounts` would overcharge somebody. Amounts are fen.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wechatpay.credentials import Credentials
from wechatpay.errors import MerchantMisconfigured
from wechatpay.orders import OrderKey

from complete_order.fields import Fields, kind

CANCEL, FINISH = 1, 2
METADATA_BYTES = 4096
# Step Functions computes in double precision: beyond this an amount would change on its way.
LARGEST_AMOUNT = 2**53 - 1

_OUT_ORDER_NO = r"[0-9A-Za-z_\-|*]{1,32}"
_IDENTIFIER = r"[0-9A-Za-z_\-]{1,32}"


class InvalidOrder(ValueError):
    """The event breaks a rule; nothing was sent. `problems` has every one, as `path: rule`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Order:
    """A valid order event.

    Attributes:
        finish_type: 1 cancels, 2 finishes.
        total_amount: fen; 0 when cancelling.
        parameters: the body of the completion under WeChat Pay's names, without appid, service_id and ticket.
        finish_ticket: proof that the order may be finished; fetched by a query when None.
        metadata: the caller's own, echoed and never sent.
    """

    out_order_no: str
    mchid: str
    appid: str | None
    service_id: str | None
    finish_type: int
    total_amount: int
    parameters: Mapping[str, Any]
    finish_ticket: str | None = field(repr=False)
    metadata: Mapping[str, Any]

    def key(self, credentials: Credentials) -> OrderKey:
        """Return what names the order to WeChat Pay; the merchant's secret gives what the event leaves out.

        Raises:
            MerchantMisconfigured: neither the event nor the secret has it. The order is good: once the secret
                has it, a redrive settles it.
        """
        appid = self.appid or credentials.appid
        service_id = self.service_id or credentials.service_id
        if not appid or not service_id:
            missing = [name for name, value in (("appid", appid), ("service_id", service_id)) if not value]
            lacks = " and ".join(missing)
            raise MerchantMisconfigured(
                f"secret of merchant {self.mchid}: has no {lacks}, and {self.out_order_no} names none either"
            )
        return OrderKey(self.mchid, appid, service_id, self.out_order_no)


def parse(event: object, *, default_mchid: str, now: datetime) -> Order:
    """Check an order event and return it as an `Order`.

    Args:
        event: what the workflow or the caller passed in.
        default_mchid: the merchant of events that name none; may be empty.
        now: an aware time; an order cannot have ended after it.

    Raises:
        InvalidOrder: with every problem of the event.
    """
    if not isinstance(event, dict):
        raise InvalidOrder([f"(event): must be a JSON object, is {kind(event)}"])
    form = Fields(event)
    out_order_no = form.matching("out_order_no", _OUT_ORDER_NO, "1-32 of 0-9 A-Z a-z _ - | *", required=True)
    mchid = form.matching("mchid", r"[0-9]{1,32}", "1-32 digits") or default_mchid
    if not mchid and "mchid" not in event:
        form.wrong("mchid", "required, because this stack has no DefaultMchid")
    appid = form.matching("appid", _IDENTIFIER, "1-32 letters, digits, _ or -")
    service_id = form.matching("service_id", _IDENTIFIER, "1-32 letters, digits, _ or -")
    finish_type = form.integer("finish_type", CANCEL, FINISH, required=True)
    sent: dict[str, Any] = {
        "finish_type": finish_type,
        "cancel_reason": form.text("cancel_reason", 1, 30),
        **_service_times(form, now),
        "real_service_end_location": form.text("real_service_end_location", 1, 20),
        "fees": _fees(form),
        "discounts": _discounts(form),
        "total_amount": form.integer("total_amount", 0, LARGEST_AMOUNT),
        "profit_sharing": form.boolean("profit_sharing"),
    }
    ticket = form.text("finish_ticket", 1, 512)
    metadata = _metadata(form)
    form.refuse_unknown()
    if finish_type == CANCEL:
        _check_cancellation(form, sent)
    elif finish_type == FINISH:
        _check_total(form, sent)
    if form.problems:
        raise InvalidOrder(form.problems)
    return Order(
        out_order_no=str(out_order_no),
        mchid=mchid,
        appid=appid,
        service_id=service_id,
        finish_type=int(finish_type or 0),
        total_amount=sent["total_amount"] or 0,
        parameters={name: value for name, value in sent.items() if value is not None},
        finish_ticket=ticket,
        metadata=metadata,
    )


def _check_cancellation(form: Fields, sent: Mapping[str, Any]) -> None:
    form.require("cancel_reason", "required when finish_type is 1")
    form.forbid("real_service_end_location", "forbidden when finish_type is 1")
    if sent["total_amount"]:
        form.wrong("total_amount", "must be 0 or absent when finish_type is 1")


def _check_total(form: Fields, sent: Mapping[str, Any]) -> None:
    form.forbid("cancel_reason", "forbidden when finish_type is 2")
    form.require("total_amount", "required when finish_type is 2")
    if form.broken("fees", "discounts", "total_amount"):
        return  # a sum over broken parts would only be a second report of the same mistake
    fees = sum(fee.get("fee_amount", 0) for fee in sent["fees"] or ())
    discounts = sum(discount["discount_amount"] for discount in sent["discounts"] or ())
    if sent["total_amount"] != fees - discounts:
        rule = (
            f"must be the sum of fees minus the sum of discounts, {fees} - {discounts} = {fees - discounts}"
        )
        form.wrong("total_amount", rule)


def _service_times(form: Fields, now: datetime) -> dict[str, str | None]:
    start, end = form.time("real_service_start_time"), form.time("real_service_end_time")
    if end and end.earliest > now:
        form.wrong("real_service_end_time", "must not be in the future (Asia/Shanghai)")
    if start and end and end.latest < start.earliest:
        form.wrong("real_service_end_time", "must not be before real_service_start_time")
    return {
        "real_service_start_time": start.text if start else None,
        "real_service_end_time": end.text if end else None,
    }


def _fees(form: Fields) -> list[dict[str, Any]] | None:
    seen: set[str] = set()

    def fee(entry: Fields) -> dict[str, Any]:
        if "fee_amount" not in entry and "fee_desc" not in entry:
            entry.wrong("fee_amount", "required when there is no fee_desc")
        name = entry.text("fee_name", 1, 20, required=True)
        if name in seen:
            entry.wrong("fee_name", "must be unique")
        elif name is not None:
            seen.add(name)
        return {
            "fee_name": name,
            "fee_count": entry.integer("fee_count", 1, 100),
            "fee_amount": entry.integer("fee_amount", 0, LARGEST_AMOUNT),
            "fee_desc": entry.text("fee_desc", 0, 30),
        }

    return form.entries("fees", 100, fee)


def _discounts(form: Fields) -> list[dict[str, Any]] | None:
    def discount(entry: Fields) -> dict[str, Any]:
        return {
            "discount_name": entry.text("discount_name", 1, 20, required=True),
            "discount_amount": entry.integer("discount_amount", 1, LARGEST_AMOUNT, required=True),
            "discount_desc": entry.text("discount_desc", 0, 30),
        }

    return form.entries("discounts", 5, discount)


def _metadata(form: Fields) -> dict[str, Any]:
    value = form.take("metadata")
    if value is None:
        return {}
    if not isinstance(value, dict):
        form.wrong("metadata", f"must be an object, is {kind(value)}")
        return {}
    try:
        size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode())
    except (ValueError, TypeError, RecursionError):
        form.wrong("metadata", "must be JSON in UTF-8")
        return {}
    if size > METADATA_BYTES:
        form.wrong("metadata", f"must be at most {METADATA_BYTES} bytes, is {size}")
    return value
