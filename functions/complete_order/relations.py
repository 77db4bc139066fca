"""The rules between the fields of an order event as data, each with its source: section 2 of the contract."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from complete_order.event_rules import CANCEL, FINISH, GOODS
from complete_order.family_rules import family_problems

# Clocks differ: an end this far ahead of the function's clock is waited for.
END_AHEAD = timedelta(minutes=10)


class Reading(NamedTuple):
    """What could be read of an event, for the rules between its fields.

    Attributes:
        values: the fields that are there and keep their own rules.
        broken: tells whether one of these fields has a problem already; a rule would only report it again.
        now: an aware time.
    """

    values: Mapping[str, Any]
    broken: Callable[..., bool]
    now: datetime


class RelationRule(NamedTuple):
    """A rule between fields.

    Attributes:
        problems: yields each path at fault and the rule in words.
        source: how the rule is known.
        fields: judged only when none of these is broken by itself: those whose absence it would report.
    """

    problems: Callable[[Reading], Iterator[tuple[str, str]]]
    source: str
    fields: tuple[str, ...] = ()


def _required(name: str, finish_type: int) -> Callable[[Reading], Iterator[tuple[str, str]]]:
    def problems(event: Reading) -> Iterator[tuple[str, str]]:
        if event.values.get("finish_type") == finish_type and name not in event.values:
            yield name, f"required when finish_type is {finish_type}"

    return problems


def _forbidden(name: str, finish_type: int) -> Callable[[Reading], Iterator[tuple[str, str]]]:
    def problems(event: Reading) -> Iterator[tuple[str, str]]:
        if event.values.get("finish_type") == finish_type and name in event.values:
            yield name, f"forbidden when finish_type is {finish_type}"

    return problems


def _nothing_when_cancelling(event: Reading) -> Iterator[tuple[str, str]]:
    if event.values.get("finish_type") == CANCEL and event.values.get("total_amount"):
        yield "total_amount", "must be 0 or absent when finish_type is 1"


def _sum(event: Reading) -> Iterator[tuple[str, str]]:
    if event.values.get("finish_type") != FINISH or "total_amount" not in event.values:
        return
    fees = sum(fee.get("fee_amount", 0) for fee in event.values.get("fees", ()))
    discounts = sum(each["discount_amount"] for each in event.values.get("discounts", ()))
    if event.values["total_amount"] != fees - discounts:
        shown = f"{fees} - {discounts} = {fees - discounts}"
        yield "total_amount", f"must be the sum of fees minus the sum of discounts, {shown}"


def _end_not_before_start(event: Reading) -> Iterator[tuple[str, str]]:
    start, end = (event.values.get(f"real_service_{which}_time") for which in ("start", "end"))
    if start and end and end.latest < start.earliest:
        yield "real_service_end_time", "must not be before real_service_start_time"


def _end_not_far_ahead(event: Reading) -> Iterator[tuple[str, str]]:
    end = event.values.get("real_service_end_time")
    if end and end.earliest - event.now > END_AHEAD:
        yield "real_service_end_time", "must not be more than 10 minutes ahead (Asia/Shanghai)"


def _amount_or_description(event: Reading) -> Iterator[tuple[str, str]]:
    for index, fee in enumerate(event.values.get("fees", ())):
        named = f"fees[{index}]"
        if (
            fee is not None
            and not fee.keys() & {"fee_amount", "fee_desc"}
            and not event.broken(f"{named}.fee_amount", f"{named}.fee_desc")
        ):
            yield f"{named}.fee_amount", "required when there is no fee_desc"


def _names_unique(event: Reading) -> Iterator[tuple[str, str]]:
    seen = {GOODS: False}
    for index, fee in enumerate(event.values.get("fees", ())):
        name = fee.get("fee_name") if fee is not None else None
        if name is None:
            continue
        if seen.get(name):
            yield f"fees[{index}].fee_name", f"must be unique, unless it is {GOODS}"
        seen[name] = name != GOODS


def _of_family(event: Reading) -> Iterator[tuple[str, str]]:
    # Without order_api the merchant's secret may say serviceorder: the rules of its API are held to later.
    order_api = event.values.get("order_api")
    yield from family_problems(event.values, order_api)


RELATIONS = (
    RelationRule(_required("cancel_reason", CANCEL), "T: required when 1, else absent", ("cancel_reason",)),
    RelationRule(_forbidden("cancel_reason", FINISH), "T: required when 1, else absent"),
    RelationRule(_forbidden("real_service_end_location", CANCEL), "T: must be absent when cancelling"),
    RelationRule(_nothing_when_cancelling, "T: 0 when cancelling"),
    RelationRule(_required("total_amount", FINISH), "V: required", ("total_amount",)),
    RelationRule(_sum, "V: sum(fees) - sum(discounts)", ("fees", "discounts")),
    RelationRule(_end_not_before_start, "T: 271316637"),
    RelationRule(
        _end_not_far_ahead,
        "T: 实际结束时间不能晚于使用完结接口的时间; D: up to 10 minutes are waited for",
    ),
    RelationRule(_amount_or_description, "T: 付费金额 and 付费说明, at least one of them"),
    RelationRule(_names_unique, "V for serviceorder, I for the others: unique but 商品信息"),
    RelationRule(_of_family, "D: each has its own, see family_rules", ("finish_type", "fees", "discounts")),
)
