"""The deployed stack with a simulator, on the embedded AWS, for what is measured of the workflow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from wechatpay_sandbox import Simulator

from local.aws import EmbeddedAws
from local.stack import Stack, deploy_for


@contextlib.contextmanager
def running(wait_scale: float = 0.002) -> Iterator[tuple[Stack, Simulator]]:
    """Deploy the built template and keep it until the end. Shoppers pay at once; waits are scaled."""
    with Simulator(debit_after=0) as simulator, EmbeddedAws(wait_scale=wait_scale) as aws:
        yield deploy_for(simulator, aws.environment()), simulator
