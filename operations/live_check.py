"""Proving credentials by calls that change nothing: WeChat Pay must accept our signature, and we its own."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from botocore.exceptions import BotoCoreError, ClientError
from wechatpay.credentials import Credentials, parse
from wechatpay.deadline import Deadline
from wechatpay.errors import (
    MerchantMisconfigured,
    ServiceError,
    Unverifiable,
    WeChatPayError,
)
from wechatpay.merchant import Merchant
from wechatpay.platform_certificates import PlatformCertificates
from wechatpay.signed_transport import SignedTransport
from wechatpay.transport import Reply, Transport

from operations import signed_query
from operations.errors import CommandError, error_code
from operations.order_query import SECONDS
from operations.report import Finding, failed, note, passed
from operations.signed_query import WHERE
from operations.staging import StagedSecret

IDENTIFIERS = "service_id, appid"
API_V3_KEY = "APIv3 key"
CLOCK = "clock 时钟"
_REFUSED_AFTER_SECONDS = 300.0
_NOTABLE_SECONDS = 30.0


class Recording(Transport):
    """A transport that remembers the last reply and when it came, to tell this clock from WeChat Pay's."""

    last: tuple[float, Reply] | None = None

    def send(
        self, method: str, host: str, target: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> Reply:
        """Send as `Transport` does."""
        reply = super().send(method, host, target, headers, body, timeout)
        self.last = (time.time(), reply)
        return reply


def read_credentials(secret: StagedSecret, mchid: str) -> Credentials:
    """Read a merchant's secret. Raises `CommandError` when it cannot be read or is malformed."""
    try:
        text = secret.text()
        if text is None:
            raise CommandError(
                f"there is no secret {secret.name}: store it with make secret 请先 make secret"
            )
        return parse(text, mchid)
    except MerchantMisconfigured as exc:
        raise CommandError(f"{exc}: store it again with make secret") from exc
    except ClientError as exc:
        raise CommandError(
            f"{secret.name} cannot be read ({error_code(exc)}: {exc.response['Error'].get('Message', '')}): "
            f"ask for secretsmanager:GetSecretValue{secret.decryption()}"
        ) from exc
    except BotoCoreError as exc:
        raise CommandError(f"{secret.name} cannot be read ({type(exc).__name__})") from exc


def not_proven(credentials: Credentials) -> Finding:
    """Say what asking for an order that cannot exist leaves open: it is unknown under any service_id."""
    names = f"service_id {credentials.service_id} and appid {credentials.appid}"
    if not (credentials.appid and credentials.service_id):
        return note(IDENTIFIERS, "not in the secret, so not proven: every order event must carry them 未验证")
    return note(
        IDENTIFIERS,
        f"service_id and appid not proven 未验证: {names} may be wrong, and then every order fails. "
        "make doctor ORDER=(an order that exists 真实订单号) proves them",
    )


def prove(
    credentials: Credentials, hosts: Sequence[str], transport: Recording, order: str | None = None
) -> Iterator[Finding]:
    """Make a signed query, and where WeChat Pay offers it the encrypted download; tell what they prove.

    Args:
        order: an order that exists; without it one is asked for that cannot exist.
    """
    yield signed_query.query(credentials, hosts, transport, order)
    if order is None:
        yield not_proven(credentials)
    yield _api_v3_key(credentials, hosts, transport)
    yield _clock(transport)


def _api_v3_key(credentials: Credentials, hosts: Sequence[str], transport: Transport) -> Finding:
    """Try the key on the platform certificates, which WeChat Pay encrypts with it, if it still has any."""
    alone = replace(credentials, public_key=None, public_key_id=None, certificates=())
    signed_transport = SignedTransport(Merchant(lambda: alone), transport)
    try:
        PlatformCertificates(signed_transport, hosts, Deadline(SECONDS)).require_one()
    except (MerchantMisconfigured, WeChatPayError) as exc:
        cause = exc.__cause__
        if isinstance(cause, Unverifiable):
            return failed(API_V3_KEY, f"{cause}. Set the key shown at {WHERE} → APIv3密钥")
        if isinstance(cause, ServiceError) and cause.problem.status == HTTPStatus.NOT_FOUND:
            return note(API_V3_KEY, "32 bytes; not proven: with the public key there is nothing to try it on")
        return note(API_V3_KEY, f"32 bytes; not tried: {exc}")
    return passed(API_V3_KEY, "decrypts the platform certificates")


def _clock(transport: Recording) -> Finding:
    if transport.last is None:
        return note(CLOCK, "not compared: no reply")
    at, reply = transport.last
    theirs = _time_of(reply)
    if theirs is None:
        return note(CLOCK, "not compared: the reply has no time")
    away = at - theirs
    difference = f"this clock is {abs(away):.0f} s {'ahead of' if away > 0 else 'behind'} WeChat Pay's"
    if abs(away) >= _REFUSED_AFTER_SECONDS:
        return failed(CLOCK, f"{difference}; 300 s are refused. Set it (NTP) and run this again")
    return (
        note(CLOCK, f"{difference}; set it (NTP)")
        if abs(away) > _NOTABLE_SECONDS
        else passed(CLOCK, difference)
    )


def _time_of(reply: Reply) -> float | None:
    timestamp = reply.headers.get("Wechatpay-Timestamp", "")
    if timestamp.isascii() and timestamp.isdigit():
        return float(timestamp)
    try:
        return parsedate_to_datetime(reply.headers.get("Date", "")).timestamp()
    except ValueError:
        return None
