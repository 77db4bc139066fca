"""The control over HTTP: what is asked is checked, and every mistake is answered with its reason."""

import inspect
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn
from urllib.parse import unquote

from aiohttp import web

from wechatpay_sandbox.control import Control, NotThere
from wechatpay_sandbox.world_control import Json

PREFIX = "/simulator"
type Operation = Callable[..., Awaitable[Any]]


class HttpControl:
    """The operations under ``/simulator``, as JSON in and out. Browsers are refused: they send an Origin."""

    def __init__(self, control: Control, happened: Callable[[], None]) -> None:
        self._happened = happened
        c = control
        self._routes: list[tuple[str, re.Pattern[str], Operation]] = [
            (method, re.compile(PREFIX + path), operation)
            for method, path, operation in (
                ("PUT", r"/orders/(?P<out_order_no>[^/]+)", c.open_order),
                ("GET", r"/orders/(?P<out_order_no>[^/]+)", c.order),
                ("POST", r"/orders/(?P<out_order_no>[^/]+)/settle", c.settle_elsewhere),
                ("POST", r"/orders/(?P<out_order_no>[^/]+)/confirm", c.confirm),
                ("POST", r"/orders/(?P<out_order_no>[^/]+)/pay", c.pay),
                ("POST", r"/orders/(?P<out_order_no>[^/]+)/notice", c.send_notification),
                ("GET", r"/notifications", c.notifications),
                ("PUT", r"/purses/(?P<openid>[^/]+)", c.purse),
                ("GET", r"/ledger", c.ledger),
                ("GET", r"/tickets", c.tickets),
                ("GET", r"/requests", c.requests),
                ("POST", r"/faults", c.script),
                ("GET", r"/faults", c.pending_faults),
                ("DELETE", r"/faults", c.clear_faults),
                ("PUT", r"/chaos", c.chaos),
                ("PUT", r"/keys", c.set_keys),
                ("POST", r"/merchant-key", c.rotate_merchant_key),
                ("DELETE", r"/merchant-key/old", c.drop_old_merchant_keys),
                ("POST", r"/platform-certificate", c.rotate_platform_certificate),
                ("DELETE", r"/platform-certificate/oldest", c.drop_oldest_platform_certificate),
                ("PUT", r"/tolerated", c.tolerate),
                ("GET", r"/settings", c.settings),
                ("GET", r"/secret", c.secret),
                ("GET", r"/merchant-certificate", c.merchant_certificate),
                ("PUT", r"/hosts/(?P<index>[0-9])", c.set_host),
                ("PUT", r"/latency", c.set_latency),
                ("POST", r"/clock", c.advance),
                ("PUT", r"/clock", c.set_clock),
            )
        ]

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one control request: 200, 400 with the reason, 403 to a browser, 404."""
        if "Origin" in request.headers:
            return _json(403, {"error": "not for browsers"})
        route = self._route(request.method, request.rel_url.raw_path)
        if route is None:
            return _json(404, {"error": f"no such control: {request.method} {request.path}"})
        try:
            arguments = _document(await request.read()) | dict(request.query)
            return _json(200, await self._perform(*route, arguments))
        except NotThere as missing:
            return _json(404, {"error": str(missing)})
        except (ValueError, TypeError) as problem:
            return _json(400, {"error": str(problem)})
        except RecursionError:
            return _json(400, {"error": "the body is nested too deeply"})

    async def perform(self, method: str, path: str, arguments: Json) -> Any:
        """Do what a request asks for, without HTTP. Raises what the operation raises."""
        route = self._route(method, PREFIX + path)
        if route is None:
            raise NotThere(f"no such control: {method} {path}")
        return await self._perform(*route, arguments)

    def _route(self, method: str, raw_path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation of a method and a path, and the arguments that the path holds."""
        for its_method, pattern, operation in self._routes:
            match = pattern.fullmatch(raw_path)
            if match is not None and its_method == method:
                return operation, {name: unquote(value) for name, value in match.groupdict().items()}
        return None

    async def _perform(self, operation: Operation, place: Mapping[str, str], arguments: Json) -> Any:
        arguments |= place
        if "index" in arguments:
            arguments["index"] = int(arguments["index"])
        _check_arguments(operation, arguments)
        answer = await operation(**arguments)
        self._happened()
        return answer


def _check_arguments(operation: Operation, arguments: Mapping[str, Any]) -> None:
    """Say in words what an operation lacks or does not know."""
    known = inspect.signature(operation).parameters
    free = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in known.values())
    unknown = [name for name in arguments if name not in known and not free]
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(known) or 'nothing'}")
    lacking = [
        name
        for name, each in known.items()
        if each.default is inspect.Parameter.empty
        and each.kind is not inspect.Parameter.VAR_KEYWORD
        and name not in arguments
    ]
    if lacking:
        raise ValueError(f"missing: {', '.join(lacking)}")
    for name in ("replace", "up", "keep_old"):
        if name in known and not isinstance(arguments.get(name, False), bool):
            raise ValueError(f"{name} must be true or false")


def _document(body: bytes) -> Json:
    document = json.loads(body, parse_constant=_no_constant) if body else {}
    if not isinstance(document, dict):
        raise TypeError("the body must be a JSON object")
    json.dumps(document, ensure_ascii=False).encode()  # ValueError: half of a pair of surrogates
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _json(status: int, value: object) -> web.Response:
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    body = text.encode(errors="replace")  # what arrived may hold bytes that are no text
    return web.Response(status=status, body=body, content_type="application/json", charset="utf-8")
