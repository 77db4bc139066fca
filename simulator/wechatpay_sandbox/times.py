"""Time as WeChat Pay writes it: Asia/Shanghai, without a zone."""

import re
from datetime import datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
_TIME = re.compile(r"[0-9]{8}(?:[0-9]{6})?")


def shanghai(now: float, form: str = "%Y%m%d%H%M%S") -> str:
    """UNIX seconds as WeChat Pay writes time."""
    return datetime.fromtimestamp(now, SHANGHAI).strftime(form)


def from_shanghai(text: str) -> float:
    """UNIX seconds of a time as WeChat Pay writes it."""
    return datetime.strptime(text.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=SHANGHAI).timestamp()


def is_time(text: str) -> bool:
    """Tell whether a text is a real time in one of WeChat Pay's two formats."""
    if _TIME.fullmatch(text) is None:
        return False
    try:
        datetime.strptime(text.ljust(14, "0"), "%Y%m%d%H%M%S")  # noqa: DTZ007 - no zone in it
    except ValueError:
        return False
    return True
