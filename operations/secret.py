"""`make secret`: store or rotate a merchant's secret, once it is proven against WeChat Pay."""

import getpass
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from wechatpay.credentials import parse

from operations import expiry, merchant_files, report
from operations.errors import CommandError
from operations.live_check import Recording, not_proven, prove
from operations.secret_builder import SecretInput, compose
from operations.staging import StagedSecret
from operations.terminal import console

_LONGEST_KEY_BYTES = 4096
_PROMPT = "APIv3 key APIv3密钥 (hidden 不显示; Enter keeps the present one 回车保留): "


def read_api_v3_key(descriptor: int | None) -> bytes:
    """Ask for the APIv3 key without showing it, or read it from a descriptor or redirected standard input.

    Never from an argument or the environment: both can be read by others on the machine. Empty keeps what the
    secret holds.
    """
    try:
        if descriptor is not None:
            key = os.read(descriptor, _LONGEST_KEY_BYTES)
        elif sys.stdin.isatty():
            key = getpass.getpass(_PROMPT).encode()
        else:
            key = sys.stdin.buffer.readline(_LONGEST_KEY_BYTES)
    except OSError as exc:
        raise CommandError(f"api_v3_key: cannot be read: {exc.strerror}") from exc
    return key.rstrip(b"\r\n")


def run(
    secret: StagedSecret,
    given: SecretInput,
    api_v3_key: bytes,
    hosts: Sequence[str],
    *,
    order: str | None = None,
    transport: Recording | None = None,
) -> None:
    """Check, stage, prove and promote. Raises `CommandError`, AWSCURRENT untouched, when a step fails."""
    described = secret.describe()
    value, certificate = compose(given, api_v3_key, secret.value() if described else None)
    carrier = transport or Recording()

    def proven(stored: dict[str, Any]) -> None:
        credentials = parse(json.dumps(stored), str(value["mchid"]))
        if not report.show(prove(credentials, hosts, carrier, order)):
            raise CommandError(
                "these credentials do not work, see above; orders are not affected 新凭证未生效"
            )

    console.print(f"merchant 商户 {value['mchid']}, serial {value['merchant_serial_no']}", soft_wrap=True)
    secret.store(value, proven, lambda text: console.print(text, soft_wrap=True))
    if certificate is not None:
        secret.tag(expiry.tags(certificate.serial_no, certificate.expires))
    report.show(_aftercare(secret, value, order))


def _aftercare(secret: StagedSecret, value: dict[str, Any], order: str | None) -> Iterator[report.Finding]:
    tagged = expiry.read(str(value["mchid"]), secret.describe() or {})
    yield expiry.judge(tagged, merchant_files.now(), str(value["merchant_serial_no"]))
    if order is None:  # said again: the last lines are read
        yield not_proven(parse(json.dumps(value), str(value["mchid"])))
