"""Small charts as SVG. Colours come from classes of the style sheet, so that dark mode has its own."""

from collections.abc import Sequence

from markupsafe import Markup

_WIDTH, _BAR, _GAP = 360, 16, 8
_LABEL, _NUMBER = 120, 48


def bars(title: str, values: Sequence[tuple[str, int, str]]) -> Markup:
    """Draw horizontal bars.

    Args:
        title: what a screen reader says.
        values: of each bar its label, its number and its class.
    """
    most = max((number for _, number, _ in values), default=0) or 1
    room = _WIDTH - _LABEL - _NUMBER
    parts = []
    for index, (label, number, kind) in enumerate(values):
        y = index * (_BAR + _GAP)
        width = max(round(room * number / most), 2 if number else 0)
        parts.append(
            Markup(
                '<text class="label" x="{}" y="{}" text-anchor="end">{}</text>'
                '<rect class="bar {}" x="{}" y="{}" width="{}" height="{}" rx="3"></rect>'
                '<text class="number" x="{}" y="{}">{}</text>'
            ).format(
                *(_LABEL - 8, y + 12, label),
                *(kind, _LABEL, y, width, _BAR),
                *(_LABEL + width + 6, y + 12, number),
            )
        )
    height = len(values) * (_BAR + _GAP)
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>{}</svg>'
    ).format(_WIDTH, height, title, title, Markup("").join(parts))
