"""A request that breaks one rule, for every rule: in the way of its field, or as it stands in a table."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from wechatpay_sandbox import APPID, SERVICE_ID, order_rules, service_order_rules, smart_retail_rules
from wechatpay_sandbox.fields import Field
from wechatpay_sandbox.order import RISK_CAP
from wechatpay_sandbox.times import shanghai

NUMBER = "A1"
NOW = 1_800_000_000.0  # 2027-01-15 in Shanghai
TICKET = "ticket"
WRONG_TYPE = {str: 1, int: "1", bool: "true", list: {}, dict: []}
DROP = object()

_IDENTIFIERS = {"appid": APPID, "service_id": SERVICE_ID}
_TIMES = {"start_time": "20260101101500", "end_time": "20260101102000"}
_FEE = {"fee_name": "商品信息", "fee_count": 1, "fee_amount": 300, "fee_desc": "可乐"}
_DISCOUNT = {"discount_name": "满减", "discount_amount": 100, "discount_desc": "满2减1"}
_PAYMENT = {"name": "商品信息", "count": 1, "amount": 300, "description": "可乐"}
_REDUCTION = {"name": "满减", "amount": 100, "description": "满2减1", "count": 1}
_PLACES = {"start_location": "A 柜", "end_location": "B 柜"}
_DEVICE = {"start_device_id": "1", "end_device_id": "1", "materiel_no": "1"}


@dataclass(frozen=True)
class Case:
    """A request that is accepted.

    Attributes:
        path: what is called, below /v3/payscore/.
        document: its body, with every field that the API has. None: it is a query, or a download.
        fields: the fields of the body.
        opened: how the order was put into the world before; None: there is none.
    """

    path: str
    document: Mapping[str, Any] | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    opened: Mapping[str, Any] | None = field(default_factory=dict)
    method: str = "POST"


_OPENED = {"service_start_location": "C 柜", "finish_ticket": TICKET}
SMART = Case(
    f"smartretail-orders/{NUMBER}/complete",
    {
        **_IDENTIFIERS,
        "finish_type": 2,
        "real_service_start_time": _TIMES["start_time"],
        "real_service_end_time": _TIMES["end_time"],
        "real_service_end_location": "B 柜",
        "fees": [_FEE],
        "discounts": [_DISCOUNT],
        "total_amount": 200,
        "finish_ticket": TICKET,
        "profit_sharing": False,
    },
    smart_retail_rules.COMPLETE,
    _OPENED,
)
_NOT_USED = {"finish_type": 1, "cancel_reason": "未取货", "total_amount": 0}
SMART_CANCELLING = replace(
    SMART,
    document={
        **{name: value for name, value in SMART.document.items() if name not in ("fees", "discounts")},
        **_NOT_USED,
    },
)
SMART_CANCELLING.document.pop("real_service_end_location")
CASES = {
    "smartretail.complete": SMART,
    "smartretail.create": Case(
        "smartretail-orders",
        {
            "out_order_no": NUMBER,
            **_IDENTIFIERS,
            "service_start_time": "OnAccept",
            "service_end_time": "20270201",
            "service_start_location": "A 柜",
            "service_end_location": "B 柜",
            "service_introduction": "智能柜购物",
            "fees": [_FEE],
            "discounts": [{name: _DISCOUNT[name] for name in ("discount_name", "discount_desc")}],
            "risk_amount": 20000,
            "attach": "a",
            "need_user_confirm": False,
            "openid": "o",
            "notify_url": "http://127.0.0.1:9/",
        },
        smart_retail_rules.CREATE,
        None,
    ),
    "smartretail.cancel": Case(
        f"smartretail-orders/{NUMBER}/cancel",
        {**_IDENTIFIERS, "reason": "未取货"},
        order_rules.CANCEL,
        {"state": "CREATED"},
    ),
    "serviceorder.complete": Case(
        f"serviceorder/{NUMBER}/complete",
        {
            **_IDENTIFIERS,
            "post_payments": [_PAYMENT],
            "post_discounts": [_REDUCTION],
            "total_amount": 200,
            "time_range": _TIMES,
            "location": _PLACES,
            "profit_sharing": False,
            "goods_tag": "g",
            "device": _DEVICE,
        },
        service_order_rules.COMPLETE,
        {"api": "serviceorder"},
    ),
    "serviceorder.create": Case(
        "serviceorder",
        {
            "out_order_no": NUMBER,
            **_IDENTIFIERS,
            "service_introduction": "智能柜购物",
            "post_payments": [_PAYMENT],
            "post_discounts": [_REDUCTION],
            "time_range": {
                "start_time": "OnAccept",
                "end_time": "20270201",
                "start_time_remark": "r",
                "end_time_remark": "r",
            },
            "location": _PLACES,
            "risk_fund": {"name": "ESTIMATE_ORDER_COST", "amount": 20000, "description": "d"},
            "attach": "a",
            "notify_url": "http://127.0.0.1:9/",
            "openid": "o",
            "need_user_confirm": False,
            "device": _DEVICE,
        },
        service_order_rules.CREATE,
        None,
    ),
    "serviceorder.cancel": Case(
        f"serviceorder/{NUMBER}/cancel",
        {**_IDENTIFIERS, "reason": "未取货"},
        order_rules.CANCEL,
        {"api": "serviceorder"},
    ),
    "sync": Case(
        f"payafter-orders/{NUMBER}/sync",
        {**_IDENTIFIERS, "type": "Order_Paid", "detail": {"paid_time": shanghai(NOW)}},
        order_rules.SYNC,
        {"state": "FINISHED", "total_amount": 200, "opened_before": 60},
    ),
}
QUERY = Case(f"smartretail-orders?service_id={SERVICE_ID}&out_order_no={NUMBER}&appid={APPID}", method="GET")


@dataclass(frozen=True)
class Violation:
    """A case, and what makes a refusal of it: changes of its fields by path, other parts of the request.

    Attributes:
        also: rules that have to be tolerated with this one, since the same request breaks them too.
        before: whether the unchanged request is sent first.
        claims: of Authorization, other than the merchant's own.
    """

    case: Case
    changes: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    body: bytes | None = None
    opened: Mapping[str, Any] | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    claims: Mapping[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    before: bool = False
    twice: bool = False

    def document(self) -> dict[str, Any]:
        """The body with its changes."""
        document = deepcopy(dict(self.case.document or {}))
        for path, value in self.changes.items():
            at: Any = document
            *parents, name = path.split(".")
            for parent in parents:
                at = at[parent]
                at = at[0] if isinstance(at, list) else at
            if value is DROP:
                del at[name]
            else:
                at[name] = value
        return document


def of_field(rule: str) -> Violation:
    """The violation of a rule on one field: another type, too long, no time, or left out."""
    prefix = next(name for name in CASES if rule.startswith(f"{name}."))
    *path, kind = rule.removeprefix(f"{prefix}.").split(".")
    case = CASES[prefix]
    if path[0] == "cancel_reason":
        case = SMART_CANCELLING
    fields: Any = case.fields
    for name in path:
        field: Field = fields[name]
        fields = field.fields
    at = ".".join(path)
    if kind == "required":
        return Violation(case, {at: DROP})
    if kind == "type":
        return Violation(case, {at: WRONG_TYPE[field.type]})
    if kind == "time":
        return Violation(case, {at: "20260230000000"})
    if field.type is int:
        return Violation(case, {at: field.high + 1})
    if field.type is list:
        return Violation(case, _too_many(case, at, field))
    return Violation(case, {at: "2" * (field.high + 1)})


def _too_many(case: Case, at: str, field: Field) -> dict[str, Any]:
    """More items than may be, whose sum is right all the same."""
    item = (case.document or {})[at][0]
    names = [name for name in item if name.endswith("name")]
    unique = "discount" in at
    items = [{**item, **({names[0]: f"满{number}"} if unique else {})} for number in range(field.high + 1)]
    if "total_amount" not in (case.document or {}):
        return {at: items}
    amount = "discount_amount" if at == "discounts" else "fee_amount" if at == "fees" else "amount"
    for each in items:
        each[amount] = 2
    total = {"fees": 2 * len(items) - 100, "post_payments": 2 * len(items) - 100}
    return {at: items, "total_amount": total.get(at, 300 - 2 * len(items))}


_SIGNED = "WECHATPAY2-SHA256-RSA2048"
_SIGNATURES = {
    "scheme": Violation(QUERY, headers={"Authorization": "Bearer me"}),
    "form": Violation(QUERY, headers={"Authorization": f'{_SIGNED} mchid="1900000001"'}),
    "mchid": Violation(QUERY, claims={"mchid": "1900000002"}),
    "timestamp_form": Violation(QUERY, claims={"timestamp": "now"}),
    "timestamp": Violation(QUERY, claims={"timestamp": str(int(NOW) - 301)}),
    "nonce_length": Violation(QUERY, claims={"nonce_str": "n" * 33}),
    "serial_no": Violation(QUERY, claims={"serial_no": "4" + "0" * 39}),
    "value": Violation(QUERY, claims={"signature": "AAAA"}),
    "nonce_repeated": Violation(QUERY, claims={"nonce_str": "n"}, twice=True),
}
_SERVICE, _SERVICE_CREATE = CASES["serviceorder.complete"], CASES["serviceorder.create"]
_FINISHED = {"state": "FINISHED", "total_amount": 200}
_QUERY = QUERY.path
TABLE: Mapping[str, Violation] = {
    **{f"signature.{name}": violation for name, violation in _SIGNATURES.items()},
    "request.path": Violation(QUERY, path="nothing"),
    "certificates.public_key_merchant": Violation(QUERY, path="/v3/certificates"),
    "request.headers": Violation(QUERY, headers={"Accept": "text/html"}),
    "request.content_type": Violation(SMART, headers={"Content-Type": "text/plain"}),
    "request.out_order_no": Violation(SMART, path="smartretail-orders/A%201/complete"),
    "request.query": Violation(QUERY, path=f"{_QUERY}&mchid=1"),
    "request.query_required": Violation(QUERY, path=_QUERY.partition("&appid")[0]),
    "json.syntax": Violation(SMART, body=b"["),
    "json.duplicate_key": Violation(SMART, body=b'{"appid":"a","appid":"a"}'),
    "json.null": Violation(SMART, {"discounts.discount_desc": None}),
    "json.unknown_field": Violation(SMART, {"discount": []}),
    "text.four_bytes": Violation(SMART, {"fees.fee_desc": "可乐😀"}),
    "text.control": Violation(SMART, {"fees.fee_desc": "可\n乐"}),
    "text.blank": Violation(SMART, {"fees.fee_desc": "  "}),
    "order.unknown": Violation(SMART, path="smartretail-orders/B1/complete"),
    "order.twin_path": Violation(SMART, path=f"payafter-orders/{NUMBER}/complete"),
    "order.appid": Violation(SMART, {"appid": "wx0"}),
    "order.service_id": Violation(SMART, {"service_id": "1"}),
    "order.reentry": Violation(SMART, {"profit_sharing": True}, before=True),
    "order.risk_cap": Violation(SMART, opened={**_OPENED, "risk_cap": 100}),
    "order.end_in_future": Violation(SMART, {"real_service_end_time": "29990101"}),
    "order.end_before_start": Violation(SMART, {"real_service_start_time": "20260102"}),
    "order.end_required": Violation(
        SMART, {"real_service_end_time": DROP}, opened={**_OPENED, "service_end_time": None}
    ),
    "create.appid_bound": Violation(_SERVICE_CREATE, {"appid": "wx0"}),
    "create.service_bound": Violation(_SERVICE_CREATE, {"service_id": "1"}),
    "create.openid": Violation(_SERVICE_CREATE, {"openid": DROP}),
    "sync.type": Violation(CASES["sync"], {"type": "Order_Unpaid"}),
    "sync.state": Violation(CASES["sync"], opened={}),
    "sync.paid_time": Violation(CASES["sync"], {"detail.paid_time": "20200101000000"}),
    "smartretail.complete.reason_with_1": Violation(SMART_CANCELLING, {"cancel_reason": DROP}),
    "smartretail.complete.reason_only_with_1": Violation(SMART, {"cancel_reason": "未取货"}),
    "smartretail.complete.total_amount.zero_with_1": Violation(SMART_CANCELLING, {"total_amount": 1}),
    "smartretail.complete.end_location_only_with_2": Violation(
        SMART_CANCELLING, {"real_service_end_location": "B 柜"}
    ),
    "smartretail.complete.end_location_differs": Violation(SMART, {"real_service_end_location": "C 柜"}),
    "smartretail.complete.fee_names_differ": Violation(
        SMART, {"fees": [{"fee_name": "可乐", "fee_amount": 150}] * 2}
    ),
    "smartretail.complete.discount_names_differ": Violation(
        SMART, {"discounts": [_DISCOUNT | {"discount_amount": 50}] * 2}
    ),
    "smartretail.complete.fee_says_something": Violation(
        SMART, {"fees": [_FEE, {"fee_name": "可乐", "fee_count": 1}]}
    ),
    "smartretail.complete.total_amount.is_sum": Violation(SMART, {"total_amount": 201}),
    "smartretail.complete.ticket": Violation(SMART, {"finish_ticket": "another"}),
    "smartretail.complete.state": Violation(SMART, opened={"state": "CREATED"}),
    "smartretail.complete.finish_ticket.length": Violation(
        SMART, {"finish_ticket": "t" * 513}, opened={**_OPENED, "finish_ticket": "t" * 513}
    ),
    "smartretail.cancel.state": Violation(CASES["smartretail.cancel"], opened={}),
    "smartretail.create.risk_cap": Violation(CASES["smartretail.create"], {"risk_amount": RISK_CAP + 1}),
    "serviceorder.complete.goods_name": Violation(_SERVICE, {"post_payments.name": "可乐"}),
    "serviceorder.complete.goods_description": Violation(_SERVICE, {"post_payments.count": DROP}),
    "serviceorder.complete.payment_names_differ": Violation(
        _SERVICE,
        {"post_payments": [_PAYMENT | {"name": "可乐", "amount": 150}] * 2},
        also=("serviceorder.complete.goods_name",),
    ),
    "serviceorder.complete.post_payments.name.length": Violation(
        _SERVICE, {"post_payments.name": "可" * 21}, also=("serviceorder.complete.goods_name",)
    ),
    "serviceorder.complete.post_payments.required": Violation(
        _SERVICE, {"post_payments": DROP, "post_discounts": DROP, "total_amount": 0}
    ),
    "serviceorder.complete.discount_names_differ": Violation(
        _SERVICE, {"post_discounts": [_REDUCTION | {"amount": 50}] * 2}
    ),
    "serviceorder.complete.total_amount.is_sum": Violation(_SERVICE, {"total_amount": 201}),
    "serviceorder.complete.state": Violation(_SERVICE, opened={"api": "serviceorder", "state": "CREATED"}),
    "serviceorder.cancel.completed": Violation(
        CASES["serviceorder.cancel"], opened={"api": "serviceorder", **_FINISHED}
    ),
    "serviceorder.cancel.state": Violation(
        CASES["serviceorder.cancel"], opened={"api": "serviceorder", "state": "EXPIRED"}
    ),
    "serviceorder.create.risk_name": Violation(_SERVICE_CREATE, {"risk_fund.name": "押金"}),
    "serviceorder.create.risk_cap": Violation(_SERVICE_CREATE, {"risk_fund.amount": RISK_CAP + 1}),
}


def find(rule: str) -> Violation:
    """The request that breaks this rule and, but for those in `also`, no other."""
    return TABLE.get(rule) or of_field(rule)
