"""The processes that functions run in, found by their ancestry, and killed as a failing machine would."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from contextlib import suppress


def workers(server: int) -> list[int]:
    """Process ids of the functions that the embedded AWS with this process id runs: its descendants."""
    parents: dict[int, list[int]] = {}
    for line in _processes():
        process, parent, state = line.split()
        if not state.startswith("Z"):
            parents.setdefault(int(parent), []).append(int(process))
    descendants, waiting = [], [server]
    while waiting:
        children = parents.get(waiting.pop(), [])
        descendants += children
        waiting += children
    return sorted(descendants)


def kill_one(server: int, choose: random.Random) -> bool:
    """Kill one of them with SIGKILL, whatever it is doing. Returns whether there was one."""
    running = workers(server)
    if not running:
        return False
    with suppress(ProcessLookupError):
        os.kill(choose.choice(running), signal.SIGKILL)
    return True


def _processes() -> list[str]:
    listed = subprocess.run(["ps", "-axo", "pid=,ppid=,state="], check=True, text=True, capture_output=True)
    return listed.stdout.splitlines()
