"""The cabinet: its door closes, the order is opened in the sandbox and Service Ended goes onto the bus."""

from urllib.parse import parse_qs, urlencode, urlsplit

from wechatpay_sandbox import Simulator

from tests.console.visitor import Visitor


def close(operator: Visitor, what: str = "close", **fields: str) -> str:
    """Close the door; returns what the list is searched for then."""
    done = operator.post(f"/cabinet/{what}", urlencode(fields))
    assert done.status == 303, done.text
    (wanted,) = parse_qs(urlsplit(done.headers["Location"]).query)["q"]
    return wanted


def settled(operator: Visitor, wanted: str, word: str = 'settled">paid<') -> str:
    return next(part for part in operator.parts(f"/live/?{urlencode({'q': wanted})}") if word in part)


def test_goods_taken_are_paid_and_the_ledger_agrees(operator: Visitor, simulator: Simulator) -> None:
    number = close(operator, water="2", sandwich="1")
    part = settled(operator, number)
    assert "¥12.50" in part
    assert simulator.order(number)["charged"] == 1250
    assert '<small class="good">agrees' in part
    assert "USER_PAID · ¥12.50 charged" in operator.order(number).text


def test_nothing_taken_cancels_the_order(operator: Visitor, simulator: Simulator) -> None:
    number = close(operator, water="0")
    settled(operator, number, 'settled">cancelled<')
    assert simulator.order(number)["charged"] == 0


def test_a_lost_reply_is_recovered_from_and_charged_once(operator: Visitor, simulator: Simulator) -> None:
    number = close(operator, water="1", fault="reset_after")
    assert "QUERY" in settled(operator, number)
    assert (simulator.order(number)["charged"], simulator.order(number)["debits"]) == (200, 1)


def test_a_preset_of_events_is_sent_as_it_is(operator: Visitor, simulator: Simulator) -> None:
    number = close(operator, "preset", preset="ticket_by_query")
    settled(operator, number)
    assert simulator.order(number)["charged"] == 1350


def test_twenty_shoppers_are_all_served(operator: Visitor, simulator: Simulator) -> None:
    before = {entry["out_order_no"] for entry in simulator.ledger()}
    wanted = close(operator, "crowd")
    new = {entry["out_order_no"] for entry in simulator.ledger()} - before
    assert len(new) == 20
    for part in operator.parts(f"/live/?q={wanted}"):
        if all(f">{number}</a>" in part for number in new) and "pill running" not in part:
            break
    assert all(simulator.order(number)["charged"] for number in new)


def test_what_cannot_be_bought_is_refused_in_words(operator: Visitor) -> None:
    for what, fields in (
        ("close", {"water": "-1"}),
        ("close", {"water": "9" * 99}),
        ("preset", {"preset": "../pyproject"}),
        ("close", {"water": "1", "fault": "no-such-fault"}),
    ):
        refused = operator.post(f"/cabinet/{what}", urlencode(fields))
        assert (refused.status, "Refused: " in refused.text) == (409, True)


def test_a_visitor_may_look_and_not_buy(visitor: Visitor) -> None:
    assert "disabled" in visitor.get("/cabinet").text
    assert visitor.post("/cabinet/crowd").status == 403
