"""How a command stops: one sentence for the engineer, with what to do next."""

from botocore.exceptions import ClientError


class CommandError(Exception):
    """The command cannot go on. The message says why and what to do; it never holds a secret."""


def error_code(exc: ClientError) -> str:
    """Return AWS's name of an error."""
    return str(exc.response.get("Error", {}).get("Code", ""))
