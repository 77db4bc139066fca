"""What the demo prints: each step as it is done, the table, and what was charged."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from life import Attempt
from local.demo.settled import Settled
from operations.executions import seconds_of

# A picture asks nobody for a font: it is drawn in whatever monospace the reader has.
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


class Printer:
    """Prints to a terminal, with a spinner while it waits, or to a file, without.

    Args:
        columns: width of what is printed; None for the terminal's.
    """

    def __init__(self, columns: int | None = None) -> None:
        self.console = Console(highlight=False, width=columns)

    @contextmanager
    def step(self, text: str) -> Iterator[Callable[[str], None]]:
        """Show that something is under way, then that it is done and how long it took.

        Yields a function that adds what is happening at the moment.
        """
        started = time.monotonic()
        with self.console.status(text) as status:
            yield lambda now: status.update(f"{text}  {now}")
        seconds = f"  {time.monotonic() - started:.1f} s"
        self.console.print(Text.assemble(("✓ ", "green"), text, (seconds, "dim")))

    def table(self, orders: Sequence[Settled]) -> None:
        """Print one row for each order, in 80 columns; a picture begins here."""
        self.console.record = True
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
        table.add_column("order, what it was", max_width=20)
        table.add_column("states passed", min_width=26, max_width=56)
        table.add_column("outcome", no_wrap=True)
        table.add_column("evidence", max_width=8)
        table.add_column("time", justify="right", no_wrap=True)
        for order in orders:
            succeeded = order.execution.status == "SUCCEEDED"
            outcome, detail = (order.outcome, order.payment) if succeeded else ("FAILED", order.outcome)
            table.add_row(
                Text.assemble(order.sample.number, (f"\n{order.sample.what}", "dim")),
                _path(order),
                Text.assemble((outcome, "green" if succeeded else "yellow"), (f"\n{detail}", "dim")),
                order.evidence,
                f"{seconds_of(order.execution):.1f} s",
            )
        self.console.print()
        self.console.print(table)

    def ledger(self, orders: Sequence[Settled]) -> None:
        """Print what WeChat Pay charged, as its side of the ledger has it."""
        charged = [order.ledger["charged"] for order in orders if order.ledger["debits"]]
        twice = sum(order.ledger["debits"] > 1 for order in orders)
        sums = " + ".join(f"{fen / 100:.2f}" for fen in charged)
        self.console.print(
            f"\nWeChat Pay's ledger: ¥{sums} = ¥{sum(charged) / 100:.2f}, {len(charged)} orders charged, "
            f"{twice} of them twice; {len(orders) - len(charged)} orders not charged."
        )

    def verdict(self, differences: Sequence[str]) -> None:
        """Say whether every order reached its expected outcome."""
        for difference in differences:
            self.console.print(Text.assemble(("✗ ", "red"), difference))
        if not differences:
            self.console.print(
                Text("Every order ended as expected, and the ledger agrees.", style="bold green")
            )

    def picture(self, path: Path) -> None:
        """Write what was printed since the table as an SVG."""
        svg = self.console.export_svg(title="make demo", unique_id="demo")
        path.write_text(_FONT_FACE.sub("", svg), encoding="utf-8")


def _path(order: Settled) -> Text:
    path = Text()
    for steps, times in order.path():
        if isinstance(steps[0], Attempt):
            path.append(f" ↻ {steps[0].error}", style="yellow")
            continue
        names = " → ".join(map(str, steps))
        path.append(" → " if path else "").append(f"({names}) ×{times}" if times > 1 else names)
    return path
