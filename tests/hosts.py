"""Both hosts of a simulated WeChat Pay."""

from wechatpay_sandbox import Simulator


def set_hosts(simulator: Simulator, *, up: bool) -> None:
    """Let both hosts answer, or refuse connections."""
    for host in range(2):
        simulator.set_host(host, up=up)
