"""Time as WeChat Pay writes it: Asia/Shanghai, without a zone."""

from datetime import datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


def shanghai(now: float, form: str = "%Y%m%d%H%M%S") -> str:
    """UNIX seconds as WeChat Pay writes time."""
    return datetime.fromtimestamp(now, SHANGHAI).strftime(form)


def from_shanghai(text: str) -> float:
    """UNIX seconds of a time as WeChat Pay writes it."""
    return datetime.strptime(text.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=SHANGHAI).timestamp()
