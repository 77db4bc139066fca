"""A deployed stack for the benchmarks of the workflow, shared by them."""

from collections.abc import Iterator

import pytest
from wechatpay_sandbox import Simulator

from benchmarks.workflow_cost import WAIT_SCALE
from local import stack
from local.stack import Stack


@pytest.fixture(scope="session")
def deployed() -> Iterator[tuple[Stack, Simulator]]:
    with stack.deployed(wait_scale=WAIT_SCALE) as deployed:
        yield deployed
