"""Server-sent events: the changing part of a page, sent when it has changed.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

_OPEN = web.AppKey("open_streams", set[asyncio.Task[Any]])


def prepare(app: web.Application) -> None:
    """Let the streams end when the application does: a browser keeps them open for ever."""
    app[_OPEN] = set()

    async def end(app: web.Application) -> None:
        streams = app[_OPEN]
        for task in list(streams):
            task.cancel()

    app.on_shutdown.append(end)


async def stream(request: web.Request, parts: AsyncIterator[str | None]) -> web.StreamResponse:
    """Send each part that differs from the one before, until the browser goes away.

    One that never reads holds up nobody else: its handler waits until it does, and renders nothing meanwhile.
    """
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a handler runs in one
    request.app[_OPEN].add(task)
    try:
        await response.prepare(request)
        sent = ""
        async for part in parts:
            if part is not None and part != sent:
                await response.write(f"data: {json.dumps(part)}\n\n".encode())
                sent = part
            else:
                await response.write(b": still here\n\n")  # finds out that nobody listens any more
    except ConnectionResetError:
        pass
    finally:
        request.app[_OPEN].discard(task)
    return response
