"""What the pages of the console share: how they are shown, followed and refused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from console.asked import Asked
from console.board import Board
from console.guard import may_act
from console.language import LANGUAGES, Words, preferred
from console.live import stream
from console.needs import Needs
from console.rendering import Renderer
from console.sandbox import Sandbox, SandboxError
from operations.target import Target

LANGUAGE = "console_language"


@dataclass(frozen=True)
class Console:
    """What the pages are made from.

    Attributes:
        token: what allows to act.
        local: whether the stack is on this machine.
        sandbox: the local WeChat Pay; None where the stack calls the real one.
        asked: what WeChat Pay answered when somebody asked it about an order.
    """

    target: Target
    token: str
    local: bool
    sandbox: Sandbox | None = None
    asked: Asked = field(default_factory=Asked)


BOARD = web.AppKey("board", Board)
CONSOLE = web.AppKey("console", Console)
NEEDS = web.AppKey("needs", Needs)
RENDERER = web.AppKey("renderer", Renderer)
type Page = Callable[[web.Request], Awaitable[tuple[str, Mapping[str, Any]]]]
type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
type Changes = Callable[[web.Request], AsyncIterator[bool]]


def shown(page: Page) -> Handler:
    """Return the handler that answers with the whole page."""

    async def handler(request: web.Request) -> web.StreamResponse:
        name, values = await page(request)
        return whole(request, name, values, int(values.get("status", 200)))

    return handler


def live(page: Page, changes: Changes) -> Handler:
    """Return the handler that sends the changing part of the page whenever it has changed.

    Args:
        page: what it holds.
        changes: tells True when the page may hold something new, False now and then when it does not.
    """

    async def handler(request: web.Request) -> web.StreamResponse:
        async def parts() -> AsyncIterator[str | None]:
            async for changed in changes(request):
                if changed:
                    name, values = await page(request)
                    yield request.app[RENDERER].part(name, {**common(request), **values})
                else:
                    yield None

        return await stream(request, parts())

    return handler


def whole(request: web.Request, name: str, values: Mapping[str, Any], status: int = 200) -> web.Response:
    """Return a whole page."""
    text = request.app[RENDERER].page(name, {**common(request), **values})
    return web.Response(text=text, content_type="text/html", status=status)


def common(request: web.Request) -> dict[str, Any]:
    """Return what every page needs."""
    console = request.app[CONSOLE]
    chosen = request.cookies.get(LANGUAGE, "")
    if chosen not in LANGUAGES:
        chosen = preferred(request.headers.get("Accept-Language", ""))
    path = request.path.removeprefix("/live")
    acts = may_act(request, console.token)
    return {
        "words": Words(chosen),
        "path": path,
        "query": request.query_string,
        "live": f"/live{request.rel_url.raw_path.removeprefix('/live')}",
        "may_act": acts,
        "disabled": "" if acts else " disabled",
        "local": console.local,
        "sandboxed": console.sandbox is not None,
        "target": str(console.target),
        "why": "",
    }


async def from_sandbox[T](request: web.Request, read: Callable[[Sandbox], T]) -> T | None:
    """Return what the sandbox tells; None where there is none, or where it does not answer."""
    sandbox = request.app[CONSOLE].sandbox
    if sandbox is None:
        return None
    try:
        return await asyncio.to_thread(read, sandbox)
    except SandboxError:
        return None
