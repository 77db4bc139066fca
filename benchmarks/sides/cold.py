"""A cold start: says when the function was imported and when its first order was settled.

Its argument names one choice of the function's to undo before it starts, so that its worth shows; or `timed`,
which says what init spends its time on.
"""

import gc
import sys
import time
from typing import Any

at_init: dict[str, float] = {}


def collecting() -> None:
    """Leave the garbage collector on."""
    gc.enable()


def looking() -> None:
    """Let botocore look for every service there is."""
    import wechatpay.aws
    from botocore.loaders import Loader

    wechatpay.aws._Models = lambda _service: Loader()


def importing_x509() -> None:
    """Import what reads platform certificates."""
    from cryptography import x509  # noqa: F401


def timed() -> None:
    """Keep the times of what init does besides importing."""
    import ssl

    import botocore.session

    _timing(ssl, "create_default_context", "TLS context")
    _timing(botocore.session, "get_session", "Secrets Manager client")
    _timing(botocore.session.Session, "create_client", "Secrets Manager client")


def _timing(owner: Any, name: str, shown: str) -> None:
    work = getattr(owner, name)

    def measured(*args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return work(*args, **kwargs)
        finally:
            at_init[shown] = at_init.get(shown, 0.0) + (time.perf_counter() - started) * 1000

    setattr(owner, name, measured)


if sys.argv[1:]:
    import invocation.startup  # noqa: F401 - first, as in the function

    globals()[sys.argv[1]]()

import handler  # noqa: E402
from worker import answer  # noqa: E402

imported = time.monotonic()
handler.settle(0)
answer(imported=imported, done=time.monotonic(), at_init=at_init)
