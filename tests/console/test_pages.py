"""The list of orders and the page of one, as they are served."""

import html
import shlex
from collections.abc import Callable
from urllib.parse import quote

import pytest
from wechatpay_sandbox import Simulator

from life import Execution
from tests.console.visitor import Visitor

HOSTILE = "<script>alert(1)</script>\"'\x1b[31m\u202e"


def test_the_list_shows_where_an_order_stands_as_it_changes(
    visitor: Visitor, settle: Callable[..., Execution], number: str
) -> None:
    parts = visitor.parts(f"/live/?q={quote(number)}")
    assert number not in next(parts)
    settle()
    part = next(part for part in parts if number in part and 'settled">paid<' in part)
    assert "¥3.00" in part
    assert "REPLY" in part


def test_the_list_is_filtered_and_searched(
    visitor: Visitor, settle: Callable[..., Execution], number: str
) -> None:
    settle(total_amount=301)
    find = f"q={quote(number)}"
    next(part for part in visitor.parts(f"/live/?{find}") if "INVALID_INPUT" in part)
    assert "INVALID_INPUT" in visitor.get(f"/?{find}&group=failed").text
    assert "No order matches." in visitor.get(f"/?{find}&group=settled").text
    assert "INVALID_INPUT" in visitor.get(f"/?{find}&group=no-such-group&page=9999").text


def test_an_order_shows_its_path_its_attempts_and_its_calls(
    visitor: Visitor, simulator: Simulator, settle: Callable[..., Execution], number: str
) -> None:
    simulator.script(number, fault="unavailable", times=2)  # of each host
    settle()
    page = visitor.order(number)
    assert page.status == 200
    assert '<g class="state lit"' in page.text
    assert '<path class="way lit"' in page.text
    for text in ("WeChatPayUnavailable", "NOT verified", "signature verified", "Order Paid", "2x · "):
        assert text in page.text


@pytest.mark.usefixtures("misconfigured")
def test_an_order_that_was_refused_shows_the_rule_and_its_source(visitor: Visitor, number: str) -> None:
    text = visitor.order(number).text
    assert "The rule that decided" in text
    assert "MISCONFIGURED" in text
    assert "source: " in text
    assert f"make redrive ORDER={shlex.quote(number)}" in html.unescape(text)


def test_an_order_that_nothing_knows_is_not_found(visitor: Visitor) -> None:
    page = visitor.order("nothing-knows-it")
    assert (page.status, "Nothing knows this order" in page.text) == (404, True)


def test_hostile_text_is_inert_and_tickets_are_masked(
    visitor: Visitor, settle: Callable[..., Execution], number: str
) -> None:
    settle(finish_ticket="a-ticket-nobody-may-see", metadata={HOSTILE: HOSTILE}, device=HOSTILE)
    text = visitor.order(number).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    for harmful in ("<script>alert", "\x1b", "\u202e", "a-ticket-nobody"):
        assert harmful not in text
    assert "***" in text


def test_an_order_is_followed_while_its_page_is_open(
    visitor: Visitor, settle: Callable[..., Execution], number: str
) -> None:
    parts = visitor.parts(f"/live/orders/{quote(number, safe='')}")
    assert "Nothing knows this order" in next(parts)
    settle()
    assert any("Order Paid" in part for part in parts)


def test_an_order_shows_what_went_over_the_wire_without_secrets(
    visitor: Visitor, simulator: Simulator, settle: Callable[..., Execution], number: str
) -> None:
    simulator.script(number, "complete", fault="wrong_signature")
    settle()
    text = visitor.order(number).text
    assert "as the sandbox saw it" in text
    assert 'POST complete</b> → 200 · <span class="bad">Injected fault: wrong_signature' in text
    assert "total_amount" in text
    assert "nonce_str=" not in text  # of Authorization
    assert not [ticket for ticket in simulator.tickets() if ticket in text]
