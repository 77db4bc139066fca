"""Messages of an SQS queue of a deployed stack."""

import json
from typing import Any


def take(sqs: Any, url: str, *, seconds: int) -> list[Any]:
    """Return the bodies, parsed as JSON, that arrive within so many seconds, and delete them."""
    reply = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=seconds)
    messages = reply.get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in messages]
