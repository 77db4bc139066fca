"""Where WeChat Pay is: only hosts from configuration, only over TLS, except on this machine."""

import re

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
    found = tuple(host.strip() for host in hosts.split(","))
    for host in found:
        if not _HOST.fullmatch(host):
            raise ValueError(f"WECHATPAY_HOSTS: {host!r} must be https://host, or http:// on loopback")
    return tuple(host.rstrip("/") for host in found)
