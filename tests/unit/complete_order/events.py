"""Valid order events, and Hypothesis strategies for valid and for arbitrary ones."""

from datetime import UTC, datetime
from typing import Any

from complete_order import order
from hypothesis import strategies as st
from wechatpay.forms import is_blank

NOW = datetime(2026, 3, 5, 4, 0, 0, tzinfo=UTC)
"""Noon of 5 March 2026 in Shanghai."""

MCHID = "1900000001"
Event = dict[str, Any]


def parsed(event: object, *, now: datetime = NOW) -> order.Order:
    """Parse an event on a stack whose default merchant is `MCHID`."""
    return order.parse(event, default_mchid=MCHID, now=now)


def finished(**changes: Any) -> Event:
    """The smallest event that finishes an order, changed; `...` leaves a field out."""
    return changed({"out_order_no": "SR-1", "finish_type": 2, "total_amount": 0}, changes)


def cancelled(**changes: Any) -> Event:
    """The smallest event that cancels an order, changed; `...` leaves a field out."""
    return changed({"out_order_no": "SR-1", "finish_type": 1, "cancel_reason": "误开门"}, changes)


def changed(fields: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Fields with changes; one changed to `...` is left out."""
    return {name: value for name, value in (fields | changes).items() if value is not ...}


def text(shortest: int, longest: int) -> st.SearchStrategy[str]:
    """Text that WeChat Pay accepts: no 4-byte character, no control character, not only blanks."""
    characters = st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs", "Cc"])
    texts = st.text(characters, min_size=shortest, max_size=longest)
    return texts.filter(lambda text: not text or not is_blank(text))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]), max_size=40),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=10), inner, max_size=6),
    max_leaves=20,
)

FIELDS = [
    "out_order_no",
    "mchid",
    "appid",
    "service_id",
    "finish_type",
    "cancel_reason",
    "real_service_start_time",
    "real_service_end_time",
    "real_service_end_location",
    "fees",
    "discounts",
    "total_amount",
    "finish_ticket",
    "profit_sharing",
    "metadata",
    "order_api",
    "goods_tag",
    "device",
]
_ENTRY_FIELDS = [
    "fee_name",
    "fee_count",
    "fee_amount",
    "fee_desc",
    "discount_name",
    "discount_amount",
    "discount_desc",
]
_ORDER_APIS = ["smartretail-orders", "payafter-orders", "serviceorder"]
_DEVICE_FIELDS = ["start_device_id", "end_device_id", "materiel_no"]
_entries = st.lists(json_values | st.dictionaries(st.sampled_from(_ENTRY_FIELDS), json_values), max_size=8)
_near = st.dictionaries(
    st.sampled_from(FIELDS),
    json_values | _entries | st.sampled_from([1, 2, 0, "1", "20260101", "", " ", "payafter-orders"]),
)
arbitrary_events = json_values | _near | st.builds(lambda base, more: base | more, st.just(finished()), _near)
"""Any JSON, and objects with the fields of an order event that hold anything."""

_priced_fee = st.fixed_dictionaries(
    {"fee_name": text(1, 20), "fee_amount": st.integers(0, 10**6)},
    optional={"fee_count": st.integers(1, 100), "fee_desc": text(1, 30)},
)
_described_fee = st.fixed_dictionaries({"fee_name": text(1, 20), "fee_desc": text(1, 30)})
_priced_fees, _fees = (
    st.lists(each, min_size=1, max_size=5, unique_by=lambda fee: fee["fee_name"])
    for each in (_priced_fee, _priced_fee | _described_fee)
)
_discounts = st.lists(
    st.fixed_dictionaries(
        {"discount_name": text(1, 20), "discount_amount": st.integers(1, 1000)},
        optional={"discount_desc": text(1, 30)},
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda discount: discount["discount_name"],
)
_days = st.datetimes(datetime(2000, 1, 1), datetime(2026, 3, 4)).map(lambda day: day.strftime("%Y%m%d"))  # noqa: DTZ001 - no zone in the field


@st.composite
def valid_events(draw: st.DrawFn) -> Event:
    """Every valid event, with any of the optional fields."""
    number = st.text("0123456789ABCxyz_-|*", min_size=1, max_size=32)
    event = draw(
        st.fixed_dictionaries(
            {"out_order_no": number, "finish_type": st.sampled_from([1, 2])},
            optional={
                "mchid": st.text("0123456789", min_size=1, max_size=32),
                "appid": st.text("wx0189", min_size=1, max_size=32),
                "service_id": st.text("0189", min_size=1, max_size=32),
                "order_api": st.sampled_from(_ORDER_APIS),
                "goods_tag": text(1, 32),
                "device": st.dictionaries(st.sampled_from(_DEVICE_FIELDS), text(1, 32), min_size=1),
                "finish_ticket": text(1, 512),
                "profit_sharing": st.booleans(),
                "metadata": st.dictionaries(text(0, 5), st.integers() | text(0, 20), max_size=4),
            },
        )
    )
    times = sorted(draw(st.lists(_days, max_size=2)))
    event |= dict(zip(("real_service_end_time",) if len(times) == 1 else FIELDS[6:8], times, strict=False))
    if event["finish_type"] == 1:
        amount = draw(st.sampled_from([{}, {"total_amount": 0}]))
        return event | {"cancel_reason": draw(text(1, 30))} | amount
    if event.get("order_api") == "serviceorder":
        event |= draw(st.fixed_dictionaries({"fees": _priced_fees}, optional={"discounts": _discounts}))
    else:
        event |= draw(st.fixed_dictionaries({}, optional={"fees": _fees, "discounts": _discounts}))
    total = sum(fee.get("fee_amount", 0) for fee in event.get("fees", ()))
    total -= sum(discount["discount_amount"] for discount in event.get("discounts", ()))
    if total < 0:
        del event["discounts"]
        total = sum(fee.get("fee_amount", 0) for fee in event.get("fees", ()))
    location = draw(st.sampled_from([{}, {"real_service_end_location": "深圳南山科技园3号柜"}]))
    return event | {"total_amount": total} | location
