"""When merchants' certificates expire: tags beside the secret, so that watching needs no secret's value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from operations.report import Finding, failed, note, passed

EXPIRES_TAG = "certificate-expires"
SERIAL_TAG = "certificate-serial"
WARNING_DAYS = (30, 7, 1)
SUBJECT = "certificate 商户证书"
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Expiry:
    """What the tags of one merchant's secret say.

    Attributes:
        serial_no: of the certificate the date belongs to; a secret changed by hand may hold another.
        expires: None when no date is kept.
    """

    mchid: str
    serial_no: str
    expires: datetime | None


def tags(serial_no: str, expires: datetime) -> list[dict[str, str]]:
    """Return the tags to keep beside a secret that holds this certificate's key."""
    return [
        {"Key": EXPIRES_TAG, "Value": expires.astimezone(UTC).strftime(_FORMAT)},
        {"Key": SERIAL_TAG, "Value": serial_no},
    ]


def read(mchid: str, described: Mapping[str, Any]) -> Expiry:
    """Read the tags of a described or listed secret."""
    tagged = {tag["Key"]: tag["Value"] for tag in described.get("Tags") or []}
    try:
        expires = datetime.strptime(tagged.get(EXPIRES_TAG, ""), _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        expires = None
    return Expiry(mchid, tagged.get(SERIAL_TAG, ""), expires)


def every(secrets: Any, prefix: str) -> Iterator[Expiry]:
    """Read the tags of all merchants' secrets."""
    pages = secrets.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": [prefix]}])
    for page in pages:
        for listed in page["SecretList"]:
            mchid = listed["Name"].removeprefix(prefix)
            if listed["Name"].startswith(prefix) and mchid.isdigit():
                yield read(mchid, listed)


def judge(expiry: Expiry, now: datetime, serial_no: str | None = None) -> Finding:
    """Say how long the certificate is good for.

    Args:
        serial_no: the serial the secret holds, when it is known.
    """
    again = "run make secret with the certificate to keep its date"
    if expiry.expires is None:
        return note(SUBJECT, f"its expiry is not known: {again} 未记录到期日")
    if serial_no and serial_no.lstrip("0") != expiry.serial_no.upper().lstrip("0"):
        other = f"is of another certificate ({expiry.serial_no})" if expiry.serial_no else ""
        whose = other or "names no certificate"
        return note(SUBJECT, f"the date kept, {expiry.expires:%Y-%m-%d}, {whose}: {again} 到期日与证书未对应")
    days = (expiry.expires - now) / timedelta(days=1)
    date = f"{expiry.expires:%Y-%m-%d}"
    renew = "apply for a new one at 商户平台 → 账户中心 → API安全, then make secret with its files"
    if days <= 0:
        return failed(SUBJECT, f"expired on {date}: {renew} 证书已过期")
    if days <= WARNING_DAYS[1]:
        return failed(SUBJECT, f"expires in {days:.1f} days, on {date}: {renew} 证书即将过期")
    if days <= WARNING_DAYS[0]:
        return note(SUBJECT, f"expires in {days:.0f} days, on {date}: {renew} 证书即将过期")
    return passed(SUBJECT, f"valid until {date}, {days:.0f} days")
