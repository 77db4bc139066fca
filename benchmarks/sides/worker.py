"""What every Python side does: make the calls it is asked for and answer how long each took.

Knows the standard library only: it also runs on the interpreter of the functions.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

SETTINGS: dict[str, Any] = json.loads(os.environ.pop("BENCHMARK"))
_answers = os.fdopen(os.dup(1), "w")


def keep_output(path: str) -> None:
    """Send what this process prints from now on to a file, unbuffered, as Lambda takes it off a function."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(log, 1)
    os.close(log)
    sys.stdout.reconfigure(write_through=True)  # type: ignore[union-attr]


def answer(**fields: Any) -> None:
    """Say one line of JSON to whoever started this process."""
    _answers.write(json.dumps(fields) + "\n")
    _answers.flush()


def serve(call: Callable[[int], None], profile: Callable[[Callable[[], None]], Any] | None = None) -> None:
    """Make as many calls as each line of standard input says; `call` gets the number of the call."""
    made = 0
    answer(ready=True)
    for line in sys.stdin:
        asked = json.loads(line)
        milliseconds = []

        def work(first: int = made, count: int = asked["calls"], times: list[float] = milliseconds) -> None:
            for number in range(first, first + count):
                started = time.perf_counter()
                call(number)
                times.append((time.perf_counter() - started) * 1000)

        cpu = time.process_time()
        samples = profile(work) if profile is not None and asked.get("profile") else work()
        made += asked["calls"]
        answer(
            milliseconds=milliseconds,
            cpu_ms=(time.process_time() - cpu) * 1000,
            resident_bytes=resident_bytes(),
            profile=samples,
        )


def resident_bytes() -> int:
    """Memory this process holds now, in bytes."""
    with open("/proc/self/statm", encoding="utf-8") as statm:  # noqa: PTH123
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
