"""Renders pages. Everything is escaped, and characters that act instead of showing are written out."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from console import charts, rows
from console.diagram import draw
from console.language import Words
from console.rows import Totals
from life.masking import Veil, inert, inert_json
from life.reading import parsed
from life.text import amount, seconds, time_of

_LONG = 80
TEMPLATES = Path(__file__).parent / "templates"


class Renderer:
    """Renders the templates of this folder."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_finalized,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "yuan": amount,
            "pretty": _pretty,
            "path": lambda text: quote(text, safe=""),
            "moment": _moment,
            "seconds": seconds,
            "short": _short,
            "host": lambda url: urlsplit(url).netloc,
            "veiled": lambda text, event: Veil(parsed(event)).text(text),
        }

        self._templates.globals |= {
            "navigation": _navigation,
            "outcomes": _outcomes,
            "times": _times,
            "draw": draw,
            "group_of": rows.group_of,
            "age": _age,
            "span": _span,
        }

    def page(self, name: str, values: Mapping[str, Any]) -> str:
        """Render a whole page."""
        return self._templates.get_template(f"{name}.html").render(values)

    def part(self, name: str, values: Mapping[str, Any]) -> str:
        """Render the part of a page that changes."""
        return self._templates.get_template(f"_{name}.html").render(values)


def _navigation(sandboxed: bool) -> list[tuple[str, str]]:
    local = [("cabinet", "/cabinet"), ("sandbox", "/sandbox")] if sandboxed else []
    return [("orders", "/"), ("needs", "/needs"), *local]


def _outcomes(words: Words, totals: Totals) -> Markup:
    values = [(words.standing(each), number, rows.group_of(each)) for each, number in totals.orders.items()]
    return charts.bars(words("by_outcome"), sorted(values, key=lambda each: -each[1]))


def _times(words: Words, totals: Totals) -> Markup:
    values = [
        (name if name.startswith(">") else f"≤ {name}", number, "settled")
        for name, number in totals.paid_within
    ]
    return charts.bars(words("time_to_paid"), values)


def _finalized(value: Any) -> Any:
    return inert(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _pretty(value: Any) -> Markup:
    """Return JSON with line breaks; a text that is no JSON as it is, its lines kept."""
    text = "\n".join(map(inert, value.split("\n"))) if isinstance(value, str) else inert_json(value, indent=2)
    return Markup.escape(text)


def _moment(moment: datetime) -> Markup:
    """Return a time of this machine's zone, and in full for programs."""
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.astimezone(UTC).isoformat(), f"{moment.astimezone():%Y-%m-%d %H:%M:%S %z}", time_of(moment)
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def _span(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _age(since: datetime) -> str:
    return str(datetime.now(UTC) - since).partition(".")[0]
