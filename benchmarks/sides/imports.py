"""What a function like this cannot do without, imported and no more: the measure for its cold start.

Answers as the function's process does, so that what measures costs both sides the same.
"""

import sys
import time

from worker import answer


def requests() -> None:
    """HTTP."""
    import requests  # noqa: F401


def cryptography() -> None:
    """Signing and verifying with RSA."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: F401
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: F401
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: F401


def boto3() -> None:
    """AWS, with the one client."""
    import boto3

    boto3.client("secretsmanager")


def powertools() -> None:
    """Logger and Metrics."""
    from aws_lambda_powertools import Logger, Metrics

    Logger()
    Metrics()


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        globals()[wanted]()
    done = time.monotonic()
    answer(imported=done, done=done)
