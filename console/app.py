"""The console as a web application: what each address shows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from console.board import LOCAL, ON_AWS, Board
from console.guard import add_headers, guard, may_act
from console.live import prepare, stream
from console.needs import ACTIONS, Needs, StandsOtherwise
from console.pages import order_page, orders_page
from console.rendering import Renderer
from console.words import LANGUAGES, Words, preferred
from operations.recovery import Did
from operations.target import Target

STATIC = Path(__file__).parent / "static"
LANGUAGE = "console_language"
_YEAR = 365 * 86400


@dataclass(frozen=True)
class Console:
    """What the pages are made from.

    Attributes:
        target: the stack.
        token: what allows to act.
        local: whether the stack is on this machine.
    """

    target: Target
    token: str
    local: bool


BOARD = web.AppKey("board", Board)
CONSOLE = web.AppKey("console", Console)
NEEDS = web.AppKey("needs", Needs)
RENDERER = web.AppKey("renderer", Renderer)
type Page = Callable[[web.Request], Awaitable[tuple[str, Mapping[str, Any]]]]


def make_app(console: Console) -> web.Application:
    """Return the application; it begins to read the stack when it starts."""
    app = web.Application(middlewares=[guard(console.token)], client_max_size=64 * 1024)
    app[CONSOLE] = console
    app[RENDERER] = Renderer()
    app[BOARD] = Board(console.target, LOCAL if console.local else ON_AWS)
    prepare(app)
    app.on_response_prepare.append(add_headers)
    app.cleanup_ctx.append(_reading)
    for path, page in (("/", orders), ("/orders/{number}", order)):
        app.router.add_get(path, shown(page))
        app.router.add_get(f"/live{path}", live(page))
    app[NEEDS] = Needs(console.target, (LOCAL if console.local else ON_AWS).seconds)
    app.router.add_get("/needs", shown(needs))
    app.router.add_get("/needs/confirm", shown(confirm))
    app.router.add_post("/needs/act", act)
    app.router.add_get("/language/{language}", set_language)
    app.router.add_static("/static", STATIC)
    return app


async def orders(request: web.Request) -> tuple[str, Mapping[str, Any]]:
    """Show the list of orders."""
    snapshot = await request.app[BOARD].after(0, 10)
    return "orders", orders_page(snapshot, request.query)


async def order(request: web.Request) -> tuple[str, Mapping[str, Any]]:
    """Show one order's life."""
    found = await asyncio.to_thread(
        order_page,
        request.app[CONSOLE].target,
        request.match_info["number"],
        request.query,
        request.app[BOARD],
    )
    return "order", found


async def needs(request: web.Request) -> tuple[str, Mapping[str, Any]]:
    """Show what needs someone."""
    listing = await asyncio.to_thread(request.app[NEEDS].listing)
    return "needs", {"listing": listing, "actions": ACTIONS}


async def confirm(request: web.Request) -> tuple[str, Mapping[str, Any]]:
    """Say what will be done, to what and where."""
    query = request.query
    chosen = await asyncio.to_thread(request.app[NEEDS].one, query.get("order", ""), query.get("arn", ""))
    action = ACTIONS[chosen.remedy] if chosen else ""
    return "confirm", {"chosen": chosen, "action": action, "why": "", "status": 200 if chosen else 409}


async def act(request: web.Request) -> web.StreamResponse:
    """Do what was confirmed, and show the order; or why it was not done."""
    form = await request.post()
    number, arn, action = (str(form.get(name, "")) for name in ("order", "arn", "action"))
    try:
        attempt = await asyncio.to_thread(request.app[NEEDS].act, number, arn, action)
    except StandsOtherwise:
        why = ""
    else:
        if attempt.did in (Did.STARTED, Did.ALREADY):
            raise web.HTTPSeeOther(f"/orders/{quote(number, safe='')}?mchid={quote(attempt.stuck.mchid)}")
        why = attempt.message
    values = {"chosen": None, "action": "", "why": why}
    text = request.app[RENDERER].page("confirm", {**common(request), **values})
    return web.Response(text=text, content_type="text/html", status=409)


def shown(page: Page) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the handler that answers with the whole page."""

    async def handler(request: web.Request) -> web.StreamResponse:
        name, values = await page(request)
        text = request.app[RENDERER].page(name, {**common(request), **values})
        return web.Response(text=text, content_type="text/html", status=int(values.get("status", 200)))

    return handler


def live(page: Page) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the handler that sends the changing part of the page whenever it has changed."""

    async def handler(request: web.Request) -> web.StreamResponse:
        async def parts() -> AsyncIterator[str]:
            version = 0
            while True:
                name, values = await page(request)
                yield request.app[RENDERER].part(name, {**common(request), **values})
                version = (await request.app[BOARD].after(version, 5)).version

        return await stream(request, parts())

    return handler


def common(request: web.Request) -> dict[str, Any]:
    """Return what every page needs."""
    console = request.app[CONSOLE]
    chosen = request.cookies.get(LANGUAGE, "")
    if chosen not in LANGUAGES:
        chosen = preferred(request.headers.get("Accept-Language", ""))
    path = request.path.removeprefix("/live")
    return {
        "words": Words(chosen),
        "path": path,
        "query": request.query_string,
        "live": f"/live{request.rel_url.raw_path.removeprefix('/live')}",
        "may_act": may_act(request, console.token),
        "local": console.local,
        "target": str(console.target),
    }


async def set_language(request: web.Request) -> web.StreamResponse:
    """Keep the language chosen, and go back to the page it was chosen on."""
    language = request.match_info["language"]
    if language not in LANGUAGES:
        raise web.HTTPNotFound
    there = "/" + request.query.get("back", "/").lstrip("/\\")
    response = web.HTTPSeeOther(there)
    response.set_cookie(LANGUAGE, language, max_age=_YEAR, httponly=True, samesite="Strict", path="/")
    raise response


async def _reading(app: web.Application) -> AsyncIterator[None]:
    reading = asyncio.create_task(app[BOARD].run())
    yield
    reading.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await reading
