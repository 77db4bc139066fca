"""What a page says when something is not as it should be: the reason in words, never a traceback."""

from aiohttp import web
from aiohttp.typedefs import Handler
from botocore.exceptions import BotoCoreError, ClientError

from console.web import whole
from operations.errors import CommandError


@web.middleware
async def error_page(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with a page where no page was found, or the stack could not be read."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return whole(request, "error", {"why": "404", "status": 404}, 404)
    except CommandError as exc:
        return whole(request, "error", {"why": str(exc)}, 409)
    except (ClientError, BotoCoreError) as exc:
        return whole(request, "error", {"why": f"{type(exc).__name__}: {exc}"}, 502)
