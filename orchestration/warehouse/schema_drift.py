"""Schema drift: how a file's documents differ in shape from what has landed of their kind.

The same rules as the mart `fct_schema_changes`, for a file that has not landed yet.
"""

from dataclasses import dataclass

import duckdb

from serving.home import Home

_FEWEST_DOCUMENTS = 10
_DRIFT = """
with landed as (
    select fields.* from read_parquet($landed) as fields
    inner join read_parquet($files) as files on fields.file_id = files.file_id
    where files.source = $source and files.kind = $kind and files.file_id != $file_id
),
file as (select * from read_parquet($file) where file_id = $file_id),
total as (select (select sum(documents) from landed where path = '') as landed,
                 (select sum(documents) from file where path = '') as file),
known as (select path, sum(documents) as documents from landed where path != '' group by path)
select 'new field', path from file
where path != '' and path not in (select path from known) and (select landed from total) > 0
union
select 'new type', path || ' ' || json_type from file
where path in (select path from landed where json_type not in ('NULL', 'JSON'))
    and json_type not in ('NULL', 'JSON')
    and (path, json_type) not in (select (path, json_type) from landed)
union
select 'missing field', path from known, total
where documents * 2 >= total.landed and total.file >= $fewest
    and path not in (select path from file)
order by all
"""


@dataclass(frozen=True)
class Drift:
    """One difference: a `new field`, a `new type` of a known one, or a `missing field`."""

    change: str
    field: str


def drift_of(home: Home, scratch: Home, source: str, kind: str, file_id: str) -> list[Drift]:
    """Compare a file that landed in *scratch* with what has landed in *home*."""
    if not home.landed_fields.exists():
        return []
    with duckdb.connect() as connection:
        rows = connection.execute(
            _DRIFT,
            {
                "landed": str(home.landed_fields),
                "files": str(home.landed_files),
                "file": str(scratch.landed_fields),
                "source": source,
                "kind": kind,
                "file_id": file_id,
                "fewest": _FEWEST_DOCUMENTS,
            },
        ).fetchall()
    return [Drift(*row) for row in rows]
