"""What the workflow publishes, received by a rule and a queue as by any other system."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any, Self

from local.stack import Stack

_WAIT_SECONDS = 1


class Listener:
    """Receives published events in a thread while it is entered, and at its end those that are still there.

    Args:
        stack: publishes them.
        name: of the queue and the rule it makes.
        types: detail-types to receive; every one when none is named.
        receive: gets each event, and when the queue got it, in UNIX milliseconds; `changed` is held.

    Attributes:
        changed: notified when events have arrived.
    """

    def __init__(
        self, stack: Stack, name: str, *types: str, receive: Callable[[dict[str, Any], float], None]
    ) -> None:
        self.changed = threading.Condition()
        self._queue = stack.client("sqs")
        self._url = stack.queue_of_published(name, *types)
        self._receive = receive
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name=name)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._closing.set()
        self._thread.join()

    def _listen(self) -> None:
        while self._take() or not self._closing.is_set():
            pass

    def _take(self) -> bool:
        messages = self._queue.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=_WAIT_SECONDS,
            AttributeNames=["SentTimestamp"],
        ).get("Messages", [])
        if not messages:
            return False
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
        self._queue.delete_message_batch(QueueUrl=self._url, Entries=entries)
        with self.changed:
            for message in messages:
                self._receive(json.loads(message["Body"]), float(message["Attributes"]["SentTimestamp"]))
            self.changed.notify_all()
        return True
