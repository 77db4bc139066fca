"""The terminal that the operator's commands print to."""

import sys

from rich.console import Console

# A file or a ticket is no narrow terminal.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 240)
