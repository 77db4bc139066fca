"""The console as a web application: what each address shows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from console import shop
from console.board import LOCAL, ON_AWS, Board
from console.errors import error_page
from console.guard import add_headers, guard
from console.language import LANGUAGES
from console.live import prepare
from console.needs import Needs, StandsOtherwise
from console.pages import OrderTable, ask_wechat_pay, order_page, order_table, orders_page
from console.rendering import Renderer
from console.sandbox import Sandbox
from console.web import BOARD, CONSOLE, LANGUAGE, NEEDS, RENDERER, Console, from_sandbox, live, shown, whole
from operations.recovery import Did

STATIC = Path(__file__).parent / "static"
_YEAR = 365 * 86400
_HEARTBEAT = 5.0
# Logs reach CloudWatch a while after the call that they tell of.
_LATE = 15.0


@dataclass
class LatestTable:
    """The newest list, made once for all who look."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    latest: OrderTable | None = None


LATEST_TABLE = web.AppKey("latest_table", LatestTable)


def make_app(console: Console) -> web.Application:
    """Return the application; it begins to read the stack when it starts."""
    pace = LOCAL if console.local else ON_AWS
    app = web.Application(middlewares=[guard(console.token), error_page], client_max_size=64 * 1024)
    app[CONSOLE] = console
    app[RENDERER] = Renderer()
    app[BOARD] = Board(console.target, pace)
    app[LATEST_TABLE] = LatestTable()
    app[NEEDS] = Needs(console.target, pace.seconds)
    prepare(app)
    app.on_response_prepare.append(add_headers)
    app.cleanup_ctx.append(_reading)
    app.router.add_get("/", shown(orders))
    app.router.add_get("/live/", live(orders, list_changes))
    app.router.add_get("/orders/{number}", shown(order))
    app.router.add_get("/live/orders/{number}", live(order, order_changes))
    app.router.add_post("/orders/{number}/ask", ask)
    app.router.add_get("/needs", shown(needs))
    app.router.add_get("/needs/confirm", shown(confirm))
    app.router.add_post("/needs/act", act)
    if console.sandbox is not None:
        shop.add_to(app)
    app.router.add_get("/language/{language}", set_language)
    app.router.add_static("/static", STATIC)
    return app


async def orders(request: web.Request) -> tuple[str, Mapping[str, Any]]:
    """Show the list of orders."""
    snapshot = await request.app[BOARD].after(0, 10)
    made = request.app[LATEST_TABLE]
    async with made.lock:
        if made.latest is None or made.latest.snapshot is not snapshot:
            # Read after the orders: WeChat Pay is never behind what an order proved.
            ledger = await from_sandbox(request, Sandbox.ledger)
            made.latest = await asyncio.to_thread(order_table, snapshot, ledger)
        latest = made.latest
    return "orders", orders_page(latest, request.query)


async def list_changes(request: web.Request) -> AsyncIterator[bool]:
    """Tell when any order has changed."""
    board, version = request.app[BOARD], -1
    while True:
        snapshot = await board.after(version, _HEARTBEAT)
        yield snapshot.version != version
        version = snapshot.version


async def order(request: web.Request) -> tuple[str, Mapping[str, Any]]:
    """Show one order's life."""
    console, number = request.app[CONSOLE], request.match_info["number"]
    # A page that is open follows what the list knows: looking through the newest executions costs hundreds of
    # calls to Step Functions, whose limits the orders need themselves.
    board = request.app[BOARD]
    known: list[str] | None = board.executions_of(number)
    if not known and not request.path.startswith("/live/"):
        known = None
    values = await asyncio.to_thread(
        order_page, console.target, number, request.query, board, known, console.asked
    )
    entries = await from_sandbox(request, Sandbox.ledger)
    wire = await from_sandbox(request, lambda sandbox: sandbox.wire(number))
    return "order", {**values, "entry": (entries or {}).get(number), "wire": wire or []}


async def order_changes(request: web.Request) -> AsyncIterator[bool]:
    """Tell when one order has changed, and for a while after, as its last logs may be on their way."""
    board, number = request.app[BOARD], request.match_info["number"]
    loop, seen, version, until = asyncio.get_running_loop(), None, -1, 0.0
    while True:
        snapshot = await board.after(version, _HEARTBEAT)
        version = snapshot.version
        lives = [life for life in snapshot.lives if life.out_order_no == number]
        if lives != seen:
            seen, until = lives, loop.time() + _LATE
        yield loop.time() < until or any(run.running for life in lives for run in life.runs)


async def ask(request: web.Request) -> web.StreamResponse:
    """Ask WeChat Pay how an order stands, and show it on the order's page."""
    console, number = request.app[CONSOLE], request.match_info["number"]
    mchid = request.query.get("mchid", "")
    known = request.app[BOARD].executions_of(number) or None
    await asyncio.to_thread(ask_wechat_pay, console.target, number, mchid, known, console.asked)
    raise web.HTTPSeeOther(f"/orders/{quote(number, safe='')}?mchid={quote(mchid)}")


async def needs(request: web.Request) -> tuple[str, Mapping[str, Any]]:
    """Show what needs someone."""
    listing = await asyncio.to_thread(request.app[NEEDS].listing)
    return "needs", {"listing": listing}


async def confirm(request: web.Request) -> tuple[str, Mapping[str, Any]]:
    """Say what will be done, to what and where."""
    query = request.query
    chosen = await asyncio.to_thread(request.app[NEEDS].one, query.get("order", ""), query.get("arn", ""))
    action = chosen.remedy.command if chosen else ""
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
    return whole(request, "confirm", {"chosen": None, "action": "", "why": why}, 409)


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
