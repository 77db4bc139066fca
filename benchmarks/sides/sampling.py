"""Where processor time goes: what runs at each millisecond of it. Costs little, so it distorts little."""

import signal
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

INTERVAL_SECONDS = 0.001
# The innermost frame of one of these names the part. Files of the standard library count for their caller.
_PARTS = (
    ("/wechatpay/signature.py", "signing the request (RSA)"),
    ("/wechatpay/verification.py", "verifying the reply (RSA)"),
    ("/ssl.py", "TLS: encrypt, write, read, decrypt"),
    ("/aws_lambda_powertools/metrics/", "Powertools Metrics"),
    ("/aws_lambda_powertools/logging/", "Powertools Logger"),
    ("/aws_lambda_powertools/", "Powertools, the rest"),
    ("/logging/__init__.py", "Powertools Logger"),
    ("/http/client.py", "http.client and urllib3"),
    ("/email/", "http.client and urllib3"),
    ("/urllib3/", "http.client and urllib3"),
    ("/requests/", "requests"),
    ("/http/cookiejar.py", "requests"),
    ("/wechatpay/transport.py", "our transport"),
    ("/wechatpay/connection.py", "our transport"),
    ("/wechatpay/", "our client"),
    ("/order.py", "our check of the event"),
    ("/invocation/", "our logs and metrics"),
    ("/CompleteOrderFunction/", "our function, the rest"),
)


def sampled(work: Callable[[], None]) -> dict[str, Any]:
    """Do the work and return how many samples fell on each part, and on each innermost function."""
    parts: Counter[str] = Counter()
    functions: Counter[str] = Counter()

    def sample(_number: int, frame: FrameType | None) -> None:
        if frame is not None:
            code = frame.f_code
            functions[f"{'/'.join(code.co_filename.split('/')[-2:])}:{code.co_name}"] += 1
            parts[_part(frame)] += 1

    signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)
    try:
        work()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return {"parts": dict(parts), "functions": dict(functions.most_common(15))}


def _part(frame: FrameType | None) -> str:
    while frame is not None:
        for mark, part in _PARTS:
            if mark in frame.f_code.co_filename:
                return part
        frame = frame.f_back
    return "elsewhere"
