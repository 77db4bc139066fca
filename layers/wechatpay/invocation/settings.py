"""What the template configures, read once from the environment: the only module that knows `os.environ`."""

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Self

from wechatpay import hosts


@dataclass(frozen=True)
class Settings:
    """What every function is configured with. One that needs more adds fields to a class of its own.

    A field is read from the variable of its name in capitals; one without a default must be set.

    Attributes:
        merchant_secret_prefix: what the names of merchants' secrets start with.
        wechatpay_hosts: base URLs without a trailing slash, main host first.
    """

    merchant_secret_prefix: str
    wechatpay_hosts: tuple[str, ...]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the settings.

        Raises:
            ValueError: variables are missing or empty, or a host is neither https nor http on loopback.
        """
        given: dict[str, Any] = {field.name: environment.get(field.name.upper(), "") for field in fields(cls)}
        required = [field.name for field in fields(cls) if field.default is MISSING]
        if missing := [name.upper() for name in required if not given[name]]:
            raise ValueError(f"environment: {', '.join(missing)} must be set")
        return cls(**given | {"wechatpay_hosts": hosts.configured(given["wechatpay_hosts"])})
