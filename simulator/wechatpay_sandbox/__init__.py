"""A stand-in for WeChat Pay on a developer's machine: it verifies, decides, signs and misbehaves.

It shares no code with what it tests, and knows no project: any client may use it.
"""

from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from wechatpay_sandbox.simulator import Simulator

__all__ = ["APPID", "MCHID", "MODES", "SERVICE_ID", "Mode", "Simulator"]

MCHID = "1900000001"
APPID = "wxd678efh567hg6787"
SERVICE_ID = "500001"
Mode = Literal["public_key", "certificate", "both"]
"""What a merchant verifies replies with: WeChat Pay's public key, platform certificates, or both."""
MODES: tuple[Mode, ...] = get_args(Mode)


def __getattr__(name: str) -> Any:
    """Import the server when it is first asked for: `client` and the tables of rules and faults need none."""
    if name != "Simulator":
        raise AttributeError(name)
    from wechatpay_sandbox.simulator import Simulator

    return Simulator
