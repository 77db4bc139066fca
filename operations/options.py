"""Options that several commands share, and how their text is read."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import typer
from wechatpay.forms import SHANGHAI

from operations.errors import CommandError
from operations.target import DEFAULT_STACK, Target

StackName = Annotated[str, typer.Option("--stack-name", envvar="STACK_NAME", help="CloudFormation stack 栈")]
Region = Annotated[
    str | None, typer.Option("--region", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="区域")
]
Profile = Annotated[
    str | None, typer.Option("--profile", envvar="AWS_PROFILE", help="credentials profile 凭证配置")
]
Mchid = Annotated[
    str | None, typer.Option("--mchid", help="merchant 商户号; default: of the files, or the stack's")
]
Order = Annotated[
    str | None, typer.Option("--order", help="ask about this order, which exists 用真实订单号查询")
]
Reasons = Annotated[
    list[str] | None, typer.Option("--reason", help="only this error or status, repeatable 按原因筛选")
]
Orders = Annotated[
    list[str] | None, typer.Option("--order", help="only this out_order_no, repeatable 按订单号筛选")
]
Mchids = Annotated[
    list[str] | None, typer.Option("--mchid", help="only this merchant, repeatable 按商户号筛选")
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", help="ended since: 2026-11-23T02:00 (local time), 02:00 (the last, in Shanghai), 3h, 2d"
    ),
]
Before = Annotated[str | None, typer.Option("--before", help="ended before, written like --since")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="show what would be done 仅演示")]
Rate = Annotated[float, typer.Option("--rate", min=0.01, max=100, help="calls a second 每秒次数")]

STACK = DEFAULT_STACK
_LONGEST_SHOWN = 40
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def moment(text: str | None, now: datetime) -> datetime | None:
    """Read a time: ISO 8601 (without a zone: this machine's), a time of day, or an age such as `3h`."""
    if not text:
        return None
    try:
        if text[-1:] in _UNITS and text[:-1].isdigit():
            return (now - timedelta(**{_UNITS[text[-1]]: int(text[:-1])})).astimezone()
        if text[2:3] == ":":
            return _latest(time.fromisoformat(text), now)
        written = datetime.fromisoformat(text)
        return written.astimezone(UTC).astimezone(written.tzinfo)  # UTC has no moment before year 1
    except (ValueError, OverflowError) as exc:
        shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
        raise CommandError(
            f"{shown!r} is no time: write 2026-11-23T02:00, 02:00, 30m, 3h or 2d 时间格式有误"
        ) from exc


def past(text: str | None, now: datetime) -> datetime | None:
    """Read the time to look back to. One that lies ahead would find nothing, as if there were nothing."""
    start = moment(text, now)
    if start is not None and start > now:
        raise CommandError(
            f"{zoned(start)} lies ahead, and here it is {zoned(now.astimezone())}: write the time of this "
            "machine's zone, or an age such as 3h 起始时间晚于当前时间，请按本机时区填写"
        )
    return start


def zoned(at: datetime) -> str:
    """Return a moment with its zone."""
    return f"{at:%Y-%m-%dT%H:%M %z}"


def _latest(of_day: time, now: datetime) -> datetime:
    """Return the last moment at which the clocks of its zone, by default Shanghai's, showed this time."""
    zone = of_day.tzinfo or SHANGHAI
    today = datetime.combine(now.astimezone(zone), of_day, zone)
    return today if today <= now else today - timedelta(days=1)


def existing(directory: Path | None, given: Path | None, name: str) -> Path | None:
    """Return the file given, else the one of that name in the directory when it is there."""
    if given is not None or directory is None:
        return given
    return directory / name if (directory / name).exists() else None


def target_of(stack_name: str, region: str | None, profile: str | None) -> Target:
    """Return the stack meant. Empty text, as Make passes it, counts as not given."""
    return Target(stack_name or STACK, region or None, profile or None)
