"""How long the workflow waits, computed apart from it, by what its documents say."""

DAY = 86_400
LAST_DAY = 50  # of waiting for a notification


def retries(count: int, *, first: int = 2, most: int = 900) -> list[float]:
    """Return the longest pause before each of so many retries: doubled each time, up to the most."""
    return [min(first * 2**tried, most) for tried in range(count)]


def limited(count: int) -> list[float]:
    """Return the longest pause before each retry of what was asked too often."""
    return retries(count, first=30, most=1800)


def payment(days: int) -> list[float]:
    """Return the waits between queries: dense at first, hourly in the first day, then every 6 hours."""
    waits: list[float] = []
    for seconds in (5, 15, 60, 300, 1800, *[3600] * 24, *[6 * 3600] * 4 * days):
        if sum(waits) >= DAY and seconds == 3600:
            continue
        waits.append(min(seconds, days * DAY - sum(waits)))
    return [seconds for seconds in waits if seconds > 0]


def overdue(days: int) -> list[float]:
    """Return the waits after it is called overdue: daily to the 50th day."""
    return [float(DAY)] * (LAST_DAY - days)
