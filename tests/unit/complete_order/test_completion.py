"""Completion where the handler cannot show it: another clock, a secret that fails in between."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from complete_order import order
from complete_order.completion import Completion
from complete_order.result import Result
from wechatpay import credentials
from wechatpay.client import Client
from wechatpay.credentials import Credentials
from wechatpay.deadline import Deadline
from wechatpay.errors import (
    MerchantMisconfigured,
    OutcomeUnknown,
    SettlementError,
    WeChatPayUnavailable,
)
from wechatpay.merchant import Merchant
from wechatpay.signed_transport import SignedTransport
from wechatpay.transport import Transport
from wechatpay_sandbox import MCHID

from tests.function import Function
from tests.replies import genuine, refusal
from tests.unit.complete_order.orders import arrived, cancel, finish, opened


def read_now(function: Function, **changes: Any) -> Credentials:
    secret = function.simulator.secret() | changes
    return credentials.parse(json.dumps({n: v for n, v in secret.items() if v is not None}), MCHID)


def settle(function: Function, event: dict[str, Any], merchant: Merchant | None = None) -> dict[str, Any]:
    """Settle in an environment of its own, as another instance of the function would."""
    wanted = order.parse(event, default_mchid=MCHID, now=datetime.now(UTC))
    merchant = merchant or Merchant(lambda: read_now(function))
    client = Client(SignedTransport(merchant, Transport()), function.simulator.hosts, Deadline(28.5))
    return Completion(wanted, wanted.key(merchant.credentials), client).run().to_json()


def named(function: Function, event: dict[str, Any], **secret: Any) -> Any:
    wanted = order.parse(event, default_mchid=MCHID, now=datetime.now(UTC))
    return wanted.key(read_now(function, **secret))


def test_the_secret_gives_the_identifiers_that_the_event_does_not_name(function: Function) -> None:
    assert named(function, cancel("A")).appid == "wxd678efh567hg6787"
    assert named(function, cancel("A")).service_id == "500001"
    assert named(function, cancel("A", appid="wx1", service_id="7")).appid == "wx1"
    assert named(function, cancel("A", appid="wx1", service_id="7")).service_id == "7"
    assert (
        named(function, cancel("A", appid="wx1", service_id="7"), appid=None, service_id=None).mchid == MCHID
    )


@pytest.mark.parametrize(
    ("event", "missing"),
    [
        ({}, "appid and service_id"),
        ({"appid": "wx1"}, "service_id"),
        ({"service_id": "7"}, "appid"),
    ],
)
def test_an_identifier_that_neither_event_nor_secret_has_is_misconfigured(
    function: Function, event: dict[str, Any], missing: str
) -> None:
    with pytest.raises(MerchantMisconfigured) as raised:
        named(function, cancel("A", **event), appid=None, service_id=None)
    assert str(raised.value) == f"secret of merchant {MCHID}: has no {missing}, and A names none either"


def test_twenty_functions_settle_the_same_order_at_once_with_one_charge(
    function: Function, order_no: str
) -> None:
    ticket = opened(function, order_no, debit_after=0)
    credentials = read_now(function)
    with ThreadPoolExecutor(20) as pool:
        event = finish(order_no, finish_ticket=ticket)
        results = list(pool.map(lambda _: settle(function, event, Merchant(lambda: credentials)), range(20)))
    assert {(result["outcome"], result["total_amount"]) for result in results} == {("COMPLETED", 1200)}
    truth = function.simulator.order(order_no)
    assert (truth["accepted"], truth["debits"], truth["charged"]) == (1, 1, 1200)


def test_twenty_functions_with_different_wishes_agree_on_the_outcome(
    function: Function, order_no: str
) -> None:
    ticket = opened(function, order_no, debit_after=0)
    credentials = read_now(function)
    other = finish(order_no, finish_ticket=ticket, fees=[{"fee_name": "茶", "fee_amount": 700}], discounts=[])
    wishes = [
        finish(order_no, finish_ticket=ticket),
        other | {"total_amount": 700},
        cancel(order_no, finish_ticket=ticket),
    ]
    with ThreadPoolExecutor(20) as pool:
        events = [wishes[index % 3] for index in range(20)]
        results = list(pool.map(lambda event: settle(function, event, Merchant(lambda: credentials)), events))
    truth = function.simulator.order(order_no)
    for event, result in zip(events, results, strict=True):
        if (event["finish_type"], event.get("total_amount", 0)) == (
            truth["finish_type"],
            truth["total_amount"] or 0,
        ):
            assert result["outcome"] in ("COMPLETED", "CANCELLED")
        else:
            assert result["error"]["category"] == "CONFLICT"
    assert truth["accepted"] == 1
    assert truth["charged"] == (truth["total_amount"] or 0)


class Aging:
    """A secret that grows too old between the completion and the query, and then fails to be read again."""

    def __init__(self, function: Function, then: Callable[[], Credentials]) -> None:
        self._first = read_now(function)
        self._then = then
        self._reads = 0
        self.seconds = 1_000_000.0

    def read(self) -> Credentials:
        self._reads += 1
        return self._first if self._reads == 1 else self._then()


def fails_with(error: SettlementError) -> Callable[[], Credentials]:
    def fail() -> Credentials:
        raise error

    return fail


@pytest.mark.parametrize(
    "error", [WeChatPayUnavailable("down"), MerchantMisconfigured("malformed")], ids=repr
)
def test_an_unreadable_secret_during_a_query_leaves_the_outcome_unknown(
    function: Function, order_no: str, error: SettlementError
) -> None:
    ticket = opened(function, order_no)
    function.simulator.script(order_no, "complete", fault="reset_after")
    aging = Aging(function, fails_with(error))
    merchant = Merchant(aging.read, clock=lambda: aging.seconds)

    def grow_old(_: object) -> None:
        aging.seconds += 301

    signed_transport = SignedTransport(merchant, Transport(), observe=grow_old)
    wanted = order.parse(finish(order_no, finish_ticket=ticket), default_mchid=MCHID, now=datetime.now(UTC))
    client = Client(signed_transport, function.simulator.hosts, Deadline(28.5))
    with pytest.raises(OutcomeUnknown, match=str(error)):
        Completion(wanted, wanted.key(merchant.credentials), client).run()
    assert arrived(function, order_no) == ["complete"]


@pytest.mark.parametrize("ticket", [{}, {"finish_ticket": None}, {"finish_ticket": ""}], ids=str)
def test_a_ticket_that_the_query_does_not_give_is_not_made_up(
    function: Function, order_no: str, ticket: dict[str, str | None]
) -> None:
    opened(function, order_no)
    order = {"out_order_no": order_no, "state": "USER_ACCEPTED", **ticket}
    function.simulator.script(order_no, "query", **genuine(order))
    with pytest.raises(WeChatPayUnavailable, match="gave no finish_ticket"):
        settle(function, finish(order_no))
    assert arrived(function, order_no) == ["query"]


def test_a_refused_ticket_is_not_sent_again_when_the_query_gives_no_other(
    function: Function, order_no: str
) -> None:
    opened(function, order_no)
    order = {"out_order_no": order_no, "state": "USER_ACCEPTED"}
    function.simulator.script(order_no, "query", **genuine(order))
    with pytest.raises(WeChatPayUnavailable, match="gave no finish_ticket"):
        settle(function, finish(order_no, finish_ticket="stale-ticket"))
    assert arrived(function, order_no) == ["complete", "query"]


@pytest.mark.parametrize(
    "shown",
    [
        {"fault": "debit_in_progress"},
        refusal(400, "PARAM_ERROR", tail="271316598", applied=True),
        refusal(400, "ORDER_DONE", applied=True),
        {"fault": "wrong_shape"},
        {"fault": "accepted_202"},
    ],
    ids=["a debit is running", "re-entry", "state", "another shape", "202"],
)
def test_an_order_that_a_verified_reply_has_shown_is_not_ended_by_a_404(
    function: Function, order_no: str, shown: dict[str, Any]
) -> None:
    event = finish(order_no, finish_ticket=opened(function, order_no))
    function.simulator.script(order_no, "complete", **shown)
    function.simulator.script(order_no, "query", times=None, **refusal(404, "ORDER_NOT_EXIST"))
    with pytest.raises(OutcomeUnknown, match="ORDER_NOT_EXIST"):
        settle(function, event)


def test_the_fresh_ticket_is_the_only_thing_that_changes_in_a_second_try(
    function: Function, order_no: str
) -> None:
    opened(function, order_no)
    assert settle(function, finish(order_no, finish_ticket="stale-ticket"))["evidence"] == "REPLY"
    first, second = (
        json.loads(request["body"])
        for request in function.simulator.requests(order_no)
        if request["operation"] == "complete"
    )
    assert first.pop("finish_ticket") == "stale-ticket"
    assert second.pop("finish_ticket") != "stale-ticket"
    assert first == second


def test_an_unlisted_refusal_fails_no_order_that_an_attempt_has_settled(
    function: Function, order_no: str
) -> None:
    event = finish(order_no, finish_ticket=opened(function, order_no))
    function.simulator.script(order_no, "complete", fault="reset_after")
    function.simulator.script(order_no, "query", fault="system_error", times=2)
    with pytest.raises(OutcomeUnknown):
        settle(function, event)
    function.simulator.clear_faults(order_no)
    function.simulator.script(order_no, "complete", **refusal(400, "INVALID_REQUEST", "订单已完结"))
    result = settle(function, event)
    assert (result["outcome"], result["evidence"]) == ("COMPLETED", "QUERY")


def test_a_refusal_stands_only_when_a_query_could_be_made(function: Function, order_no: str) -> None:
    event = finish(order_no, finish_ticket=opened(function, order_no))
    function.simulator.script(order_no, "complete", **refusal(400, "PARAM_ERROR"))
    function.simulator.script(order_no, "query", fault="unsigned", times=2)
    with pytest.raises(OutcomeUnknown):
        settle(function, event)


def test_what_refuses_the_completion_and_the_query_alike_proves_nothing(
    function: Function, order_no: str
) -> None:
    event = finish(order_no, finish_ticket=opened(function, order_no))
    function.simulator.script(order_no, "*", times=2, **refusal(400, "PARAM_ERROR"))
    with pytest.raises(OutcomeUnknown):
        settle(function, event)


def test_a_refusal_after_a_rejected_signature_is_judged_as_any_other(
    function: Function, order_no: str
) -> None:
    opened(function, order_no)
    function.simulator.script(order_no, "complete", fault="sign_error")
    result = settle(function, finish(order_no, finish_ticket="stale-ticket"))
    assert result["evidence"] == "REPLY"
    assert arrived(function, order_no) == ["complete", "complete", "query", "complete"]


def test_query_and_completion_share_one_forced_read_of_the_secret(function: Function, order_no: str) -> None:
    opened(function, order_no)
    function.simulator.script(order_no, "query", fault="sign_error")
    function.simulator.script(order_no, "complete", fault="sign_error", times=None)
    credentials, read = read_now(function), []
    merchant = Merchant(lambda: read.append("read") or credentials)
    with pytest.raises(MerchantMisconfigured):
        settle(function, finish(order_no), merchant)
    assert read == ["read", "read"]
    assert arrived(function, order_no) == ["query", "query", "complete"]


def test_no_mixture_of_cures_sends_more_than_three_completions(function: Function, order_no: str) -> None:
    opened(function, order_no)
    refused = refusal(400, "PARAM_ERROR", "校验完结凭证错误")
    for fault in (refused, {"fault": "sign_error"}, refused, {"fault": "sign_error"}):
        function.simulator.script(order_no, "complete", **fault)
    with pytest.raises(WeChatPayUnavailable):
        settle(function, finish(order_no, finish_ticket="t" * 20))
    assert arrived(function, order_no).count("complete") == 3


def test_results_and_all_that_makes_them_print_no_secret(function: Function, order_no: str) -> None:
    ticket = opened(function, order_no)
    wanted = order.parse(finish(order_no, finish_ticket=ticket), default_mchid=MCHID, now=datetime.now(UTC))
    merchant = Merchant(lambda: read_now(function))
    client = Client(SignedTransport(merchant, Transport()), function.simulator.hosts, Deadline(28.5))
    key = wanted.key(merchant.credentials)
    completion = Completion(wanted, key, client)
    credentials = merchant.credentials
    result = completion.run()
    assert isinstance(result, Result)
    for thing in (
        wanted,
        merchant,
        client,
        key,
        completion,
        credentials,
        credentials.signer,
        merchant.keyring,
        result,
    ):
        function.emitted += [repr(thing), str(thing)]
    assert function.secrets()
    assert function.leaks() == []
