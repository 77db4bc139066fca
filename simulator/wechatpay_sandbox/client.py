"""The sandbox's control as methods, over HTTP for whatever runs in another process. Standard library only."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ControlError(RuntimeError):
    """The sandbox refused a control request, or does not answer. The message says why."""


class UnreachableError(ControlError):
    """The sandbox does not answer."""


class Client:
    """Calls of one sandbox's control. ``url`` is what it printed as ``control``."""

    def __init__(self, url: str, *, timeout: float = 60.0) -> None:
        self._url = url
        self._timeout = timeout

    def call(self, method: str, path: str, document: Mapping[str, Any] | None = None, **query: object) -> Any:
        """Make one call and return what it answers. Raises ControlError."""
        given = {name: value for name, value in query.items() if value is not None}
        url = f"{self._url}{path}{'?' + urlencode(given) if given else ''}"
        body = None if document is None else json.dumps(document).encode()
        headers = {"Content-Type": "application/json"} if body is not None else {}
        request = urllib.request.Request(url, body, headers, method=method)
        try:
            with _DIRECT.open(request, timeout=self._timeout) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as refused:
            with refused:
                text = refused.read().decode(errors="replace")
            raise ControlError(f"{method} {path}: {_reason(text)}") from refused
        except OSError as exc:
            raise UnreachableError(f"the sandbox does not answer at {self._url}: {exc}") from exc

    def open_order(self, out_order_no: str, **settings: Any) -> dict[str, Any]:
        """Put an order in the world, USER_ACCEPTED by default; returns its ledger entry."""
        return self._object("PUT", _order(out_order_no), settings)

    def order(self, out_order_no: str) -> dict[str, Any]:
        """One order as it truly stands."""
        return self._object("GET", _order(out_order_no))

    def settle_elsewhere(
        self, out_order_no: str, *, finish_type: int = 2, total_amount: int = 0
    ) -> dict[str, Any]:
        """Someone else finishes (2) or cancels (1) the order now."""
        completion = {"finish_type": finish_type, "total_amount": total_amount}
        return self._object("POST", f"{_order(out_order_no)}/settle", completion)

    def confirm(self, out_order_no: str) -> dict[str, Any]:
        """The shopper confirms a CREATED order."""
        return self._object("POST", f"{_order(out_order_no)}/confirm")

    def pay(self, out_order_no: str, amount: int | None = None) -> dict[str, Any]:
        """The shopper pays by hand: all, or of a serviceorder a part in fen."""
        return self._object("POST", f"{_order(out_order_no)}/pay", {"amount": amount})

    def purse(self, openid: str, balance: int | None) -> dict[str, Any]:
        """Set what a shopper's purse holds, in fen (None: no end); returns the purses that have an end."""
        return self._object("PUT", f"/purses/{quote(openid, safe='')}", {"balance": balance})

    def script(
        self,
        out_order_no: str | None = None,
        operation: str = "complete",
        *,
        fault: str,
        times: int | None = 1,
        **options: Any,
    ) -> None:
        """Plan a named fault (``fault_kinds.KINDS``) for the next calls on an order, or any order."""
        plan = {"out_order_no": out_order_no, "operation": operation, "fault": fault, "times": times}
        self.call("POST", "/faults", plan | options)

    def pending_faults(self) -> list[dict[str, Any]]:
        """The planned faults that have not happened yet."""
        return list(self.call("GET", "/faults"))

    def clear_faults(self, out_order_no: str | None = None) -> None:
        """Forget planned faults: all, or one order's."""
        self.call("DELETE", "/faults", out_order_no=out_order_no)

    def chaos(
        self, rate: float, seed: int = 0, kinds: Iterable[str | Mapping[str, Any]] | None = None
    ) -> None:
        """Throw faults at random at this rate; 0 stops it."""
        self.call("PUT", "/chaos", {"rate": rate, "seed": seed, "kinds": kinds})

    def advance(self, seconds: float) -> dict[str, Any]:
        """Move the orders' clock forward, so that debits become due without waiting."""
        return self._object("POST", "/clock", {"seconds": seconds})

    def set_clock(self, skew: float) -> None:
        """Let WeChat Pay's own clock be so many seconds ahead of the machine's, or behind."""
        self.call("PUT", "/clock", {"skew": skew})

    def set_host(self, index: int, *, up: bool) -> None:
        """Let the main host (0) or the backup (1) listen, or refuse connections."""
        self.call("PUT", f"/hosts/{index}", {"up": up})

    def set_latency(self, seconds: float) -> None:
        """Delay every reply by so many seconds, as distance would."""
        self.call("PUT", "/latency", {"seconds": seconds})

    def settings(self) -> dict[str, Any]:
        """How the world is set: its hosts, clocks, keys, purses, latency, and the rules lifted."""
        return self._object("GET", "/settings")

    def set_keys(self, mode: str) -> dict[str, Any]:
        """Move the merchant to certificate, both or public_key; returns the secret to store."""
        return self._object("PUT", "/keys", {"mode": mode})

    def rotate_merchant_key(self, *, keep_old: bool = False) -> dict[str, Any]:
        """A new merchant key; returns the secret to store. The old serial is refused at once unless kept."""
        return self._object("POST", "/merchant-key", {"keep_old": keep_old})

    def drop_old_merchant_keys(self) -> dict[str, Any]:
        """Refuse every serial but the newest; returns the secret."""
        return self._object("DELETE", "/merchant-key/old")

    def rotate_platform_certificate(self) -> dict[str, Any]:
        """A further platform certificate, preferred from now on; returns the secret to store."""
        return self._object("POST", "/platform-certificate")

    def drop_oldest_platform_certificate(self) -> dict[str, Any]:
        """The oldest platform certificate has expired: nothing is signed with it any more."""
        return self._object("DELETE", "/platform-certificate/oldest")

    def tolerate(self, *rules: str) -> list[str]:
        """Lift these rules and no others: names, or patterns; returns the names lifted."""
        return list(self.call("PUT", "/tolerated", {"rules": rules})["tolerated"])

    def tickets(self) -> list[str]:
        """Every finish_ticket that is valid or was."""
        return list(self.call("GET", "/tickets"))

    def ledger(self) -> list[dict[str, Any]]:
        """Every order as it truly stands."""
        return list(self.call("GET", "/ledger"))

    def requests(self, out_order_no: str | None = None, *, after: int = 0) -> list[dict[str, Any]]:
        """The latest requests that arrived, oldest first, with their answers; numbered above ``after``."""
        return list(self.call("GET", "/requests", out_order_no=out_order_no, after=after))

    def notifications(self, out_order_no: str | None = None) -> list[dict[str, Any]]:
        """What WeChat Pay sent of its own accord, with the attempts made and the last answer."""
        return list(self.call("GET", "/notifications", out_order_no=out_order_no))

    def secret(self) -> dict[str, Any]:
        """The merchant's secret."""
        return self._object("GET", "/secret")

    def merchant_certificate(self) -> str:
        """The merchant's API certificate as PEM."""
        return str(self.call("GET", "/merchant-certificate"))

    def _object(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return dict(self.call(method, path, document))


def _order(out_order_no: str) -> str:
    return f"/orders/{quote(out_order_no, safe='')}"


def _reason(text: str) -> str:
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return text
