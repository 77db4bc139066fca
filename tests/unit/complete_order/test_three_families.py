"""The same twenty orders end alike, whatever API they were created with: one table."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from wechatpay.errors import SettlementError

from tests.function import Function, later
from tests.replies import genuine, refusal
from tests.unit.complete_order.orders import cancel, finish

FAMILIES = ("smartretail-orders", "payafter-orders", "serviceorder")
TIMES = {"real_service_start_time": "20260101120000", "real_service_end_time": "20260101120130"}
LOST = {"fault": "reset_after"}
GOODS = [{"fee_name": "商品信息", "fee_desc": n, "fee_count": 1, "fee_amount": 600} for n in ("茶", "饼")]
FREE = {"fees": [{"fee_name": "赠品", "fee_amount": 0}], "discounts": [], "total_amount": 0}
MANY = {
    "fees": [{"fee_name": f"货{n}", "fee_amount": 12} for n in range(100)],
    "discounts": [],
    "total_amount": 1200,
}


@pytest.fixture(autouse=True)
def _the_secret_as_it_was(function: Function) -> Iterator[None]:
    yield
    function.store_secret()
    function.forget()


@dataclass(frozen=True)
class Case:
    """One order: as it stands at WeChat Pay, as it is to be settled, and how both have to end.

    Attributes:
        fault: what happens to the call that settles it.
        ends: the outcome, or the category of its error, or the error raised.
        stands: how the order stands at WeChat Pay afterwards, and how many calls were applied.
    """

    name: str
    wish: Any
    ends: str
    stands: tuple[str, int]
    evidence: str | None = None
    event: dict[str, Any] = field(default_factory=dict)
    opened: dict[str, Any] | None = field(default_factory=dict)
    fault: dict[str, Any] | None = None
    times: int = 1
    attempt: Any = None

    def __str__(self) -> str:
        return self.name


SETTLED = {"finish_type": 2, "total_amount": 1200}
ORDERS = (
    Case("finished", finish, "COMPLETED", ("FINISHED", 1), "REPLY"),
    Case("finished with times", finish, "COMPLETED", ("FINISHED", 1), "REPLY", TIMES),
    Case(
        "goods of one name", finish, "COMPLETED", ("FINISHED", 1), "REPLY", {"fees": GOODS, "discounts": []}
    ),
    Case("100 fees", finish, "COMPLETED", ("FINISHED", 1), "REPLY", MANY),
    Case("free", finish, "COMPLETED", ("FINISHED", 1), "REPLY", FREE),
    Case("its answer lost", finish, "COMPLETED", ("FINISHED", 1), "QUERY", fault=LOST),
    Case("unsigned answer", finish, "COMPLETED", ("FINISHED", 1), "QUERY", fault={"fault": "unsigned"}),
    Case(
        "lost on its way, once",
        finish,
        "COMPLETED",
        ("FINISHED", 1),
        "REPLY",
        fault={"fault": "reset_before"},
    ),
    Case(
        "503",
        finish,
        "WeChatPayUnavailable",
        ("USER_ACCEPTED", 0),
        fault=refusal(503, "SYSTEM_ERROR"),
        times=2,
    ),
    Case(
        "429", finish, "WeChatPayRateLimited", ("USER_ACCEPTED", 0), fault=refusal(429, "FREQUENCY_LIMITED")
    ),
    Case("403", finish, "MerchantMisconfigured", ("USER_ACCEPTED", 0), fault=refusal(403, "NO_AUTH")),
    Case("above the risk cap", finish, "REJECTED", ("USER_ACCEPTED", 0), "REPLY", opened={"risk_cap": 100}),
    Case("settled as asked by others", finish, "COMPLETED", ("FINISHED", 0), "QUERY", opened=SETTLED),
    Case(
        "settled with another amount",
        finish,
        "CONFLICT",
        ("FINISHED", 0),
        "QUERY",
        opened={"finish_type": 2, "total_amount": 1300},
    ),
    Case("not confirmed yet", finish, "WeChatPayUnavailable", ("CREATED", 0), opened={"state": "CREATED"}),
    Case("expired", finish, "REJECTED", ("EXPIRED", 0), "QUERY", opened={"state": "EXPIRED"}),
    Case("unknown", finish, "REJECTED", ("", 0), opened=None),
    Case("cancelled unconfirmed", cancel, "CANCELLED", ("REVOKED", 0), "REPLY", opened={"state": "CREATED"}),
    Case(
        "to be cancelled, and finished already", cancel, "CONFLICT", ("FINISHED", 0), "QUERY", opened=SETTLED
    ),
    Case("cancelled already", cancel, "CANCELLED", ("REVOKED", 0), "QUERY", opened={"state": "REVOKED"}),
)


def test_the_table_has_twenty_orders() -> None:
    assert len({case.name for case in ORDERS}) == 20


@pytest.mark.parametrize("order_api", FAMILIES)
@pytest.mark.parametrize("case", ORDERS, ids=str)
def test_an_order_ends_alike_in_every_family(
    function: Function, order_no: str, case: Case, order_api: str
) -> None:
    simulator = function.simulator
    if case.opened is not None:
        simulator.open_order(order_no, api=order_api, **case.opened)
    if case.fault:
        simulator.script(order_no, "complete", times=case.times, **case.fault)
    secret = simulator.secret()
    names = {"appid": secret["appid"], "service_id": secret["service_id"]}
    try:
        result = function(case.wish(order_no, order_api=order_api, **names, **case.event))
    except SettlementError as error:
        result = {"outcome": type(error).__name__, "order_api": order_api}
    ended = result["error"]["category"] if "error" in result else result["outcome"]
    assert (ended, result["order_api"]) == (case.ends, order_api)
    if case.evidence:
        assert result["evidence"] == case.evidence
    if case.stands[0]:
        entry = simulator.order(order_no)
        assert (entry["state"], entry["accepted"]) == case.stands
        assert entry["charged"] == 0


# Which family an order is of


def opened_in(function: Function, order_no: str, order_api: str, **settings: Any) -> None:
    function.simulator.open_order(order_no, api=order_api, **settings)


@pytest.mark.parametrize("of_secret", FAMILIES)
@pytest.mark.parametrize("of_order", FAMILIES)
@pytest.mark.parametrize("wish", [finish, cancel])
def test_the_family_that_knows_the_order_settles_it_and_is_named(
    function: Function, order_no: str, wish: Any, of_secret: str, of_order: str
) -> None:
    opened_in(function, order_no, of_order)
    function.store_secret(order_api=of_secret)
    function.forget()
    result = function(wish(order_no))
    assert result["outcome"] == ("COMPLETED" if wish is finish else "CANCELLED")
    assert (result["order_api"], result["evidence"]) == (of_order, "REPLY")
    entry = function.simulator.order(order_no)
    assert entry["state"] == ("FINISHED" if wish is finish else "REVOKED")


def test_a_merchant_who_migrates_with_orders_of_both_open_loses_none(
    function: Function, order_no: str
) -> None:
    orders = {f"{order_no}{n}": FAMILIES[2 * (n % 2)] for n in range(6)}
    for number, order_api in orders.items():
        opened_in(function, number, order_api)
    ended = {}
    for n, number in enumerate(orders):
        function.store_secret(order_api="smartretail-orders" if n < 3 else "serviceorder")
        function.forget()
        ended[number] = function(finish(number))
    assert {number: result["order_api"] for number, result in ended.items()} == orders
    for number in orders:
        assert ended[number]["outcome"] == "COMPLETED"
        entry = function.simulator.order(number)
        assert (entry["state"], entry["accepted"], entry["reentries"]) == ("FINISHED", 1, 0)


def test_an_order_whose_event_names_its_family_is_queried_only_there(
    function: Function, order_no: str
) -> None:
    opened_in(function, order_no, "serviceorder")
    secret = function.simulator.secret()
    names = {"appid": secret["appid"], "service_id": secret["service_id"]}
    result = function(finish(order_no, order_api="smartretail-orders", **names))
    assert (result["outcome"], result["error"]["status"]) == ("FAILED", 404)
    assert not any("serviceorder" in each["target"] for each in function.simulator.requests(order_no))


def test_an_order_with_a_ticket_is_not_queried_in_serviceorder(function: Function, order_no: str) -> None:
    secret = function.simulator.secret()
    names = {"appid": secret["appid"], "service_id": secret["service_id"]}
    function.store_secret(order_api="serviceorder")
    function.forget()
    result = function(finish(order_no, finish_ticket="a-ticket-of-a-cabinet", **names))
    assert (result["outcome"], result["order_api"]) == ("FAILED", "smartretail-orders")
    targets = [each["target"] for each in function.simulator.requests(order_no)]
    assert [target.split("/")[3].split("?")[0] for target in targets] == [
        *("smartretail-orders", "smartretail-orders", "payafter-orders")
    ]


@pytest.mark.parametrize("wish", [finish, cancel])
@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (refusal(503, "SYSTEM_ERROR"), "WeChatPayUnavailable"),
        ({"fault": "unsigned"}, "WeChatPayUnavailable"),
        (refusal(403, "NO_AUTH"), "MerchantMisconfigured"),
        (refusal(429, "FREQUENCY_LIMITED"), "WeChatPayRateLimited"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_order_is_unknown_only_when_every_family_answers_404(
    function: Function, order_no: str, wish: Any, answer: dict[str, Any], raised: str
) -> None:
    secret = function.simulator.secret()
    names = {"appid": secret["appid"], "service_id": secret["service_id"]}
    function.simulator.script(order_no, "query", times=1, **refusal(404, "ORDER_NOT_EXIST"))
    function.simulator.script(order_no, "query", times=None, **answer)
    with pytest.raises(SettlementError) as error:
        function(wish(order_no, **names))
    assert type(error.value).__name__ == raised


def test_what_may_have_been_applied_is_sent_to_no_other_family(function: Function, order_no: str) -> None:
    opened_in(function, order_no, "serviceorder")
    function.simulator.script(order_no, "complete", fault="reset_before", times=None)
    with pytest.raises(SettlementError, match="may have been applied") as error:
        function(finish(order_no, finish_ticket="a-ticket-of-a-cabinet"))
    assert type(error.value).__name__ == "OutcomeUnknown"
    assert function.simulator.order(order_no)["accepted"] == 0


@pytest.mark.parametrize("minutes", [0, 9, 11])
def test_a_later_attempt_settles_elsewhere_only_ten_minutes_on(
    function: Function, order_no: str, minutes: float
) -> None:
    opened_in(function, order_no, "serviceorder")
    function.client_context = later(minutes)
    if minutes > 10:
        assert function(finish(order_no))["order_api"] == "serviceorder"
    else:
        with pytest.raises(
            SettlementError, match="smartretail-orders does not know it, and serviceorder says"
        ):
            function(finish(order_no))
    assert function.simulator.order(order_no)["accepted"] == (minutes > 10)


@pytest.mark.parametrize(
    ("minutes", "amount", "ends"),
    [(0, 1200, "COMPLETED"), (11, 1200, "COMPLETED"), (0, 1300, "OutcomeUnknown"), (11, 1300, "FAILED")],
)
def test_a_later_attempt_fails_no_order_settled_elsewhere_at_once(
    function: Function, order_no: str, minutes: float, amount: int, ends: str
) -> None:
    opened_in(function, order_no, "serviceorder", finish_type=2, total_amount=amount)
    function.client_context = later(minutes)
    try:
        ended = function(finish(order_no))["outcome"]
    except SettlementError as error:
        ended = type(error).__name__
    assert ended == ends


def test_a_later_attempt_without_a_family_queries_before_completing(
    function: Function, order_no: str
) -> None:
    opened_in(function, order_no, "smartretail-orders")
    function.store_secret(order_api="serviceorder")
    function.forget()
    function.client_context = later(11)
    assert function(finish(order_no))["order_api"] == "smartretail-orders"
    sent = [each["target"] for each in function.simulator.requests(order_no) if each["body"]]
    assert [target.split("/")[3] for target in sent] == ["smartretail-orders"]


GIFT = {"fees": [{"fee_name": "赠品", "fee_desc": "茶"}], "discounts": [], "total_amount": 0}
SIX = {
    "fees": [{"fee_name": "乌龙茶", "fee_amount": 1206}],
    "discounts": [{"discount_name": f"券{n}", "discount_amount": 1} for n in range(6)],
}


@pytest.mark.parametrize("context", [None, later(11)], ids=["first", "later"])
@pytest.mark.parametrize(
    ("of_secret", "of_order", "wish"),
    [("serviceorder", "smartretail-orders", GIFT), ("smartretail-orders", "serviceorder", SIX)],
    ids=["no amount", "six discounts"],
)
def test_an_order_the_guessed_family_does_not_take_is_settled_by_its_own(
    function: Function, order_no: str, of_secret: str, of_order: str, wish: dict[str, Any], context: Any
) -> None:
    opened_in(function, order_no, of_order)
    function.store_secret(order_api=of_secret)
    function.forget()
    function.client_context = context
    result = function(finish(order_no, **wish))
    assert (result["outcome"], result["order_api"]) == ("COMPLETED", of_order)
    sent = [each["target"] for each in function.simulator.requests(order_no) if each["body"]]
    assert [target.split("/")[3] for target in sent] == [of_order]


def test_an_order_of_the_guessed_family_that_does_not_take_it_is_invalid(
    function: Function, order_no: str
) -> None:
    opened_in(function, order_no, "serviceorder")
    function.store_secret(order_api="serviceorder")
    function.forget()
    result = function(finish(order_no, **GIFT))
    assert result["error"]["detail"] == ["fees[0].fee_amount: required for serviceorder"]
    assert function.simulator.order(order_no)["accepted"] == 0


def test_an_invalid_order_of_a_named_family_needs_no_query(function: Function, order_no: str) -> None:
    result = function(finish(order_no, order_api="serviceorder", **GIFT))
    assert result["error"]["category"] == "INVALID_INPUT"
    assert function.simulator.requests(order_no) == []


def test_families_that_contradict_themselves_are_not_queried_in_turns(
    function: Function, order_no: str
) -> None:
    secret = function.simulator.secret()
    names = {name: secret[name] for name in ("appid", "service_id")}
    known = {"out_order_no": order_no, "state": "USER_ACCEPTED", "finish_ticket": "ticket-of-one-of-them"}
    function.tickets.add("ticket-of-one-of-them")
    script = function.simulator.script
    script(order_no, "complete", times=None, **refusal(404, "ORDER_NOT_EXIST"))
    for _ in range(20):
        script(order_no, "query", **refusal(404, "ORDER_NOT_EXIST"))
        script(order_no, "query", **genuine(known))
    with pytest.raises(SettlementError, match="another query has found it") as error:
        function(finish(order_no, **names))
    assert type(error.value).__name__ == "OutcomeUnknown"
    assert [each["operation"] for each in function.simulator.requests(order_no)] == [
        *("query", "query", "complete", "query")
    ]


def test_an_order_that_its_family_does_not_take_is_invalid_and_not_sent(
    function: Function, order_no: str
) -> None:
    opened_in(function, order_no, "serviceorder")
    free = {"fees": [{"fee_name": "赠品", "fee_desc": "茶"}], "discounts": [], "total_amount": 0}
    result = function(finish(order_no, **free))
    assert result["error"]["category"] == "INVALID_INPUT"
    assert result["error"]["detail"] == ["fees[0].fee_amount: required for serviceorder"]
    assert function.simulator.order(order_no)["accepted"] == 0


# What is serviceorder's own


@pytest.mark.parametrize("state", ["FINISHED", "USER_PAID"])
def test_a_cancellation_that_waives_a_debt_is_a_conflict_and_not_sent(
    function: Function, order_no: str, state: str
) -> None:
    opened_in(function, order_no, "serviceorder", state=state, finish_type=2, total_amount=1200)
    result = function(cancel(order_no, order_api="serviceorder"))
    assert result["error"]["category"] == "CONFLICT"
    assert {"FINISHED": "DOING/MCH_COMPLETE", "USER_PAID": "DONE"}[state] in result["error"]["detail"]
    assert [each["operation"] for each in function.simulator.requests(order_no)] == ["query"]


def test_a_cancellation_is_repeated_with_another_key_only_while_open(
    function: Function, order_no: str
) -> None:
    opened_in(function, order_no, "serviceorder", finish_type=2, total_amount=700)
    before = {"out_order_no": order_no, "state": "DOING", "state_description": "USER_CONFIRM"}
    function.simulator.script(order_no, "query", **genuine(before))
    function.simulator.script(order_no, "cancel", **refusal(401, "SIGN_ERROR"))
    result = function(cancel(order_no, order_api="serviceorder"))
    assert result["error"]["category"] == "CONFLICT"
    assert function.simulator.order(order_no)["state"] == "FINISHED"
    assert [each["operation"] for each in function.simulator.requests(order_no)] == [
        *("query", "cancel", "query")
    ]


def test_a_completion_of_serviceorder_is_one_call(function: Function, order_no: str) -> None:
    opened_in(function, order_no, "serviceorder")
    assert function(finish(order_no, order_api="serviceorder"))["order_id"]
    assert [each["operation"] for each in function.simulator.requests(order_no)] == ["complete"]


def test_a_cancellation_that_finds_a_debit_running_is_retried(function: Function, order_no: str) -> None:
    opened_in(function, order_no, "serviceorder")
    function.simulator.script(order_no, "cancel", **refusal(400, "PARAM_ERROR", "单据正在扣款中"))
    with pytest.raises(SettlementError):
        function(cancel(order_no, order_api="serviceorder"))


def test_fees_keep_their_names_without_unmanned_retail(function: Function, order_no: str) -> None:
    function.store_secret(unmanned_retail=False)
    function.forget()
    function.simulator.tolerate("serviceorder.complete.goods_*")
    opened_in(function, order_no, "serviceorder")
    function(finish(order_no, order_api="serviceorder"))
    function.simulator.tolerate()
    assert "无糖乌龙茶 500ml" in function.simulator.requests(order_no)[-1]["body"]
    assert "商品信息" not in function.simulator.requests(order_no)[-1]["body"]


@pytest.mark.parametrize("order_api", FAMILIES)
def test_an_end_at_the_start_is_left_out_for_the_older_families(
    function: Function, order_no: str, order_api: str
) -> None:
    place = "深圳南山3号柜"
    opened_in(function, order_no, order_api, service_start_location=place)
    event = finish(order_no, order_api=order_api, real_service_end_location=place)
    assert function(event)["outcome"] == "COMPLETED"
    assert (place in function.simulator.requests(order_no)[-1]["body"]) is (order_api == "serviceorder")
