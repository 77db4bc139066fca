"""The embedded AWS: MiniStack as a child process, made to behave like AWS where this project can tell.

`EmbeddedAws` starts and stops it; `server` is what runs in the child; `patches` is what
differs from MiniStack.
"""

from local.aws.embedded import EmbeddedAws, EmbeddedAwsError

__all__ = ["EmbeddedAws", "EmbeddedAwsError"]
