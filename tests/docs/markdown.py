"""Reading the project's own Markdown: its tables, blocks, links and code spans."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Before a block that no test runs; the reason follows.
NOT_RUN = "<!-- not run by tests/docs: "

_BLOCK = re.compile(
    r"^(?P<mark><!-- .*? -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")
_ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)
_EDGE = re.compile(r"^\s*(\S+) --> (\S+?)(?::\s*(.*))?$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    language: str
    text: str
    run: bool


class Document:
    """One Markdown file."""

    def __init__(self, path: str) -> None:
        self.path = ROOT / path
        self.text = self.path.read_text(encoding="utf-8")

    @cached_property
    def blocks(self) -> list[Block]:
        return [Block(m["language"], m["text"], _is_run(m)) for m in _BLOCK.finditer(self.text)]

    def of(self, language: str) -> list[str]:
        """Texts of the blocks in one language."""
        return [block.text for block in self.blocks if block.language == language]

    def to_run(self, heading: str = "") -> list[str]:
        """The shell blocks that a test runs: of the page, or of the section under a heading."""
        part = self.text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0] if heading else self.text
        assert part, heading
        return [m["text"] for m in _BLOCK.finditer(part) if m["language"] == "sh" and _is_run(m)]

    @cached_property
    def prose(self) -> str:
        """Everything outside the blocks."""
        return _BLOCK.sub("", self.text)

    @cached_property
    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    @cached_property
    def spans(self) -> list[str]:
        """Code in the running text and in tables."""
        return _SPAN.findall(self.prose)

    @cached_property
    def tables(self) -> list[list[list[str]]]:
        """Every table as rows of cells, without its heading."""
        tables: list[list[list[str]]] = []
        for part in re.split(r"\n(?!\|)", self.prose):
            rows = [[c.strip() for c in re.split(r"(?<!\\)\|", row)] for row in _ROW.findall(part)]
            if rows:
                tables.append(rows[2:])
        return tables

    def table_of(self, name: str) -> dict[str, list[str]]:
        """The table with a row for `name`: the other cells of its rows, by each code span of the first."""
        for table in self.tables:
            rows = {span: row[1:] for row in table for span in _SPAN.findall(row[0])}
            if name in rows:
                return rows
        raise LookupError(f"{self.path.name}: no table has a row for {name}")

    def table_with(self, cell: str) -> list[list[str]]:
        """The rows of the table that has this cell first in a row."""
        return next(table for table in self.tables if any(row[0] == cell for row in table))

    def edges(self) -> Iterator[tuple[str, str, str]]:
        """Arrows of the state diagram: from, to, label."""
        for diagram in self.of("mermaid"):
            yield from _EDGE.findall(diagram)


def _is_run(block: re.Match[str]) -> bool:
    return not (block["mark"] or "").startswith(NOT_RUN)
