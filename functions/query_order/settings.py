"""What the template configures, read once from the environment: the only module that knows `os.environ`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from wechatpay import hosts


@dataclass(frozen=True)
class Settings:
    """The function's configuration.

    Attributes:
        merchant_secret_prefix: what the names of merchants' secrets start with.
        wechatpay_hosts: base URLs without a trailing slash, main host first.
    """

    merchant_secret_prefix: str
    wechatpay_hosts: tuple[str, ...]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings.

        Raises:
            ValueError: a variable is missing, or a host is neither https nor http on loopback.
        """
        missing = [n for n in ("MERCHANT_SECRET_PREFIX", "WECHATPAY_HOSTS") if not environment.get(n)]
        if missing:
            raise ValueError(f"environment: {', '.join(missing)} must be set")
        return cls(
            merchant_secret_prefix=environment["MERCHANT_SECRET_PREFIX"],
            wechatpay_hosts=hosts.configured(environment["WECHATPAY_HOSTS"]),
        )
