"""Checks the signature of a request as WeChat Pay's gateway does, by rules with names and sources."""

import re
from collections.abc import Callable
from typing import Any

from wechatpay_sandbox.arrivals import Request
from wechatpay_sandbox.keys import Keys
from wechatpay_sandbox.rules import Refusal, Rule
from wechatpay_sandbox.signing import SCHEME, fits

MAX_SKEW = 300
"""Seconds a request's timestamp may be away from now, either way."""

_FAQ = "V: https://wechatpay-api.gitbook.io, 签名相关问题"
_PAIR = re.compile(r'([a-z_]+)="([^"]*)"')
_PAIRS = re.compile(r'[a-z_]+="[^"]*"(?:, ?[a-z_]+="[^"]*")*')
_EXPECTED = frozenset({"mchid", "nonce_str", "timestamp", "serial_no", "signature"})


def _rule(source: str, reason: str, message: str) -> Rule:
    return Rule(source, reason, message, 401, "SIGN_ERROR", firm=True, gateway=True)


SIGNATURE_RULES = {
    "signature.scheme": _rule(
        _FAQ,
        f"the header Authorization must begin with {SCHEME}",
        f"Http头Authorization认证类型不正确，目前仅支持{SCHEME}",
    ),
    "signature.form": _rule(
        f"{_FAQ}; T: probed",
        "Authorization must hold mchid, nonce_str, timestamp, serial_no and signature, each once, in quotes",
        "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》",
    ),
    "signature.mchid": _rule(
        "I: what an unknown merchant is told is on no page",
        "mchid in Authorization is not the merchant this sandbox knows",
        "商户号不存在或与证书不符",
    ),
    "signature.timestamp_form": _rule(
        "V: UNIX seconds; I: the answer",
        "timestamp in Authorization must be UNIX seconds",
        "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》",
    ),
    "signature.timestamp": _rule(
        f"{_FAQ}; T: probed: looked at before the signature",
        "timestamp in Authorization is more than 300 seconds from WeChat Pay's clock",
        "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟",
    ),
    "signature.nonce_length": _rule(
        "I: at most 32, as serviceorder's other random texts; no page was found",
        "nonce_str in Authorization must have 1 to 32 characters",
        "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》",
    ),
    "signature.serial_no": _rule(
        "V: https://pay.weixin.qq.com/doc/v3/merchant/4012365345",
        "serial_no in Authorization is of no certificate of this merchant: an old or another one",
        "商户证书序列号有误。请使用签名私钥匹配的证书序列号",
    ),
    "signature.value": _rule(
        "V: https://pay.weixin.qq.com/doc/v3/merchant/4012365347",
        "the signature does not fit: other key, or method, path with query or body are not what was signed",
        "错误的签名，验签失败",
    ),
    "signature.nonce_repeated": _rule(
        "I: a nonce is good for one request",
        "nonce_str in Authorization was used before",
        "Http头Authorization中的nonce_str已被使用",
    ),
}


class Verifier:
    """Checks ``Authorization`` as WeChat Pay's gateway does; remembers nonces while they could return."""

    def __init__(self, keys: Keys, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._clock = clock
        self._nonces: dict[str, float] = {}
        self._next_sweep = 0.0

    def verify(self, authorization: str, request: Request) -> None:
        """Return when the request is the merchant's own and new; raise a 401 ``SIGN_ERROR`` otherwise."""
        claims = self._claims(authorization, request)
        if claims["mchid"] != self._keys.mchid:
            raise _sign_error("mchid", "mchid", request)
        now = self._clock()
        if not claims["timestamp"].isascii() or not claims["timestamp"].isdigit():
            raise _sign_error("timestamp_form", "timestamp", request)
        if abs(now - int(claims["timestamp"])) > MAX_SKEW:
            raise _sign_error("timestamp", "timestamp", request)
        if not 1 <= len(claims["nonce_str"]) <= 32:
            raise _sign_error("nonce_length", "nonce_str", request)
        key = self._keys.merchant_key(claims["serial_no"])
        if key is None:
            raise _sign_error("serial_no", "serial_no", request)
        text = request.signed_text(claims["timestamp"], claims["nonce_str"])
        if not fits(key, claims["signature"], text):
            raise _sign_error("value", "signature", request, text)
        self._refuse_replay(claims["nonce_str"], now, request)

    def _claims(self, authorization: str, request: Request) -> dict[str, str]:
        scheme, _, rest = authorization.partition(" ")
        if authorization and scheme != SCHEME:
            raise _sign_error("scheme", "authorization", request)
        pairs = _PAIR.findall(rest)
        if (
            _PAIRS.fullmatch(rest) is None
            or len(pairs) != len(_EXPECTED)
            or {k for k, _ in pairs} != _EXPECTED
        ):
            raise _sign_error("form", "authorization", request)
        return dict(pairs)

    def _refuse_replay(self, nonce: str, now: float, request: Request) -> None:
        if now > self._next_sweep:
            self._nonces = {n: until for n, until in self._nonces.items() if until > now}
            self._next_sweep = now + MAX_SKEW
        if nonce in self._nonces:
            raise _sign_error("nonce_repeated", "nonce_str", request)
        self._nonces[nonce] = now + 2 * MAX_SKEW


def _sign_error(name: str, field: str, request: Request, text: bytes | None = None) -> Refusal:
    """The refusal; its detail has the form that merchants have shown [T: wechatpayv3's issue 56]."""
    rule = SIGNATURE_RULES[f"signature.{name}"]
    information: dict[str, Any] = {"method": request.method, "url": request.target}
    if text is not None:
        information["sign_message_length"] = len(text)
        information["truncated_sign_message"] = text[: text.rindex(b"\n", 0, -1) + 1].decode(errors="replace")
    detail = {
        "field": field,
        "issue": "sign not match" if name == "value" else rule.message,
        "location": "authorization",
        "sign_information": information,
    }
    return Refusal(f"signature.{name}", rule, rule.message, detail)
