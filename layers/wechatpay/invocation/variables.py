"""What a function cannot start without."""

from collections.abc import Mapping


def required(environment: Mapping[str, str], *names: str) -> list[str]:
    """Return the values of these variables.

    Raises:
        ValueError: names every one that is missing or empty.
    """
    if missing := [name for name in names if not environment.get(name)]:
        raise ValueError(f"environment: {', '.join(missing)} must be set")
    return [environment[name] for name in names]
