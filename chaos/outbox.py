"""What the workflow publishes, received by a rule and a queue as by any other system."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from local.stack import Stack

_WAIT_SECONDS = 1


@dataclass(frozen=True)
class Published:
    """One event on the bus."""

    kind: str
    detail: dict[str, Any]


class Outbox:
    """Listens while it is entered. `published` grows; `changed` is notified of it."""

    def __init__(self, stack: Stack) -> None:
        self.published: list[Published] = []
        self.changed = threading.Condition()
        self._queue = stack.client("sqs")
        self._url = stack.queue_of_published("chaos-published")
        self._ended: Counter[str] = Counter()
        self._known: set[str] = set()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="outbox")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._closing.set()
        self._thread.join()

    def ended(self, number: str) -> int:
        """How many executions for this order have published something. Call it holding `changed`."""
        return self._ended[number]

    def _listen(self) -> None:
        # Once more after the end: what was published before it is received.
        while self._receive() or not self._closing.is_set():
            pass

    def _receive(self) -> bool:
        reply = self._queue.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=_WAIT_SECONDS
        )
        messages = reply.get("Messages", [])
        if not messages:
            return False
        entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)]
        self._queue.delete_message_batch(QueueUrl=self._url, Entries=entries)
        with self.changed:
            for message in messages:
                event = json.loads(message["Body"])
                self._add(Published(event["detail-type"], event["detail"]))
            self.changed.notify_all()
        return True

    def _add(self, event: Published) -> None:
        self.published.append(event)
        execution = str(event.detail.get("execution"))
        if execution not in self._known:
            self._known.add(execution)
            self._ended[str(event.detail.get("out_order_no"))] += 1
