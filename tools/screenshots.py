"""`make screenshots`: the pictures of README and docs, taken of the console over a stack started for it."""

from __future__ import annotations

import sys
import time
import urllib.parse
from pathlib import Path

from wechatpay_sandbox import Simulator

from console import cabinet
from console.sandbox import Sandbox
from local.pages import console_over_stack
from local.stack import Stack
from operations.target import Target
from tools.browser import Browser
from tools.sam import ROOT

IMAGES = ROOT / "docs/images"
LANGUAGES = {"en": "", "zh-CN": ".zh-CN"}
VIEWPORT = {"width": 1200, "height": 760}
_SECONDS = 120


def main() -> int:
    """Take every picture in both languages. Returns the exit status."""
    IMAGES.mkdir(exist_ok=True)
    with console_over_stack() as (url, stack, simulator), Browser() as browser:
        number = _orders(stack, simulator)
        for language, suffix in LANGUAGES.items():
            browser.open(locale=language, viewport=VIEWPORT)
            browser.goto(url)
            browser.wait("tbody tr:nth-child(20)")
            _take(browser, "console-orders", suffix)
            browser.goto(f"{url.partition('/?')[0]}/orders/{urllib.parse.quote(number)}")
            browser.wait("g.lit")
            _take(browser, "console-order", suffix)
    return 0


def _orders(stack: Stack, simulator: Simulator) -> str:
    """Settle a crowd and an order whose replies are lost; returns its number."""
    target, sandbox = Target(stack.name), Sandbox(simulator.control_url)
    interrupted = cabinet.bought({"water": "2", "sandwich": "1"})
    cabinet.close_doors(target, sandbox, list(cabinet.crowd()), "")
    cabinet.close_doors(target, sandbox, [cabinet.bought({"water": "1"})], "no_auth")
    simulator.script(interrupted["out_order_no"], "complete", fault="unavailable", times=1)
    cabinet.close_doors(target, sandbox, [interrupted], "unavailable")
    until = time.monotonic() + _SECONDS
    client = stack.client("stepfunctions")
    while time.monotonic() < until:
        listed = client.list_executions(stateMachineArn=target.whole_state_machine)["executions"]
        if len(listed) > cabinet.AT_ONCE and all(each["status"] != "RUNNING" for each in listed):
            break
        time.sleep(0.5)
    return str(interrupted["out_order_no"])


def _take(browser: Browser, name: str, suffix: str) -> None:
    path: Path = IMAGES / f"{name}{suffix}.png"
    browser.screenshot(path)
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
