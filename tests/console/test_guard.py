"""Who may see a page, and who may act: loopback, our own Origin, the token."""

import pytest

from tests.console.visitor import Visitor


def test_a_page_has_no_script_of_its_own_and_may_not_be_framed(visitor: Visitor) -> None:
    page = visitor.get("/")
    policy = page.headers["Content-Security-Policy"]
    assert page.status == 200
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "<script>" not in page.text
    assert " style=" not in page.text
    assert " onclick=" not in page.text


@pytest.mark.parametrize(
    "host", ["attacker.example", "attacker.example:80", "127.0.0.1", "127.0.0.1.attacker.example:1", ""]
)
def test_a_name_that_is_not_loopback_is_refused(visitor: Visitor, host: str) -> None:
    assert visitor.get("/", Host=host).status in (400, 421)


@pytest.mark.parametrize(
    "origin", ["https://attacker.example", "null", "http://127.0.0.1:1", "http://localhost"]
)
def test_another_site_may_not_even_read(visitor: Visitor, origin: str) -> None:
    assert visitor.get("/", Origin=origin).status == 403


def test_the_printed_address_gives_a_strict_cookie_and_drops_the_token(visitor: Visitor) -> None:
    page = visitor.get(f"/?token={visitor.token}&q=a")
    cookie = page.headers["Set-Cookie"]
    assert (page.status, page.headers["Location"]) == (303, "/?q=a")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_a_wrong_token_gives_no_cookie(visitor: Visitor) -> None:
    page = visitor.get("/?token=wrong")
    assert (page.status, page.headers["Set-Cookie"]) == (303, None)


@pytest.mark.parametrize("path", ["//attacker.example/", "/\\attacker.example"])
def test_nothing_leads_to_another_site(visitor: Visitor, path: str) -> None:
    for address in (f"{path}?token=wrong", f"/language/zh?back={path}"):
        there = visitor.get(address).headers["Location"] or "/"
        assert there.startswith("/")
        assert not there.startswith(("//", "/\\"))


def test_without_the_token_nothing_can_be_posted(visitor: Visitor) -> None:
    refused = visitor.post("/")
    assert (refused.status, "Read-only" in refused.text) == (403, True)


def test_without_our_origin_nothing_can_be_posted_in_spite_of_the_cookie(operator: Visitor) -> None:
    assert operator.ask("POST", "/").status == 403
    assert operator.post("/", Origin="https://attacker.example").status == 403
    assert operator.post("/").status == 405


def test_the_page_says_whether_one_may_act(visitor: Visitor, operator: Visitor) -> None:
    assert "Read-only" in visitor.get("/").text
    assert "Read-only" not in operator.get("/").text


def test_the_language_is_the_browsers_until_one_is_chosen(visitor: Visitor) -> None:
    assert 'lang="zh-CN"' in visitor.get("/", **{"Accept-Language": "fr, zh-CN;q=0.8, en;q=0.2"}).text
    assert 'lang="en"' in visitor.get("/", **{"Accept-Language": "en, zh;q=0.8"}).text
    chosen = visitor.get("/language/zh?back=/%3Fq=1")
    assert (chosen.status, chosen.headers["Location"]) == (303, "/?q=1")
    visitor.cookie = chosen.headers["Set-Cookie"].split(";")[0]
    assert 'lang="zh-CN"' in visitor.get("/").text
