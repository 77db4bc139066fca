"""Sends what is in the outbox when it is due."""

import asyncio
import contextlib
from http.client import HTTPException

from wechatpay_sandbox.core import Core
from wechatpay_sandbox.outbox import Outgoing


async def send_due(core: Core, something: asyncio.Event, changed: asyncio.Event) -> None:
    """Send each notification when it is due, until cancelled.

    ``something`` is set when more may have come up; ``changed`` is set here when there is more to keep.
    """
    sending: set[asyncio.Task[None]] = set()
    while True:
        something.clear()
        for outgoing in core.outbox.due(core.now()):
            task = asyncio.create_task(_send(core, outgoing, changed))
            sending.add(task)
            task.add_done_callback(sending.discard)
            changed.set()
        next_at = core.outbox.next_at()
        wait = None if next_at is None else max(next_at - core.now(), 0.01)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(something.wait(), wait)


async def _send(core: Core, outgoing: Outgoing, changed: asyncio.Event) -> None:
    status = None
    with contextlib.suppress(OSError, ValueError, HTTPException):
        status, _ = await asyncio.to_thread(outgoing.notification.send, outgoing.url)
    core.outbox.answered(outgoing, status)
    changed.set()
