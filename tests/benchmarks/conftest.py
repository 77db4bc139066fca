"""A deployed stack for the benchmarks of the workflow, shared by them."""

from collections.abc import Iterator

import pytest
from wechatpay_sandbox import Simulator

from benchmarks import local_stack
from local.stack import Stack


@pytest.fixture(scope="session")
def deployed() -> Iterator[tuple[Stack, Simulator]]:
    with local_stack.running() as running:
        yield running
