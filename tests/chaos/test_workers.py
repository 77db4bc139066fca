"""Only the embedded AWS's own descendants are ever killed."""

import os
import random
import signal
import subprocess
import sys

import pytest

from chaos.workers import kill_one, workers

SLEEP = "import sys, time; print('up', flush=True); time.sleep(60)"
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {SLEEP!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
child.wait()
"""


@pytest.fixture
def server():
    """A process with one child."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], text=True, start_new_session=True, **pipes
    ) as parent:
        yield parent, int(parent.stdout.readline())
        os.killpg(parent.pid, signal.SIGKILL)


def test_a_descendant_is_found_and_killed_and_nothing_else(server):
    parent, child = server
    assert workers(parent.pid) == [child]
    assert kill_one(parent.pid, random.Random(1))
    while workers(parent.pid):
        pass
    assert parent.poll() is None
    assert not kill_one(parent.pid, random.Random(1))
