"""The oracle's WeChat Pay: what it takes once, what it takes again, and where every fen goes."""

from dataclasses import replace

import pytest

from simulation.oracle import FINISHED, OPEN, PAID, Asked, Divergence, Order

ASKED = Asked("complete", "smartretail-orders", 2, 1200, "{}", "ticket")
LATE = "20990101000000"


def an_order() -> Order:
    return Order("one", cap=50_000, opened_at=0.0, tickets={"ticket"})


def accepted() -> Order:
    order = an_order()
    order.apply(ASKED)
    return order


def test_a_completion_is_accepted_once_and_then_only_as_it_was():
    order = an_order()
    assert order.decide(ASKED, LATE) == "accepted"
    order.apply(ASKED)
    assert order.decide(ASKED, LATE) == "re-entered"
    assert order.decide(replace(ASKED, parameters="{1}"), LATE) == "refused"


@pytest.mark.parametrize(
    "asked",
    [
        replace(ASKED, amount=50_001),
        replace(ASKED, ticket="another"),
        replace(ASKED, end="20990101000001"),
        Asked("cancel", "smartretail-orders", 1, 0, "{}", reason="unused"),
    ],
)
def test_what_the_rules_refuse_is_refused(asked: Asked):
    assert an_order().decide(asked, LATE) == "refused"


def test_an_order_that_nobody_confirms_expires_after_an_hour():
    order = Order("one", 50_000, 0.0, state="CREATED")
    order.pass_time(3599.0)
    assert order.state == "CREATED"
    order.pass_time(3600.0)
    assert order.settled_as(1, 0)
    assert order.decide(ASKED, LATE) == "refused"


def test_every_accepted_fen_is_debited_open_waived_or_synced():
    order = accepted()
    assert (order.conserve(), order.open_amount) == (1200, 1200)
    order.waive(200)
    order.collected(300, 0, 5.0)
    assert (order.conserve(), order.open_amount, order.state) == (1200, 700, FINISHED)
    order.collected(300, 700, 9.0)
    assert (order.conserve(), order.state, order.paid_at) == (1200, PAID, 9.0)
    assert order.settled_as(2, 1200)


def test_money_that_nobody_asked_for_diverges():
    with pytest.raises(Divergence, match="without a completion"):
        an_order().collected(1, 0, 1.0)
    with pytest.raises(Divergence, match="more than was accepted"):
        accepted().collected(1201, 0, 1.0)
    order = accepted()
    order.collected(1200, 0, 1.0)
    with pytest.raises(Divergence):
        order.collected(2400, 0, 2.0)


def test_another_state_or_amount_than_is_possible_diverges():
    with pytest.raises(Divergence, match="only USER_ACCEPTED"):
        an_order().compare(FINISHED, 0)
    with pytest.raises(Divergence, match="1300 fen"):
        accepted().compare(FINISHED, 1300)
    an_order().compare(OPEN, 0)
