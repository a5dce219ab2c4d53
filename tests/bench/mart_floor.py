"""The least that ingest and build have to do, without the tools; `bench-mart` measures it.

python -m tests.bench.mart_floor ingest DOCUMENTS OUT
python -m tests.bench.mart_floor build HOME OUT AS_OF
"""

import hashlib
import sys
from pathlib import Path

import duckdb
import pyarrow as pa

_CHUNK = 8 << 20
SQL = Path(__file__).with_suffix(".sql")


def ingest(documents: Path, out: Path) -> None:
    """Read each file, hash it, and keep it compressed as the archive is."""
    out.mkdir(parents=True)
    for path in sorted(documents.iterdir()):
        digest = hashlib.sha256()
        sink = pa.CompressedOutputStream(str(out / f"{path.name}.zst"), "zstd")
        with path.open("rb") as source, sink:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                sink.write(chunk)
        (out / f"{path.name}.sha256").write_text(digest.hexdigest())


def build(home: Path, out: Path, as_of: str) -> None:
    """Make the rows of marts and features out of the archive of *home*, by one script of SQL."""
    out.mkdir(parents=True)
    given = {
        "lines": f"{home}/raw/lines/**/*.parquet",
        "files": f"{home}/raw/files.parquet",
        "as_of": as_of,
        "out": str(out),
    }
    with duckdb.connect(str(out / "floor.duckdb")) as connection:
        connection.execute(
            "set TimeZone = 'UTC'; set threads = 2; set preserve_insertion_order = false"
        )
        for statement in duckdb.extract_statements(SQL.read_text()):
            # A statement takes exactly the parameters that it names.
            named = {name: given[name] for name in statement.named_parameters}
            connection.execute(statement, named or None)


if __name__ == "__main__":
    what, first, second, *rest = sys.argv[1:]
    {"ingest": ingest, "build": build}[what](Path(first), Path(second), *rest)
