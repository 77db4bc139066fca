"""How a command stops: one sentence for the engineer, with what to do next."""


class CommandError(Exception):
    """The command cannot go on. The message says why and what to do; it never holds a secret."""
