"""Erasing lines from the archive: the line stays and is counted, what it said does not.

Each file is written anew beside itself and renamed, so that a kill leaves the old or the new one.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.landing.archive import draft_of
from orchestration.landing.ledger import Entry, Ledger
from orchestration.landing.readers.batches import Reason
from orchestration.landing.tombstones import Tombstones
from serving.files import put_in_place
from serving.home import Home
from serving.vault import Vault

_SAID = ("user_id", "district_code", "doc")
_PEOPLE = """
select filename, list(distinct user_id)
from read_parquet($files, filename = true, hive_partitioning = false)
where user_id is not null
group by filename
"""


def archived(folder: Path) -> list[Path]:
    """List the Parquet files below *folder*, those set aside included."""
    return sorted(path for end in ("", ".stray") for path in folder.rglob(f"[!.]*.parquet{end}"))


def erased(lines: pa.Table, is_erased: pa.ChunkedArray) -> pa.Table:
    """Leave of the lines that are erased only their place in the file, and that they were there."""
    told = {name: pa.scalar(None, pa.string()) for name in _SAID}
    told["landing_reason"] = pa.scalar(Reason.ERASED.value)
    for name, value in told.items():
        where = lines.schema.get_field_index(name)
        lines = lines.set_column(where, name, pc.if_else(is_erased, value, lines[name]))
    return lines


def rewrite(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Put a Parquet file in its own place, each of its row groups as *change* makes it."""
    draft = draft_of(path)
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        with pq.ParquetWriter(draft, schema, compression="zstd", compression_level=1) as writer:
            for group in range(file.num_row_groups):
                writer.write_table(change(file.read_row_group(group)))
    put_in_place(draft, path)


def erase_refused(home: Home, ledger: Ledger) -> None:
    """Erase what the tombstones refuse, wherever it came from, such as an archive put back.

    Costs nothing where nobody was forgotten, else one look at the users of each file.
    """
    tombstones = Tombstones(home)
    files = [str(path) for path in archived(home.lines)] if tombstones else []
    if not files:
        return
    entries = {entry.file_id: entry for entry in ledger.files()}
    refused, kept = set(), set()
    with duckdb.connect() as connection:
        people = connection.execute(_PEOPLE, {"files": files}).fetchall()
    for file, user_ids in people:
        is_refused = _refusal(tombstones, entries.get(Path(file).name.partition(".")[0]))
        theirs = set(filter(is_refused, user_ids))
        if theirs:
            _erase_people(Path(file), theirs)
        refused |= theirs
        kept |= set(user_ids) - theirs
    if refused and home.vault.exists():
        with closing(Vault.create(home)) as vault:
            vault.forget(refused - kept)


def _refusal(tombstones: Tombstones, entry: Entry | None) -> Callable[[str], bool]:
    if entry is None:  # set aside: nobody reads it, and what it says will land again
        return tombstones.refusal(datetime.min.replace(tzinfo=UTC), is_backfill=True)
    landed_at = datetime.fromisoformat(entry.landed_at)
    return tombstones.refusal(landed_at, is_backfill=entry.is_backfill)


def _erase_people(path: Path, people: set[str]) -> None:
    theirs = pa.array(sorted(people), pa.string())
    rewrite(path, lambda lines: erased(lines, pc.is_in(lines["user_id"], value_set=theirs)))
