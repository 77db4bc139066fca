"""Where WeChat Pay is: only hosts from configuration, only over TLS, except on this machine."""

import re
from collections.abc import Callable, Iterable

# A host that failed is tried after the others for so long, then first again: the main host is the main host.
FAILED_SECONDS = 60.0
_HOST = re.compile(
    r"(https://[A-Za-z0-9.\-]+(:[0-9]{1,5})?|http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?)/?"
)


def configured(hosts: str) -> tuple[str, ...]:
    """Return base URLs without a trailing slash, main host first.

    Args:
        hosts: base URLs, separated by commas.

    Raises:
        ValueError: one is neither https nor http on loopback, or has a path.
    """
    urls = tuple(host.strip() for host in hosts.split(","))
    for host in urls:
        if not _HOST.fullmatch(host):
            raise ValueError(f"WECHATPAY_HOSTS: {host!r} must be https://host, or http:// on loopback")
    return tuple(host.rstrip("/") for host in urls)


class FailedHosts:
    """What this process remembers of hosts that failed, so that the next order starts at a good one.

    Args:
        clock: UNIX seconds. Not the monotonic clock, which stands still while Lambda freezes a function.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed_at: dict[str, float] = {}

    def add(self, host: str) -> None:
        """Remember that this host has failed just now."""
        self._failed_at[host] = self._clock()

    def last(self, hosts: Iterable[str]) -> list[str]:
        """Return these hosts in their order, those that failed of late behind the others, the latest last."""
        now = self._clock()
        failed_at = {host: at for host, at in self._failed_at.items() if 0 <= now - at < FAILED_SECONDS}
        return sorted(hosts, key=lambda host: failed_at.get(host, float("-inf")))
