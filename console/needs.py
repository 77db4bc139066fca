"""What needs someone, as `make stuck` lists it, and the two buttons: redrive and resubmit.

Both act on one execution, by the code of `make redrive` and `make resubmit`, and only after a page has said
what will be done, to which order, on which account, region and stack.
"""

import functools
import threading
import time
from dataclasses import dataclass, field

from operations.recovery import Recovery, at_most, recover
from operations.remedies import Listing, Selection, Stuck
from operations.resubmission import hindrance
from operations.stuck import find_on
from operations.target import Target


class StandsOtherwise(Exception):
    """The execution no longer needs what was confirmed: somebody, or the workflow, was there first."""


@dataclass
class Needs:
    """Finds and acts for one stack.

    Attributes:
        seconds: how long a list is shown before it is read again: reading it asks for every failed execution.
    """

    target: Target
    seconds: float
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _read: tuple[float, Listing] | None = None

    def listing(self) -> Listing:
        """Return what needs someone."""
        with self._lock:
            if self._read is None or time.monotonic() - self._read[0] > self.seconds:
                self._read = (time.monotonic(), find_on(self.target, Selection()))
            return self._read[1]

    def one(self, out_order_no: str, arn: str) -> Stuck | None:
        """Return an execution as it stands now; None when it needs nobody."""
        needy = find_on(self.target, Selection(orders=frozenset({out_order_no}))).needy
        return next((each for each in needy if each.arn == arn and each.remedy.command), None)

    def act(self, out_order_no: str, arn: str, confirmed: str) -> Recovery:
        """Do what was confirmed.

        Raises:
            StandsOtherwise: it is no longer what the execution needs.
        """
        chosen = self.one(out_order_no, arn)
        if chosen is None or chosen.remedy.command != confirmed:
            raise StandsOtherwise
        client, why_not = self.target.client("stepfunctions"), functools.partial(hindrance, self.target)
        (attempt,) = recover(client, self.target.state_machine, [chosen], at_most(1), why_not)
        self._read = None
        return attempt
