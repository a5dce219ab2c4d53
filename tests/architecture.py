"""Draw the rooms of the code and who imports whom, from the import graph itself.

python -m tests.architecture writes docs/pictures/architecture.svg; a test holds the two together.

The floors are those of the import contracts in pyproject.toml. Of the imports between rooms those
are left out that another way through the rooms implies, and those of the lowest floor, which all
may use, where a room has others.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import grimp

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "pictures" / "architecture.svg"
PACKAGES = ("orchestration", "serving", "feature_repo", "models_ml")
_BOX, _HEIGHT, _FLOOR, _GAP, _MARGIN, _HEAD, _ABREAST = 150, 38, 64, 24, 20, 50, 3
_STYLE = """
text { font: 17px system-ui, sans-serif; fill: #1d2730; text-anchor: middle }
.title { font-weight: 600; font-size: 19px }
.frame { fill: #f6f8fa; stroke: #c3ccd5 }
.room { fill: #ffffff; stroke: #2a7ab0 }
.import { fill: none; stroke: #7d8b98; marker-end: url(#tip) }
.package { fill: none; stroke: #2a7ab0; stroke-width: 2; marker-end: url(#tip) }
"""

_TIP = (
    '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0L8 4L0 8z" fill="#7d8b98"/></marker>'
)

Edges = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Spot:
    """The middle of a room's box."""

    x: float
    y: float


def main() -> None:
    """Write the picture."""
    PICTURE.write_text(draw())


def draw() -> str:
    """Draw the picture as SVG."""
    graph = grimp.build_graph(*PACKAGES)
    floors = _floors()
    spots: dict[str, Spot] = {}
    frames: list[str] = []
    left, height = float(_MARGIN), 0.0
    for package in ("orchestration", "serving", "models_ml"):
        width, tall = _place(spots, package, floors[package], left)
        frames.append(_frame(left, _MARGIN, width, tall, package))
        if package == "serving":
            below = _MARGIN + tall + 3 * _FLOOR
            frames.append(_frame(left, below, width, tall, "feature_repo"))
            frames += _between_packages(left, width, tall, below)
        left, height = left + width + 3 * _MARGIN, max(height, tall)
    imports = _without_ground(_reduced(_between_rooms(graph, floors)), floors)
    lines = _arrows(spots, imports)
    boxes = [_room(name, spot) for name, spot in spots.items()]
    size = f'width="{left - 2 * _MARGIN:.0f}" height="{height + 2 * _MARGIN:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        "<title>The rooms of the code, and who imports whom</title>",
        f"<style>{_STYLE}</style>",
        _TIP,
        *frames,
        *lines,
        *boxes,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _floors() -> dict[str, list[list[str]]]:
    """Read the floors of each package, the highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return {
        contract["containers"][0]: [
            [room.strip() for room in floor.split(":")] for floor in contract["layers"]
        ]
        for contract in contracts["contracts"]
        if "containers" in contract
    } | {"serving": []}


def _between_rooms(graph: grimp.ImportGraph, floors: Mapping[str, list[list[str]]]) -> Edges:
    """Find which room imports which."""
    rooms = {
        f"{package}.{room}" for package, told in floors.items() for floor in told for room in floor
    }

    def room_of(module: str) -> str:
        return ".".join(module.split(".")[:2])

    found = {
        (room_of(module), room_of(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    }
    return frozenset(
        (one, other)
        for one, other in found
        if {one, other} <= rooms and one != other and one.split(".")[0] == other.split(".")[0]
    )


def _reduced(edges: Edges) -> Edges:
    """Leave out each import that a longer way implies."""
    after: dict[str, set[str]] = {}
    for one, other in edges:
        after.setdefault(one, set()).add(other)

    def reached(start: str) -> Iterator[str]:
        for room in after.get(start, ()):
            yield room
            yield from reached(room)

    implied = {
        (one, far) for one, nexts in after.items() for middle in nexts for far in reached(middle)
    }
    return frozenset(edges - implied)


def _without_ground(edges: Edges, floors: Mapping[str, list[list[str]]]) -> Edges:
    """Leave out what rooms import of the lowest floor, unless they import nothing else."""
    ground = {f"{package}.{room}" for package, told in floors.items() if told for room in told[-1]}
    higher = frozenset((one, other) for one, other in edges if other not in ground)
    others = {one for one, _ in higher}
    return higher | {(one, other) for one, other in edges if one not in others}


def _place(
    spots: dict[str, Spot], package: str, floors: Sequence[Sequence[str]], left: float
) -> tuple[float, float]:
    """Give each room of *package* its place; return the frame's width and height."""
    floors = [row for floor in floors for row in _rows(floor)]
    most = max(map(len, floors), default=1)
    width = most * _BOX + (most + 1) * _GAP
    for nth, floor in enumerate(floors):
        taken = len(floor) * _BOX + (len(floor) - 1) * _GAP
        begin = left + (width - taken) / 2 + _BOX / 2
        for column, room in enumerate(floor):
            x = begin + column * (_BOX + _GAP)
            spots[f"{package}.{room}"] = Spot(x, _MARGIN + _HEAD + nth * _FLOOR + _HEIGHT / 2)
    if not floors:
        return width, _HEAD
    return width, _HEAD + len(floors) * _FLOOR - (_FLOOR - _HEIGHT) + _GAP


def _rows(floor: Sequence[str]) -> Iterator[Sequence[str]]:
    """Break a floor of many rooms into rows of equal length, so that all stays legible."""
    count = -(-len(floor) // _ABREAST)
    length = -(-len(floor) // count)
    for begin in range(0, len(floor), length):
        yield floor[begin : begin + length]


def _between_packages(left: float, width: float, tall: float, below: float) -> list[str]:
    """Draw which package imports which: the one direction that a contract holds."""
    row, right = _MARGIN + tall / 2, left + width
    foot = _MARGIN + tall
    return [
        f'<path class="package" d="M{left - 3 * _MARGIN:.0f} {row:.0f}H{left:.0f}"/>',
        f'<path class="package" d="M{right:.0f} {row:.0f}H{right + 3 * _MARGIN:.0f}"/>',
        f'<path class="package" d="M{left + width / 2:.0f} {foot:.0f}V{below:.0f}"/>',
    ]


def _frame(x: float, y: float, width: float, height: float, title: str) -> str:
    return (
        f'<rect class="frame" x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'rx="8"/><text class="title" x="{x + width / 2:.0f}" y="{y + 28:.0f}">{title}</text>'
    )


def _room(name: str, spot: Spot) -> str:
    label = escape(name.rpartition(".")[2])
    return (
        f'<rect class="room" x="{spot.x - _BOX / 2:.0f}" y="{spot.y - _HEIGHT / 2:.0f}" '
        f'width="{_BOX}" height="{_HEIGHT}" rx="5"/>'
        f'<text x="{spot.x:.0f}" y="{spot.y + 6:.0f}">{label}</text>'
    )


def _arrow(one: Spot, other: Spot, between: Sequence[Spot], lane: int) -> str:
    """Draw an arrow from one box to a lower one, around the boxes *between* them.

    lane  how far out of the others' way, so that no two arrows lie on each other
    """
    if not between:
        begin, end = one.y + _HEIGHT / 2, other.y - _HEIGHT / 2
        bend = (begin + end) / 2
        way = f"M{one.x:.0f} {begin:.0f}C{one.x:.0f} {bend:.0f} {other.x:.0f} {bend:.0f} "
        return f'<path class="import" d="{way}{other.x:.0f} {end:.0f}"/>'
    side = 1 if other.x >= one.x else -1
    out = max(side * spot.x for spot in between) * side
    out += side * (_BOX / 2 + 6 + 6 * lane)
    begin, end = one.y + _HEIGHT / 2, other.y - _HEIGHT / 2
    corridor = 6 + 2.5 * lane
    start, stop = one.x + 6 * side + 4 * lane * side, other.x + 6 * side + 4 * lane * side
    return (
        f'<path class="import" d="M{start:.0f} {begin:.0f}V{begin + corridor:.0f}H{out:.0f}'
        f'V{end - corridor - 6:.0f}H{stop:.0f}V{end:.0f}"/>'
    )


def _arrows(spots: Mapping[str, Spot], imports: Edges) -> Iterator[str]:
    """Draw all *imports*, the short ones first."""
    ordered = sorted(imports, key=lambda edge: (spots[edge[1]].y - spots[edge[0]].y, edge))
    for lane, (one, other) in enumerate(ordered):
        package = one.split(".")[0]
        between = [
            spot
            for name, spot in spots.items()
            if name.startswith(f"{package}.") and spots[one].y < spot.y < spots[other].y
        ]
        yield _arrow(spots[one], spots[other], between, lane % 4)


if __name__ == "__main__":
    main()
