"""`make doctor`: everything an order needs, checked line by line; each line says pass, or what to do."""

import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError
from wechatpay.credentials import Credentials
from wechatpay.errors import WeChatPayError

from operations import expiry, network, permissions
from operations.errors import CommandError, error_code
from operations.live_check import Recording, prove, read_credentials
from operations.merchant_files import now
from operations.report import Finding, failed, note, passed
from operations.staging import CURRENT, PENDING, StagedSecret, merchant_secret
from operations.target import Target

SECRET = "secret 商户凭证"  # noqa: S105 - a heading
_REACH_SECONDS = 5.0


def examine(
    target: Target, mchid: str, *, order: str | None = None, transport: Recording | None = None
) -> Iterator[Finding]:
    """Check the stack and one merchant. Later checks need not wait for earlier ones to pass.

    Args:
        order: an order that exists, for the signed query; without it one is asked for that cannot exist,
            which proves neither service_id nor appid.
    """
    carrier = transport or Recording()
    function = target.function
    yield _stack(target)
    secret = merchant_secret(target, mchid)
    described, credentials = None, None
    try:
        described = _described(secret)
        credentials = read_credentials(secret, mchid)
    except CommandError as exc:
        yield failed(SECRET, str(exc))
    if described is not None:
        yield from _secret(secret, mchid, described, credentials)
    for host in function.hosts:
        yield _reach(host, carrier)
    if function.subnets:
        yield from network.check(target.client("ec2"), function.subnets)
    if credentials is not None:
        yield from prove(credentials, function.hosts, carrier, order)
    if described is not None:
        yield from permissions.check(target, described)


def _stack(target: Target) -> Finding:
    arn = target.function.arn
    try:
        concurrency = target.client("lambda").get_function_concurrency(FunctionName=arn.rpartition(":")[0])
    except ClientError as exc:
        return note("stack 栈", f"{arn}: whether it is stopped was not checked ({error_code(exc)})")
    if concurrency.get("ReservedConcurrentExecutions") == 0:
        return failed(
            "stack 栈",
            f"{arn} is stopped, its reserved concurrency is 0: somebody did that on purpose. Orders wait; "
            "go on as the runbook says under Stop everything 已被人为停止，恢复方法见运维手册“全部停止”",
        )
    return passed("stack 栈", f"{target.stack_name}: {arn}")


def _described(secret: StagedSecret) -> dict[str, Any] | None:
    try:
        return secret.describe()
    except ClientError as exc:
        raise CommandError(
            f"{secret.name} cannot be described ({error_code(exc)}): ask for secretsmanager:DescribeSecret"
        ) from exc


def _secret(
    secret: StagedSecret, mchid: str, described: dict[str, Any], credentials: Credentials | None
) -> Iterator[Finding]:
    if credentials is not None:
        yield passed(
            SECRET, f"{secret.name} is readable and well-formed, serial {credentials.signer.serial_no}"
        )
    serial_no = credentials.signer.serial_no if credentials else None
    yield expiry.judge(expiry.read(mchid, described), now(), serial_no)
    stages = described.get("VersionIdsToStages") or {}
    if any(PENDING in labels and CURRENT not in labels for labels in stages.values()):
        yield note(SECRET, "a rotation was not finished: run make secret again, it drops the pending version")


def _reach(host: str, transport: Recording) -> Finding:
    """Ask for anything: whatever is answered, the name, the way and the certificate of the host are good."""
    subject = f"host 域名 {host}"
    started = time.monotonic()
    try:
        reply = transport.send("HEAD", host, "/", {"User-Agent": "doctor"}, b"", _REACH_SECONDS)
    except WeChatPayError as exc:
        cause = exc.__cause__
        return failed(
            subject, f"{exc} ({_innermost(cause)}). Check DNS, firewall, proxy and TLS interception 网络不通"
        )
    milliseconds = (time.monotonic() - started) * 1000
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return note(subject, f"reachable, but answers HTTP {reply.status}: WeChat Pay may have an outage")
    how = "over TLS" if host.startswith("https:") else "without TLS (loopback)"
    return passed(subject, f"reachable {how} in {milliseconds:.0f} ms")


def _innermost(exc: BaseException | None) -> str:
    """Requests' errors wrap urllib3's, which wrap the one that says what happened."""
    while exc is not None and (exc.__cause__ or exc.__context__) is not None:
        exc = exc.__cause__ or exc.__context__
    return f"{type(exc).__name__}: {str(exc)[:120]}" if exc else "no detail"
