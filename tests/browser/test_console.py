"""The console in a real browser, `make browser`: scripts, live updates and appearance."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from wechatpay_sandbox import Simulator

from life import Execution
from tests.console.conftest import stack, url
from tests.stack import misconfigured, number, settle, simulator
from tools.browser import Browser

__all__ = ["misconfigured", "number", "settle", "simulator", "stack", "url"]
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture(scope="session")
def started() -> Iterator[Browser]:
    with Browser() as running:
        yield running


@pytest.fixture
def browser(started: Browser, url: str) -> Iterator[Browser]:
    """A new visitor who opened the printed address; a page may show no error and open no dialog."""
    started.open()
    assert started.goto(url) == 200
    yield started
    assert started.problems() == []


def at(url: str, path: str) -> str:
    return f"{url.partition('/?')[0]}{path}"


def order(url: str, number: str) -> str:
    return at(url, f"/orders/{quote(number, safe='')}")


def test_the_list_fills_while_orders_settle(
    browser: Browser, settle: Callable[..., Execution], url: str, number: str
) -> None:
    assert "token" not in browser.url()
    browser.goto(at(url, f"/?q={quote(number)}"))
    assert browser.texts("tbody tr") == []
    settle()
    browser.wait("tbody tr .pill.settled")
    assert number in browser.text("tbody tr")


def test_a_fault_shows_as_a_retry_and_then_success(
    browser: Browser, simulator: Simulator, settle: Callable[..., Execution], url: str, number: str
) -> None:
    simulator.script(number, fault="unavailable", times=2)  # of each host
    settle()
    browser.goto(order(url, number))
    assert browser.texts(".attempts .bad") == ["WeChatPayUnavailable"]
    assert browser.texts(".attempts .good") == ["✓"]
    lit = browser.texts("g.lit .name")
    assert {"ServiceEnded", "OrderCompleted", "OrderPaid", "Completed"} <= set(lit)
    assert "OrderCancelled" not in lit


def test_hostile_text_is_inert(
    browser: Browser, settle: Callable[..., Execution], url: str, number: str
) -> None:
    settle(metadata={HOSTILE: HOSTILE})
    browser.goto(order(url, number))
    assert HOSTILE in browser.text("pre")
    assert browser.evaluate("document.images.length") == 0


def test_the_other_language_is_one_click_away_and_stays(browser: Browser, url: str) -> None:
    browser.click("text=中文")
    assert browser.text("h1") == "订单"
    browser.goto(at(url, "/"))
    assert browser.attribute("html", "lang") == "zh-CN"
    browser.open(locale="zh-CN")
    browser.goto(at(url, "/"))
    assert browser.text("h1") == "订单"


def test_dark_mode_has_colours_of_its_own(browser: Browser, url: str) -> None:
    seen = set()
    for scheme in ("light", "dark"):
        browser.open(colorScheme=scheme)
        browser.goto(at(url, "/"))
        seen.add(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(seen) == 2


def test_a_narrow_screen_needs_no_scrolling_sideways(
    browser: Browser, settle: Callable[..., Execution], url: str, number: str
) -> None:
    settle(metadata={"long": "x" * 300})
    browser.open(viewport={"width": 320, "height": 700})
    for address in (at(url, "/"), order(url, number), at(url, "/cabinet"), at(url, "/sandbox")):
        browser.goto(address)
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), address


def test_the_keyboard_keeps_its_order_when_the_list_changes(
    browser: Browser, settle: Callable[..., Execution], url: str, number: str
) -> None:
    settle()
    browser.goto(at(url, f"/?q={quote(number)}"))
    browser.wait("tbody a")
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.className") == "skip"
    browser.evaluate("document.querySelector('tbody a').focus()")
    before = browser.attribute("[data-live]", "data-updates")
    settle(out_order_no=f"{number[:20]}-2", total_amount=301)
    browser.wait(f"[data-live]:not([data-updates='{before}'])")
    assert browser.evaluate("document.activeElement.textContent") == number
    browser.press("Enter")
    browser.wait("svg.workflow")
    assert re.search("/orders/", browser.url())


def test_a_redrive_asks_first(
    browser: Browser, simulator: Simulator, misconfigured: Execution, url: str, number: str
) -> None:
    arn = misconfigured.arn
    browser.goto(at(url, f"/needs/confirm?order={quote(number, safe='')}&arn={quote(arn)}"))
    assert "account 000000000000" in browser.text("main")
    assert simulator.order(number)["accepted"] == 0
    browser.click("button.primary")
    browser.wait(".standing .pill.settled")
    assert simulator.order(number)["accepted"] == 1


def test_a_door_is_closed_and_the_order_becomes_paid(browser: Browser, url: str) -> None:
    browser.goto(at(url, "/cabinet"))
    browser.select("form[action='/cabinet/close'] select", "unavailable")
    browser.click("form[action='/cabinet/close'] button")
    browser.wait("tbody .pill.settled")
    browser.click("tbody a")
    browser.wait("svg.workflow")
    assert "OrderPaid" in browser.texts("g.lit .name")


def test_a_fault_armed_in_the_sandbox_is_listed_while_its_form_stays(
    browser: Browser, simulator: Simulator, url: str, number: str
) -> None:
    browser.goto(at(url, "/sandbox"))
    browser.wait("[data-updates]")
    browser.fill("form[action='/sandbox/open'] input", "typed-and-not-sent")
    simulator.script(number, "complete", fault="no_auth")
    browser.wait("[data-part='faults'] b")
    assert browser.text("[data-part='faults'] b") == "no_auth"
    typed = "document.querySelector(\"form[action='/sandbox/open'] input\").value"
    assert browser.evaluate(typed) == "typed-and-not-sent"
    browser.click("[data-part='faults'] button")
    browser.wait("[data-part='faults'] .empty")
    assert simulator.pending_faults() == []


def test_a_button_queries_an_order(
    browser: Browser, settle: Callable[..., Execution], url: str, number: str
) -> None:
    settle()
    browser.goto(order(url, number))
    browser.click("#asked button")
    browser.wait("#asked .answer")
    assert "USER_PAID" in browser.text("#asked .answer")
