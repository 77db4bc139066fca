"""Pages in a browser: AWS needs a signature, MiniStack takes anybody's call and answers CORS with `*`."""

from typing import Any

from hypercorn.typing import ASGIFramework

_LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")


def refuse(app: Any) -> ASGIFramework:
    """Answer 403 to pages in a browser: to a foreign Origin, and to a name that was rebound to loopback."""

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        headers = {name.lower(): value for name, value in scope.get("headers", ())}
        host = headers.get(b"host", b"127.0.0.1").decode("latin-1").rsplit(":", 1)[0]
        if scope["type"] == "lifespan" or (b"origin" not in headers and host in _LOOPBACK_HOSTS):
            await app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})

    return guarded
