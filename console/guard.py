"""Who may see a page and who may act: loopback names only, our own Origin, and the token for acting.

A page of the web may make a browser send requests here (CSRF), or point a name of its own at 127.0.0.1 (DNS
rebinding). The Host check ends the second, Origin and a SameSite=Strict cookie the first.
"""

import secrets
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

COOKIE = "console_token"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_SAFE = ("GET", "HEAD")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not no-referrer: with that, browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def guard(token: str) -> Middleware:
    """Return the middleware that refuses what is not for us.

    Args:
        token: what the printed URL carries.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        host, _, port = request.host.rpartition(":")
        if host not in _LOOPBACK or not port.isdigit():
            raise web.HTTPMisdirectedRequest(text="This console answers on 127.0.0.1 only.\n")
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{request.host}":
            raise web.HTTPForbidden(text="Another site may not use this console.\n")
        given = request.query.get("token")
        if given is not None and request.method in _SAFE:
            return _signed_in(request, given, token)
        if request.method not in _SAFE:
            if origin is None:
                raise web.HTTPForbidden(text="A browser says its Origin; this request has none.\n")
            if not may_act(request, token):
                raise web.HTTPForbidden(text="Read-only: open the URL that was printed, with its token.\n")
        return await handler(request)

    return middleware


def may_act(request: web.Request, token: str) -> bool:
    """Whether the request carries the token."""
    return secrets.compare_digest(request.cookies.get(COOKIE, "").encode(), token.encode())


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Add what keeps a page from being framed, sniffed, cached, or running a script that is not ours."""
    response.headers.update(HEADERS)


def _signed_in(request: web.Request, given: str, token: str) -> web.StreamResponse:
    """Keep a right token in a cookie, and drop it from the address either way."""
    rest = [(name, value) for name, value in request.query.items() if name != "token"]
    # The path alone, begun by one slash: `//host` would lead somewhere else.
    path = "/" + request.rel_url.raw_path.lstrip("/")
    there = web.HTTPSeeOther(f"{path}?{urlencode(rest)}" if rest else path)
    if secrets.compare_digest(given.encode(), token.encode()):
        there.set_cookie(COOKIE, token, httponly=True, samesite="Strict", path="/")
    raise there
