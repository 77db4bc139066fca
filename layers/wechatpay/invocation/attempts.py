"""What an invocation knows of the attempts before it, from the client context that the workflow hands over.

`{"custom": {"execution": <ARN>, "retry_count": int, "redrive_count": int, "entered_time": <ISO 8601>}}`
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

# Executions that `make resubmit` starts bear this prefix: an order they settle has been tried before.
RESUBMITTED = "resubmit-"
# D: by then every reader of WeChat Pay's has seen what an attempt before this execution state has written.
SETTLING_TIME = timedelta(minutes=10)


class Attempts(NamedTuple):
    """The place of this invocation among the attempts at one order.

    Attributes:
        first: no attempt was made before, so none can have been applied.
        entered: when the workflow entered the state that retries; None when it did not say.
    """

    first: bool = True
    entered: datetime | None = None

    @classmethod
    def of(cls, context: object) -> "Attempts":
        """Read the client context of an invocation. A direct one, which has none, is the first attempt."""
        custom = _custom(context)
        execution = execution_of(context)
        # An execution without counts is of an older definition: there may have been attempts before.
        names = [name for name in ("retry_count", "redrive_count") if execution is not None or name in custom]
        counts = [custom.get(name) for name in names]
        resubmitted = (execution or "").rpartition(":")[2].startswith(RESUBMITTED)
        first = not resubmitted and all(type(count) is int and count == 0 for count in counts)
        return cls(first, _time(custom.get("entered_time")))

    def long_under_way(self, now: datetime) -> bool:
        """Tell whether the state was entered so long ago that what came before it is seen by every query."""
        return self.entered is not None and now - self.entered >= SETTLING_TIME


def execution_of(context: object) -> str | None:
    """Return the ARN of the Step Functions execution that called; None when none did."""
    execution = _custom(context).get("execution")
    return execution if isinstance(execution, str) else None


def _custom(context: object) -> Mapping[str, Any]:
    custom = getattr(getattr(context, "client_context", None), "custom", None)
    return custom if isinstance(custom, dict) else {}


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
