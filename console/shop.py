"""The pages over a local stack alone: the cabinet, and the sandbox that plays WeChat Pay."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import web

from console import cabinet, world
from console.sandbox import Sandbox, SandboxError
from console.web import CONSOLE, live, shown, whole

_SECONDS = 1.0


def add_to(app: web.Application) -> None:
    """Add the addresses of both pages."""
    app.router.add_get("/cabinet", shown(show_cabinet))
    app.router.add_post("/cabinet/{what:close|preset|crowd}", close_door)
    app.router.add_get("/sandbox", shown(show_world))
    app.router.add_get("/live/sandbox", live(show_world, every_second))
    app.router.add_post(f"/sandbox/{{what:{'|'.join(world.NAMES)}}}", change_world)


async def show_cabinet(_request: web.Request) -> tuple[str, Mapping[str, Any]]:
    """Show the cabinet."""
    return "cabinet", {"goods": cabinet.GOODS, "presets": cabinet.presets(), "faults": cabinet.FAULTS}


async def close_door(request: web.Request) -> web.StreamResponse:
    """Close a door, and show the order as it settles; or why it was not closed."""
    console, given = request.app[CONSOLE], await _form(request)
    try:
        match request.match_info["what"]:
            case "close":
                events = [cabinet.bought(given)]
            case "preset":
                events = [cabinet.preset(given.get("preset", ""))]
            case _:
                events = list(cabinet.crowd())
        await asyncio.to_thread(
            cabinet.close_doors, console.target, _sandbox(request), events, given.get("fault", "")
        )
    except (cabinet.NotAnOrder, SandboxError) as exc:
        name, values = await show_cabinet(request)
        return whole(request, name, {**values, "why": str(exc)}, 409)
    wanted = quote(events[0]["out_order_no"]) if len(events) == 1 else "CAB-"
    raise web.HTTPSeeOther(f"/?q={wanted}")


async def show_world(request: web.Request) -> tuple[str, Mapping[str, Any]]:
    """Show the sandbox."""
    console = request.app[CONSOLE]

    def read(sandbox: Sandbox) -> dict[str, Any]:
        return {"world": sandbox.world(), "stored": world.is_stored(console.target, sandbox)}

    try:
        values = await asyncio.to_thread(read, _sandbox(request))
    except SandboxError as exc:
        values = {"world": None, "stored": True, "why": str(exc)}
    return "sandbox", {**values, **world.known()}


async def every_second(_request: web.Request) -> AsyncIterator[bool]:
    """Tell that the sandbox may have changed: it says nothing of its own accord."""
    while True:
        yield True
        await asyncio.sleep(_SECONDS)


async def change_world(request: web.Request) -> web.StreamResponse:
    """Do one thing to the sandbox and show it; or why it was not done."""
    console, what = request.app[CONSOLE], request.match_info["what"]
    try:
        await asyncio.to_thread(world.act, what, console.target, _sandbox(request), await _form(request))
    except (world.NotDone, SandboxError) as exc:
        name, values = await show_world(request)
        return whole(request, name, {**values, "why": str(exc)}, 409)
    raise web.HTTPSeeOther("/sandbox")


def _sandbox(request: web.Request) -> Sandbox:
    sandbox = request.app[CONSOLE].sandbox
    assert sandbox is not None  # noqa: S101 - else there are no such addresses
    return sandbox


async def _form(request: web.Request) -> dict[str, str]:
    return {name: str(value) for name, value in (await request.post()).items()}
