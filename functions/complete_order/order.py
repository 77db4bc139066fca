"""The order event: strict, and every problem reported at once (section 2 of the contract).

An unknown field is an error, because a misspelt `discounts` would overcharge somebody. Amounts are fen. What
is sent is what the strictest reading of WeChat Pay's pages takes. The rules stand in `event_rules`,
`family_rules` and `relations`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wechatpay.credentials import Credentials
from wechatpay.errors import MerchantMisconfigured
from wechatpay.fields import Fields
from wechatpay.forms import ServiceTime, kind
from wechatpay.order_apis import ORDER_APIS
from wechatpay.orders import SERVICE_ORDER, SMART_RETAIL, OrderKey

from complete_order.event_rules import CANCEL, DESCRIPTION_LENGTH, LARGEST_AMOUNT, ORDER
from complete_order.family_rules import family_problems, named_as_goods
from complete_order.relations import RELATIONS, Reading


@dataclass(frozen=True)
class Wanted:
    """What an event asks for and of which order, as far as it names both; the event may be invalid otherwise.

    Attributes:
        order_api: the API the order was created with; None when the event does not say.
        appid, service_id: None when the event has none that can be read.
        finish_type: 1 cancels, 2 finishes.
        total_amount: fen; 0 when cancelling.
        metadata: the caller's own, echoed and never sent.
        finish_ticket: proof that the order may be finished; fetched by a query when None.
    """

    out_order_no: str
    mchid: str
    order_api: str | None
    appid: str | None
    service_id: str | None
    finish_type: int
    total_amount: int
    metadata: Mapping[str, Any]
    finish_ticket: str | None = field(repr=False)

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
        order_api = credentials.order_api or SMART_RETAIL
        if order_api not in self._order_apis:
            order_api = SMART_RETAIL
        return OrderKey(self.mchid, appid, service_id, self.out_order_no, self.order_api or order_api)

    def keys(self, key: OrderKey) -> list[OrderKey]:
        """Return this key and those in the other families that the order may be of as well."""
        return key.in_families(self._order_apis)

    @property
    def _order_apis(self) -> list[str]:
        """The families the order may be of: one when the event says which; no ticket is of serviceorder."""
        if self.order_api:
            return [self.order_api]
        return [api for api, family in ORDER_APIS.items() if family.TAKES_TICKET or not self.finish_ticket]


class InvalidOrder(ValueError):
    """The event breaks a rule; nothing was applied.

    Attributes:
        problems: every one, as `path: rule`.
        wanted: what the event asks for, None when it does not say. An attempt before this one may have sent
            it: the event may have been valid by the rules, or with the secret, of then.
    """

    def __init__(self, problems: Sequence[str], wanted: Wanted | None = None) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)
        self.wanted = wanted


@dataclass(frozen=True)
class Order(Wanted):
    """A valid order event.

    Attributes:
        parameters: what is sent of it, under WeChat Pay's names, without appid, service_id and ticket.
        ready_at: when the order's end lies ahead: the moment it may be completed.
    """

    parameters: Mapping[str, Any]
    ready_at: datetime | None

    @property
    def metadata_rounded(self) -> bool:
        """Whether `metadata` has a number that Step Functions has rounded on its way here, or may have."""
        return _beyond_doubles(self.metadata)

    def parameters_for(self, order_api: str, *, unmanned_retail: bool) -> Mapping[str, Any]:
        """Return what is sent to one of the APIs.

        Raises:
            InvalidOrder: it does not take such an order.
        """
        family = family_problems(self.parameters, order_api, unmanned_retail=unmanned_retail)
        if problems := [f"{path}: {rule}" for path, rule in family]:
            raise InvalidOrder(problems, self)
        if order_api != SERVICE_ORDER or not unmanned_retail or "fees" not in self.parameters:
            return self.parameters
        return {**self.parameters, "fees": named_as_goods(self.parameters["fees"])}


def parse(event: object, *, default_mchid: str, now: datetime) -> Order:
    """Check an order event and return it as an `Order`.

    Args:
        event: what the workflow or the caller passed in.
        default_mchid: the merchant of events that name none; may be empty.
        now: an aware time; an order that ends up to 10 minutes after it is valid and not ready.

    Raises:
        InvalidOrder: with every problem of the event.
        MerchantMisconfigured: neither the event nor the stack names a merchant.
    """
    if not isinstance(event, dict):
        raise InvalidOrder([f"(event): must be a JSON object, is {kind(event)}"])
    fields = Fields(event)
    values = fields.read(ORDER)
    fields.refuse_unknown(ORDER)
    reading = Reading(values, fields.broken, now)
    for relation in RELATIONS:
        if not fields.broken(*relation.fields):
            for path, rule in relation.problems(reading):
                fields.wrong(path, rule)
    mchid = values.get("mchid") or ("" if fields.broken("mchid") else default_mchid)
    if fields.problems:
        raise InvalidOrder(fields.problems, _wanted(values, mchid))
    if not mchid:
        raise MerchantMisconfigured(
            f"{values['out_order_no']} names no mchid, and this stack has no DefaultMchid"
        )
    end: ServiceTime | None = values.get("real_service_end_time")
    return Order(
        **_asked(values, mchid),
        parameters=_parameters(values),
        ready_at=end.earliest if end and end.earliest > now else None,
    )


def _beyond_doubles(value: object) -> bool:
    """Tell whether there is such a number in it; without recursion, for it may be nested 2000 deep."""
    pending = [value]
    while pending:
        match pending.pop():
            case dict() as members:
                pending += members.values()
            case list() as items:
                pending += items
            case int() | float() as number if abs(number) > LARGEST_AMOUNT:  # no fraction is as large
                return True
    return False


def _wanted(values: Mapping[str, Any], mchid: str) -> Wanted | None:
    """Return what an invalid event asks for, None when it does not say of which order, or how much."""
    named = "out_order_no" in values and bool(mchid)
    amount = values.get("finish_type") == CANCEL or "total_amount" in values
    return Wanted(**_asked(values, mchid)) if named and amount and "finish_type" in values else None


def _asked(values: Mapping[str, Any], mchid: str) -> dict[str, Any]:
    return {
        "out_order_no": values["out_order_no"],
        "mchid": mchid,
        "order_api": values.get("order_api"),
        "appid": values.get("appid"),
        "service_id": values.get("service_id"),
        "finish_type": values["finish_type"],
        "total_amount": 0 if values["finish_type"] == CANCEL else values["total_amount"],
        "metadata": values.get("metadata", {}),
        "finish_ticket": values.get("finish_ticket"),
    }


def _parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is sent: `total_amount` and `profit_sharing` always [T], nothing empty [T], no null [T].

    A cancellation sends no fees and no discounts: its total is 0, and the total must be their difference [V].
    """
    cancelling = values["finish_type"] == CANCEL
    times = ("real_service_start_time", "real_service_end_time")
    sent = {
        "finish_type": values["finish_type"],
        "cancel_reason": values.get("cancel_reason"),
        **{name: values[name].text for name in times if name in values},
        "real_service_end_location": values.get("real_service_end_location"),
        "fees": None if cancelling else values.get("fees"),
        "discounts": None if cancelling else _added_up(values.get("discounts", ())),
        "total_amount": 0 if cancelling else values["total_amount"],
        "profit_sharing": values.get("profit_sharing", False),
        "goods_tag": values.get("goods_tag"),
        "device": values.get("device"),
    }
    return {name: value for name, value in sent.items() if value is not None and value not in ([], {})}


def _added_up(discounts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the discounts with those of one name as one: names may not repeat [V for serviceorder, D]."""
    same_named: dict[str, list[Mapping[str, Any]]] = {}
    for discount in discounts:
        same_named.setdefault(discount["discount_name"], []).append(discount)
    return [_one(same) for same in same_named.values()]


def _one(same: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return discounts of one name as one: amounts added up, each description that still fits, once."""
    description = ""
    for discount in same:
        more = discount.get("discount_desc", "")
        joined = f"{description}；{more}" if description else more
        if more and more not in description.split("；") and len(joined) <= DESCRIPTION_LENGTH:
            description = joined
    amount = sum(discount["discount_amount"] for discount in same)
    one = {"discount_name": same[0]["discount_name"], "discount_amount": amount}
    return one | {"discount_desc": description} if description else one
