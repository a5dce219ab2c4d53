"""Why lines are in quarantine: counted by reason, as the marts have them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.delivery.run_report import RunReport, SetAside
from serving.home import Home

_GROUP = ["source", "kind", "reason"]
_OF_GROUP = ["line_number_count", "file_id_first", "line_number_first"]


def quarantine_of(home: Home, before: RunReport | None) -> list[SetAside]:
    """Count the lines that wait in quarantine, beside those of the report *before*.

    Lines that were replayed wait no more.
    """
    path = home.handed_on("marts/fct_quarantined_lines")
    if not path.exists():
        return []
    names = _names(home.handed_on("marts/fct_landed_files"))
    counted = _counted(pq.read_table(path, filters=pc.field("replayed_file_id").is_null()))
    earlier = {
        (one.source, one.kind, one.reason): one.lines
        for one in (before.quarantine if before else ())
    }
    columns = (counted[name].to_pylist() for name in (*_GROUP, *_OF_GROUP))
    return [
        SetAside(
            source=source,
            kind=kind,
            reason=reason,
            lines=lines,
            before=earlier.get((source, kind, reason), 0) if before else None,
            file=names.get(file_id, file_id),
            line_number=number,
        )
        for source, kind, reason, lines, file_id, number in zip(*columns, strict=True)
    ]


def _counted(lines: pa.Table) -> pa.Table:
    """Count them by reason, in the order in which they landed, in which the first is the first."""
    by = [(name, "ascending") for name in ("landed_at", "file_id", "line_number")]
    groups = lines.sort_by(by).group_by(_GROUP, use_threads=False)
    return groups.aggregate(
        [("line_number", "count"), ("file_id", "first"), ("line_number", "first")]
    )


def _names(path: Path) -> dict[str, str]:
    files = pq.read_table(path, columns=["file_id", "name"])
    return dict(zip(*(column.to_pylist() for column in files), strict=True))
