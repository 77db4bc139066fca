"""An order event: read from a file, and emitted as a backend does."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from operations.errors import CommandError

CABINET = "smartretail.cabinet"
"""Source of the events that start the workflow, unless the parameter TriggerSource names another."""
_BATCH = 10  # the most that PutEvents takes


class UnreadableFileError(CommandError):
    """There is no such file, or it may not be read."""


def read(path: Path) -> tuple[str, Any]:
    """Return the text of a file and its JSON.

    Raises:
        UnreadableFileError: see there.
        CommandError: it is not JSON in UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return text, json.loads(text)
    except OSError as exc:
        raise UnreadableFileError(f"{path} cannot be read: {exc.strerror}") from exc
    except ValueError as exc:
        raise CommandError(f"{path} is not JSON in UTF-8: {exc}") from exc


def emit(client: Any, bus: str, events: Sequence[Mapping[str, Any]], source: str = CABINET) -> None:
    """Put `Service Ended` of each order event onto the bus.

    Args:
        client: of EventBridge.

    Raises:
        CommandError: the bus did not take some of them.
    """
    entries = [
        {
            "Source": source,
            "DetailType": "Service Ended",
            "EventBusName": bus,
            "Detail": json.dumps(event, ensure_ascii=False),
        }
        for event in events
    ]
    for first in range(0, len(entries), _BATCH):
        failed = client.put_events(Entries=entries[first : first + _BATCH])["FailedEntryCount"]
        if failed:
            raise CommandError(f"the bus {bus} did not take {failed} of {len(events)} events")
