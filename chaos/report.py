"""What the chaos run prints: a progress bar, then the figures and the counts that must be zero."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from chaos import run

_MOST_FINDINGS = 40
_MOST_STORIES = 5
_LONGEST_CAUSE = 600


class Report:
    """Prints to a terminal, or to a file without the bar."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)

    @contextmanager
    def progress(self, orders: int) -> Iterator[run.Progress]:
        """Show a bar. Yields the function that moves it on."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f} orders"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[more]}", style="dim"),
        )
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as bar:
            task = bar.add_task("starting", total=orders, more="")
            yield lambda what, share, more: bar.update(
                task, description=what, completed=share * orders, more=more
            )

    def outcome(self, outcome: run.Outcome) -> None:
        """Print everything."""
        for name, value in _figures(outcome):
            self.console.print(Text.assemble(f"{name:<36}", (value, "bold")))
        faults = Table(title="faults thrown, by kind", title_justify="left", box=None, show_header=False)
        thrown = sorted(outcome.arrivals.faults.items())
        for begin in range(0, len(thrown), 3):
            faults.add_row(
                *(cell for kind, times in thrown[begin : begin + 3] for cell in (kind, f"{times:>5}  "))
            )
        self.console.print(faults)
        self.console.print()
        zeros = outcome.findings.counts() | {"secrets found": len(outcome.searched.leaks)}
        for name, count in zeros.items():
            style = "bold red" if count else "bold green"
            self.console.print(Text.assemble(f"{name:<36}", (str(count), style)))
        for error, cause in outcome.load.causes.items():
            self.console.print(f"the operator met {error}: {cause[:_LONGEST_CAUSE]}", markup=False)
        sentences = [*outcome.findings.sentences(), *outcome.searched.leaks]
        for sentence in sentences[:_MOST_FINDINGS]:
            self.console.print(Text.assemble(("✗ ", "red"), sentence))
        if len(sentences) > _MOST_FINDINGS:
            self.console.print(f"and {len(sentences) - _MOST_FINDINGS} more")
        for number, lines in list(outcome.stories().items())[:_MOST_STORIES]:
            story = "\n".join((number, *(f"  {line}" for line in lines)))
            self.console.print(story, markup=False, soft_wrap=True)


def _figures(outcome: run.Outcome) -> Iterator[tuple[str, str]]:
    figures, searched = outcome.figures, outcome.searched
    yield "orders", f"{len(outcome.plan)}"
    for order_api, orders in sorted(Counter(order.order_api for order in outcome.plan).items()):
        yield f"of {order_api}", f"{orders}"
    yield "executions", f"{len(outcome.executions)}"
    yield "seconds", f"{outcome.seconds:.0f}"
    yield "charges", f"{figures.charges} (¥{figures.fen / 100:.2f})"
    yield "duplicates absorbed", f"{figures.duplicates_absorbed}"
    yield "identical requests absorbed", f"{figures.reentries}"
    yield "conflicts found", f"{figures.conflicts_found}"
    by_error = ", ".join(f"{times} {error}" for error, times in figures.retries.most_common())
    yield "retries", f"{figures.retries.total()} ({by_error})"
    for name, times in sorted(outcome.happened.items()):
        yield name, f"{times}"
    yield "of the killed, in a call", f"{figures.retries['Runtime.ExitError']}"
    needed = ", ".join(f"{times} {error}" for error, times in outcome.load.operator.items())
    yield "executions that needed the operator", f"{outcome.load.operator.total()} {needed}".strip()
    yield "calls of WeChat Pay", f"{len(outcome.arrivals.requests)}"
    yield "faults thrown", f"{outcome.arrivals.faults.total()}"
    size = f"{searched.texts} texts, {searched.characters / 1e6:.1f} MB"
    yield "secrets searched for", f"{searched.secrets} in {size}"
