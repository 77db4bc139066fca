"""What each API family asks of an order event, as data with sources; and how it has goods named."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from wechatpay.orders import PAY_AFTER, SERVICE_ORDER, SMART_RETAIL

from complete_order.event_rules import DESCRIPTION_LENGTH, FINISH, GOODS

_OLDER = frozenset({SMART_RETAIL, PAY_AFTER})
_SUCCESSOR = frozenset({SERVICE_ORDER})


class FamilyRule(NamedTuple):
    """A rule for orders that are to be finished by some of the APIs.

    Attributes:
        order_apis: which.
        problems: yields each path at fault and the rule in words, for the fields of an event.
        source: how this is known.
        unmanned_retail: it holds only for merchants of unmanned retail.
    """

    order_apis: frozenset[str]
    problems: Callable[[Mapping[str, Any]], Iterator[tuple[str, str]]]
    source: str
    unmanned_retail: bool = False


def _discounts_within(most: int) -> Callable[[Mapping[str, Any]], Iterator[tuple[str, str]]]:
    def problems(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        # Those of one name are sent as one.
        names = {each["discount_name"] for each in event.get("discounts", ())}
        if len(names) > most:
            yield "discounts", f"must have at most {most} entries of different names, has {len(names)}"

    return problems


def _some_fees(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not event.get("fees"):
        yield "fees", f"must have an entry for {SERVICE_ORDER}"


def _amounts(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for index, fee in enumerate(event.get("fees", ())):
        if "fee_amount" not in fee:
            yield f"fees[{index}].fee_amount", f"required for {SERVICE_ORDER}"


def _goods_described(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for index, fee in enumerate(event.get("fees", ())):
        if fee["fee_name"] == GOODS and "fee_desc" not in fee:
            yield f"fees[{index}].fee_desc", f"required for {SERVICE_ORDER} where fee_name is {GOODS}"


FAMILY_RULES = (
    FamilyRule(_OLDER, _discounts_within(5), "T: at most 5 discounts"),
    FamilyRule(_SUCCESSOR, _discounts_within(30), "V: at most 30 post_discounts"),
    FamilyRule(_SUCCESSOR, _some_fees, "V: post_payments, at least one"),
    FamilyRule(_SUCCESSOR, _amounts, "V: amount of post_payments"),
    FamilyRule(
        _SUCCESSOR,
        _goods_described,
        "V: unmanned retail describes 商品信息 by its goods",
        unmanned_retail=True,
    ),
)


def family_problems(
    event: Mapping[str, Any], order_api: str | None, *, unmanned_retail: bool = False
) -> Iterator[tuple[str, str]]:
    """Yield each path at fault and the rule in words.

    Args:
        event: the fields of an event that keep their own rules.
        order_api: the API; None when it is not known yet, for the rules that no API does without.
        unmanned_retail: whether the merchant's goods are named by the rules of unmanned retail.
    """
    if event["finish_type"] != FINISH:
        return
    if order_api is None:
        yield from _discounts_within(30)(event)
        return
    for rule in FAMILY_RULES:
        if order_api in rule.order_apis and (unmanned_retail or not rule.unmanned_retail):
            yield from rule.problems(event)


def named_as_goods(fees: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return fees as serviceorder wants them of unmanned retail (V): 商品信息, with description and count.

    A fee of another name is described by that name, and its own description as far as there is room (D).
    """
    return [_named_as_goods(fee) for fee in fees]


def _named_as_goods(fee: Mapping[str, Any]) -> dict[str, Any]:
    description = str(fee.get("fee_desc", ""))
    if fee["fee_name"] != GOODS:
        description = f"{fee['fee_name']} {description}"[:DESCRIPTION_LENGTH].strip()
    return {"fee_count": 1, **fee, "fee_name": GOODS, "fee_desc": description}
