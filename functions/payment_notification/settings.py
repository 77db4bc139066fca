"""What the template configures, read once from the environment: the only module that knows `os.environ`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from invocation.variables import required
from wechatpay import hosts


@dataclass(frozen=True)
class Settings:
    """The function's configuration.

    Attributes:
        merchant_secret_prefix: what the names of merchants' secrets start with.
        wechatpay_hosts: base URLs without a trailing slash, main host first.
        waiting_orders: the table in which the workflow says which orders it waits for.
    """

    merchant_secret_prefix: str
    wechatpay_hosts: tuple[str, ...]
    waiting_orders: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings.

        Raises:
            ValueError: a variable is missing, or a host is neither https nor http on loopback.
        """
        prefix, wechatpay_hosts, table = required(
            environment, "MERCHANT_SECRET_PREFIX", "WECHATPAY_HOSTS", "WAITING_ORDERS"
        )
        return cls(
            merchant_secret_prefix=prefix,
            wechatpay_hosts=hosts.configured(wechatpay_hosts),
            waiting_orders=table,
        )
