"""What every benchmark ends with: a table to read and `.bench/NAME.json` to keep."""

import json
import os
import platform
import statistics
import timeit
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).parents[2] / ".bench"


@dataclass(frozen=True)
class Figure:
    """A measured value beside what it should be; without a goal it is only reported."""

    name: str
    value: float
    unit: str
    goal: float | None
    better: Literal["higher", "lower"]
    level: Literal["must", "goal"]

    @property
    def met(self) -> bool | None:
        """Say whether the value is at least as good as its goal."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.better == "higher" else self.value <= self.goal


def _machine() -> list[Figure]:
    """Time a loop, for seconds say little of a machine whose cores stand still at times."""
    number = 10_000_000
    seconds = timeit.repeat("x += 1", "x = 0", number=number, repeat=20)
    what = f"{number:,} additions in Python ({os.cpu_count()} cores, {platform.machine()})"
    return [
        Figure(f"{what}, best", min(seconds), "s", None, "lower", "goal"),
        Figure(f"{what}, mean", statistics.mean(seconds), "s", None, "lower", "goal"),
    ]


def publish(
    name: str, figures: list[Figure], folder: Path = FOLDER, told: Sequence[Figure] = ()
) -> None:
    """Print *figures*, with how fast the machine was, and write them to *folder*/<name>.json.

    *told* are written, too, and not printed, for a table of the benchmark's own has them.
    """
    figures = [*figures, *_machine()]
    show(f"bench-{name}", figures)
    folder.mkdir(parents=True, exist_ok=True)
    rows = [asdict(figure) | {"met": figure.met} for figure in [*figures, *told]]
    (folder / f"{name}.json").write_text(json.dumps(rows, indent=2) + "\n")


def show(title: str, figures: list[Figure]) -> None:
    """Print *figures* as a table, or as plain lines on a machine that has no rich."""
    heads = ("figure", "value", "unit", "goal", "level", "met")
    rows = [_told(figure) for figure in figures]
    try:
        from rich.console import Console
        from rich.table import Table
    except ModuleNotFoundError:
        print(title, *("\t".join(row) for row in (heads, *rows)), sep="\n")  # noqa: T201
        return
    table = Table(*heads, title=title)
    for row in rows:
        table.add_row(*row)
    Console(highlight=False).print(table)


def _told(figure: Figure) -> tuple[str, ...]:
    sign = {"higher": "≥", "lower": "≤"}[figure.better]
    return (
        figure.name,
        f"{figure.value:.4g}",
        figure.unit,
        "" if figure.goal is None else f"{sign} {figure.goal:.4g}",
        figure.level,
        {True: "yes", False: "no", None: ""}[figure.met],
    )
