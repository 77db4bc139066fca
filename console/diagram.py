"""The workflow drawn from its definition, never by hand, and lit where one execution has passed.

States are put in rows by their longest way from the start; an arrow that leads back up runs along the side.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from life import Step

_WIDTH, _HEIGHT = 168, 40
_ACROSS, _DOWN = 28, 34
_MARGIN = 12
_SIDE = 14
_TURN = 8
_LANE = 5


@dataclass(frozen=True)
class Place:
    """Where a state is drawn: its upper left corner."""

    x: float
    y: float


def edges(definition: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each way from a state to the next, in the order of the definition."""
    ways: dict[tuple[str, str], None] = {}
    states = definition.get("States", {})
    for name, state in states.items():
        for target in _targets(state):
            if target in states:
                ways.setdefault((name, target))
    return list(ways)


def ranks(definition: Mapping[str, Any]) -> dict[str, int]:
    """Return the row of each state: the longest way from the start that passes no state twice."""
    following: dict[str, list[str]] = {}
    for source, target in edges(definition):
        following.setdefault(source, []).append(target)
    rows: dict[str, int] = {}
    _descend(str(definition.get("StartAt", "")), 0, following, rows, ())
    for name in definition.get("States", {}):  # what nothing leads to
        rows.setdefault(name, 0)
    return rows


def draw(
    definition: Mapping[str, Any], steps: Sequence[Step], title: str, details: Mapping[str, str]
) -> Markup:
    """Draw the workflow.

    Args:
        steps: what the execution has passed.
        title: what a screen reader says.
        details: of each state that was entered, what stands below its name.
    """
    places = _places(definition)
    if not places:
        return Markup("")
    passed = {step.name for step in steps}
    ways = {(a.name, b.name) for a, b in pairwise(steps)}
    now = steps[-1].name if steps and steps[-1].ended is None else ""
    right = max(place.x for place in places.values()) + _WIDTH
    back = [edge for edge in edges(definition) if places[edge[1]].y <= places[edge[0]].y]
    arrows = [
        _arrow(places[source], places[target], (source, target) in ways, right, back, (source, target))
        for source, target in sorted(edges(definition), key=lambda edge: edge in ways)  # the lit ones above
    ]
    boxes = [_box(name, place, name in passed, name == now, details) for name, place in places.items()]
    width = right + _MARGIN + _SIDE * (len(back) + 1)
    height = max(place.y for place in places.values()) + _HEIGHT + _MARGIN
    return Markup(
        '<svg class="workflow" viewBox="0 0 {} {}" width="{}" role="img" aria-label="{}"><title>{}</title>'
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        'markerUnits="userSpaceOnUse" orient="auto"><path class="head" d="M0 0 8 4 0 8z"></path></marker>'
        "</defs>{}{}</svg>"
    ).format(width, height, width, title, title, Markup("").join(arrows), Markup("").join(boxes))


def _targets(state: Mapping[str, Any]) -> Iterator[str]:
    if "Next" in state:
        yield str(state["Next"])
    for part in ("Choices", "Catch"):
        for each in state.get(part, ()):
            if "Next" in each:
                yield str(each["Next"])
    if "Default" in state:
        yield str(state["Default"])


def _descend(
    name: str, depth: int, following: Mapping[str, list[str]], rows: dict[str, int], above: tuple[str, ...]
) -> None:
    if not name or name in above or rows.get(name, -1) >= depth:
        return
    rows[name] = depth
    for target in following.get(name, ()):
        _descend(target, depth + 1, following, rows, (*above, name))


def _places(definition: Mapping[str, Any]) -> dict[str, Place]:
    rows: dict[int, list[str]] = {}
    for name, rank in sorted(ranks(definition).items(), key=lambda pair: pair[1]):
        rows.setdefault(rank, []).append(name)
    widest = max((len(row) for row in rows.values()), default=0)
    whole = widest * (_WIDTH + _ACROSS) - _ACROSS
    places: dict[str, Place] = {}
    before: dict[str, list[str]] = {}
    for source, target in edges(definition):
        before.setdefault(target, []).append(source)
    for rank, names in rows.items():
        names.sort(
            key=lambda name: _middle([places[each] for each in before.get(name, ()) if each in places])
        )
        left = _MARGIN + (whole - len(names) * (_WIDTH + _ACROSS) + _ACROSS) / 2
        for index, name in enumerate(names):
            places[name] = Place(left + index * (_WIDTH + _ACROSS), _MARGIN + rank * (_HEIGHT + _DOWN))
    return places


def _middle(places: Sequence[Place]) -> float:
    return sum(place.x for place in places) / len(places) if places else 0.0


def _arrow(
    source: Place,
    target: Place,
    lit: bool,
    right: float,
    back: Sequence[tuple[str, str]],
    edge: tuple[str, str],
) -> Markup:
    kind = "way lit" if lit else "way"
    if edge in back:
        # Along the side, and into the target from above: never through a box.
        side = right + _SIDE * (back.index(edge) + 1)
        lane = target.y - _DOWN / 2 + _LANE * back.index(edge)
        end = target.x + _WIDTH - _SIDE * (back.index(edge) + 1)
        path = (
            f"M{source.x + _WIDTH} {source.y + _HEIGHT / 2} H{side - _TURN} q{_TURN} 0 {_TURN} -{_TURN} "
            f"V{lane + _TURN} q0 -{_TURN} -{_TURN} -{_TURN} "
            f"H{end + _TURN} q-{_TURN} 0 -{_TURN} {_TURN} V{target.y - 2}"
        )
    else:
        x1, x2, y1, y2 = source.x + _WIDTH / 2, target.x + _WIDTH / 2, source.y + _HEIGHT, target.y - 2
        bend = (y1 + y2) / 2
        path = f"M{x1} {y1} C{x1} {bend} {x2} {bend} {x2} {y2}"
    return Markup('<path class="{}" d="{}" marker-end="url(#head)"></path>').format(kind, path)


def _box(name: str, place: Place, passed: bool, now: bool, details: Mapping[str, str]) -> Markup:
    kind = "state now" if now else "state lit" if passed else "state"
    detail = details.get(name, "")
    middle = place.x + _WIDTH / 2
    text = Markup('<text class="name" x="{}" y="{}" text-anchor="middle">{}</text>').format(
        middle, place.y + (17 if detail else 25), name
    )
    if detail:
        text += Markup('<text class="detail" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            middle, place.y + 32, detail
        )
    return Markup('<g class="{}"><rect x="{}" y="{}" width="{}" height="{}" rx="8"></rect>{}</g>').format(
        kind, place.x, place.y, _WIDTH, _HEIGHT, text
    )
