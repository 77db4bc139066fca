"""One time budget for everything an invocation does, so that nothing is killed while an answer is pending."""

import time
from collections.abc import Callable

# Kept for the answer itself: a function that Lambda kills while it answers has proven nothing.
ANSWER_SECONDS = 1.5


class Deadline:
    """A point in time, `seconds` from now, on a clock that does not jump."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock() + seconds

    def remaining(self) -> float:
        """Seconds left; negative once it has passed."""
        return self._at - self._clock()
