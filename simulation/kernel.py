"""Virtual time, and whose turn it is: many processes in one thread, the same for the same seed.

A process is a greenlet: ordinary blocking code that gives up its turn where it would wait. Turns go by time,
then by the order in which they were asked for, so that nothing but the seed decides what happens next.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from random import Random
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet


class Killed(GreenletExit):
    """The process ends where it stands, as a function does that Lambda kills."""


class Signal:
    """Something to wait for: set once, with a value."""

    def __init__(self) -> None:
        self.is_set = False
        self.value: Any = None
        self.waiting: list[Callable[[], None]] = []

    def set(self, value: Any = None) -> None:
        """Let all go on that wait; a second time changes nothing."""
        if not self.is_set:
            self.is_set, self.value = True, value
            waiting, self.waiting = self.waiting, []
            for wake in waiting:
                wake()


class Kernel:
    """The clock and the order of turns.

    Attributes:
        now: virtual UNIX seconds.
        random: the only source of randomness there is.
    """

    def __init__(self, random: Random, now: float) -> None:
        self.now = now
        self.random = random
        self._turns: list[tuple[float, int, Callable[[], None]]] = []
        self._asked = 0
        self.crashed: BaseException | None = None
        self._scheduler = getcurrent()

    def at(self, moment: float, work: Callable[[], None]) -> None:
        """Do something at a moment; now when it has passed."""
        self._asked += 1
        heapq.heappush(self._turns, (max(moment, self.now), self._asked, work))

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        """Do something in so many seconds."""
        self.at(self.now + seconds, work)

    def spawn(self, work: Callable[[], Any], *, after: float = 0.0) -> Process:
        """Start a process in so many seconds; its first turn comes after those already asked for."""
        return Process(self, work, after)

    def sleep(self, seconds: float) -> None:
        """Give up the turn of this process for so long."""
        current = getcurrent()
        self.after(seconds, lambda: _go_on(current))
        self._scheduler.switch()

    def wait(self, signal: Signal, seconds: float) -> bool:
        """Give up the turn until the signal is set, for so long at most. False when it was not."""
        if signal.is_set:
            return True
        current, over = getcurrent(), [False]

        def wake() -> None:
            if not over[0]:
                over[0] = True
                _go_on(current)

        signal.waiting.append(lambda: self.at(self.now, wake))
        self.after(seconds, wake)
        self._scheduler.switch()
        return signal.is_set

    def run(self) -> None:
        """Take turns until nobody asks for one. Raises what a process raised that nobody waited for."""
        while self._turns:
            self.now, _, work = heapq.heappop(self._turns)
            work()
            if self.crashed is not None:
                raise self.crashed


class Process:
    """Blocking code with turns of its own.

    Attributes:
        ended: set with what it returned, or with what it raised.
        forgotten: whoever waited for it has given up, and what it raises is nobody's concern.
    """

    def __init__(self, kernel: Kernel, work: Callable[[], Any], after: float = 0.0) -> None:
        self.ended = Signal()
        self.forgotten = False
        self._kernel = kernel
        self._work = work
        self._greenlet = greenlet(self._run, parent=kernel._scheduler)
        kernel.after(after, self._greenlet.switch)

    def kill(self) -> None:
        """End it where it waits; nothing that it holds is given back."""
        self._kernel.at(self._kernel.now, self._end)

    def _end(self) -> None:
        if not self._greenlet.dead:
            self._greenlet.throw(Killed)

    def _run(self) -> None:
        try:
            outcome = self._work()
        except Killed as exc:
            outcome = exc
        except Exception as exc:  # noqa: BLE001 - handed to whoever waits for this process
            outcome = exc
            if not self.ended.waiting and not self.forgotten:
                self._kernel.crashed = exc
        self.ended.set(outcome)


def _go_on(process: greenlet) -> None:
    if not process.dead:
        process.switch()
