"""Whether marts and features are what the last run published, asked of Parquet footers alone.

Who builds with other variables, or without rows, or removes a file, leaves something else there
than what was published, though nothing new has landed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestration.home.state_files import StateFile
from serving.home import Home


@dataclass(frozen=True)
class Extent:
    """How much a model holds: its rows, and of each column the values that are there.

    Of a list its elements count. The order of rows, compression and the like make no difference.
    """

    rows: int
    values: Mapping[str, int]


@dataclass(frozen=True)
class HandedOn:
    """What lies in marts and features, by `folder/model`.

    made_by  what the last dbt run left of itself: versions, settings, variables, whether it was
             one without rows
    """

    made_by: str
    models: Mapping[str, Extent]


def look(home: Home) -> HandedOn:
    """Read what lies there now."""
    made_by = home.dbt_made_by.read_text() if home.dbt_made_by.exists() else ""
    paths = (path for folder in (home.marts, home.features) for path in folder.glob("*.parquet"))
    return HandedOn(made_by, {f"{path.parent.name}/{path.stem}": _extent(path) for path in paths})


def remembered(home: Home) -> StateFile[HandedOn]:
    """Tell where it is kept what lay there when a run had published it."""
    return StateFile(home.last_handed_on, HandedOn)


def differences(home: Home) -> list[str]:
    """Say in which way what lies there is not what was published; empty: in none."""
    kept = remembered(home).read()
    if kept is None:
        return []
    there = look(home)
    found = [
        f"{name}: {_difference(extent, there.models.get(name))}"
        for name, extent in sorted(kept.models.items())
        if extent != there.models.get(name)
    ]
    if there.made_by != kept.made_by:
        found.append("dbt has run since with other variables or settings, or without rows")
    return found


def _difference(published: Extent, there: Extent | None) -> str:
    if there is None:
        return "its file is gone"
    if there.rows != published.rows:
        return f"{there.rows:,} rows, published were {published.rows:,}"
    return "other values than those that were published"


def _extent(path: Path) -> Extent:
    import pyarrow.parquet as pq

    footer = pq.ParquetFile(path).metadata
    values: dict[str, int] = {}
    for group in range(footer.num_row_groups):
        for place in range(footer.num_columns):
            column = footer.row_group(group).column(place)
            nulls = column.statistics.null_count if column.is_stats_set else None
            name = column.path_in_schema
            values[name] = values.get(name, 0) + column.num_values - (nulls or 0)
    return Extent(footer.num_rows, values)
