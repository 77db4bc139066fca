"""What the template configures, read once from the environment: the only module that knows `os.environ`."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from wechatpay import hosts


class Settings(NamedTuple):
    """What the functions are configured with, each field by the variable of its name in capitals.

    Attributes:
        merchant_secret_prefix: what the names of merchants' secrets start with.
        wechatpay_hosts: base URLs without a trailing slash, main host first.
        default_mchid: the merchant of events that name none; empty when there is none.
        waiting_orders: name of the table of the orders the workflow waits for; empty where none is needed.
    """

    merchant_secret_prefix: str
    wechatpay_hosts: tuple[str, ...]
    default_mchid: str
    waiting_orders: str

    @classmethod
    def from_environment(cls, *needed: str, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings.

        Args:
            needed: variables that must be set beside those that every function needs.
            environment: where they are read from.

        Raises:
            ValueError: variables are missing or empty, or a host is neither https nor http on loopback.
        """
        required = ("MERCHANT_SECRET_PREFIX", "WECHATPAY_HOSTS", *needed)
        if missing := [name for name in required if not environment.get(name)]:
            raise ValueError(f"environment: {', '.join(missing)} must be set")
        return cls(
            environment["MERCHANT_SECRET_PREFIX"],
            hosts.configured(environment["WECHATPAY_HOSTS"]),
            environment.get("DEFAULT_MCHID", ""),
            environment.get("WAITING_ORDERS", ""),
        )
