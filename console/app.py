"""The console as a web application: what each address shows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from console import cabinet
from console.board import LOCAL, ON_AWS, Board
from console.guard import add_headers, guard, may_act
from console.live import prepare, stream
from console.needs import ACTIONS, Needs, StandsOtherwise
from console.pages import order_page, orders_page
from console.rendering import Renderer
from console.sandbox import Sandbox, SandboxError
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
        sandbox: the local WeChat Pay; None where the stack calls the real one.
    """

    target: Target
    token: str
    local: bool
    sandbox: Sandbox | None = None


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
    if console.sandbox is not None:
        app.router.add_get("/cabinet", shown(show_cabinet))
        app.router.add_post("/cabinet/{what:close|preset|crowd}", close_door)
    app.router.add_get("/language/{language}", set_language)
    app.router.add_static("/static", STATIC)
    return app


async def orders(request: web.Request) -> tuple[str, Mapping[str, Any]]:
    """Show the list of orders."""
    snapshot = await request.app[BOARD].after(0, 10)
    # Read after the orders: WeChat Pay is never behind what an order proved.
    return "orders", orders_page(snapshot, request.query, await ledger(request))


async def order(request: web.Request) -> tuple[str, Mapping[str, Any]]:
    """Show one order's life."""
    found = await asyncio.to_thread(
        order_page,
        request.app[CONSOLE].target,
        request.match_info["number"],
        request.query,
        request.app[BOARD],
    )
    number = request.match_info["number"]
    return "order", {
        **found,
        "entry": (await ledger(request) or {}).get(number),
        "wire": await wire(request, number),
    }


async def wire(request: web.Request, number: str) -> list[dict[str, Any]]:
    """Return what the sandbox recorded of an order; nothing where the stack calls the real WeChat Pay."""
    sandbox = request.app[CONSOLE].sandbox
    if sandbox is None:
        return []
    try:
        return await asyncio.to_thread(sandbox.wire, number)
    except SandboxError:
        return []


async def ledger(request: web.Request) -> Mapping[str, Mapping[str, Any]] | None:
    """Return WeChat Pay's own ledger; None where it cannot be seen."""
    sandbox = request.app[CONSOLE].sandbox
    if sandbox is None:
        return None
    try:
        return await asyncio.to_thread(sandbox.ledger)
    except SandboxError:
        return None


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


async def show_cabinet(_request: web.Request) -> tuple[str, Mapping[str, Any]]:
    """Show the cabinet."""
    known = {"goods": cabinet.GOODS, "presets": cabinet.presets(), "faults": cabinet.FAULTS}
    return "cabinet", {**known, "why": ""}


async def close_door(request: web.Request) -> web.StreamResponse:
    """Close a door, and show the order as it settles; or why it was not closed."""
    console, form = request.app[CONSOLE], await request.post()
    given = {name: str(value) for name, value in form.items()}
    assert console.sandbox is not None  # noqa: S101 - else there is no such address
    try:
        match request.match_info["what"]:
            case "close":
                events = [cabinet.bought(given)]
            case "preset":
                events = [cabinet.preset(given.get("preset", ""))]
            case _:
                events = list(cabinet.crowd())
        await asyncio.to_thread(
            cabinet.close_doors, console.target, console.sandbox, events, given.get("fault", "")
        )
    except (cabinet.NotAnOrder, SandboxError) as exc:
        name, values = await show_cabinet(request)
        text = request.app[RENDERER].page(name, {**common(request), **values, "why": str(exc)})
        return web.Response(text=text, content_type="text/html", status=409)
    wanted = quote(events[0]["out_order_no"]) if len(events) == 1 else "CAB-"
    raise web.HTTPSeeOther(f"/?q={wanted}")


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
        "sandboxed": console.sandbox is not None,
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
