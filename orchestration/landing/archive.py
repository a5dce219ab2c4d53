"""The archive: every line that landed; apart from it the quarantine, encrypted (dead letters).

A file appears whole under its name or not at all; whether it counts, the ledger says.
"""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from orchestration.landing.documents import Documents
from orchestration.landing.readers.batches import Batch, Reason
from serving.files import put_in_place
from serving.home import Home
from serving.keys import make_key

KEY_NAME = "quarantine.key"
_NONCE_BYTES = 12
_PLACE = "source=*/kind=*/landed_date=*"
_STRAY = ".stray"
_FIRSTS = 3  # so many unreadable lines are named for each reason
LINES = pa.schema(
    {
        "file_id": pa.string(),
        "line_number": pa.int64(),
        "byte_offset": pa.int64(),
        "user_id": pa.string(),
        "district_code": pa.string(),
        "doc": pa.string(),
        "landing_reason": pa.string(),
    }
)
QUARANTINED = pa.schema(
    {
        "file_id": pa.string(),
        "line_number": pa.int64(),
        "byte_offset": pa.int64(),
        "landing_reason": pa.string(),
        "ciphertext": pa.binary(),
    }
)


class ArchivedFile:
    """One landed file on its way into the archive."""

    def __init__(
        self, home: Home, *, source: str, kind: str, landed_date: date, file_id: str
    ) -> None:
        self._home = home
        self.file_id = file_id
        self.lines_in = 0
        self.fields: dict[tuple[str, str], int] = {}
        self.unreadable: dict[str, int] = {}
        self.first_unreadable: dict[str, list[int]] = {}
        self.returned = 0
        place = Path(f"source={source}", f"kind={kind}", f"landed_date={landed_date}")
        name = f"{file_id}.parquet"
        self._lines = _Draft(home.lines / place / name, LINES)
        self._quarantine = _Draft(home.quarantine / place / name, QUARANTINED)
        self._cipher = AESGCM(make_key(home.keys / KEY_NAME))

    def add(self, batch: Batch, documents: Documents, numbers: pa.Array | None = None) -> None:
        """Write a batch of lines: each to the archive, the unreadable ones to quarantine too.

        Without *numbers* the lines are those that follow in the file.
        """
        if numbers is None:
            numbers = pa.array(range(self.lines_in + 1, self.lines_in + len(batch) + 1), pa.int64())
        table = pa.table(
            [
                pa.repeat(pa.scalar(self.file_id), len(batch)),
                numbers,
                batch.offsets,
                documents.user_ids,
                documents.district_codes,
                documents.docs,
                documents.reasons,
            ],
            schema=LINES,
        )
        self._lines.write(table)
        self.lines_in += len(batch)
        broken = pc.fill_null(pc.not_equal(documents.reasons, Reason.ERASED.value), False)  # noqa: FBT003 - pyarrow's order
        if broken.true_count:
            self._set_aside(table.filter(broken), batch.raw.filter(broken))

    def _set_aside(self, rows: pa.Table, raw: pa.Array) -> None:
        columns = (rows[name].to_pylist() for name in ("landing_reason", "line_number"))
        for reason, number in zip(*columns, strict=True):
            self.unreadable[reason] = self.unreadable.get(reason, 0) + 1
            firsts = self.first_unreadable.setdefault(reason, [])
            if len(firsts) < _FIRSTS:
                firsts.append(number)
        sealed = [
            _seal(self._cipher, line.removesuffix(b"\n"), self.file_id, number)
            for line, number in zip(raw.to_pylist(), rows["line_number"].to_pylist(), strict=True)
        ]
        kept = rows.select(["file_id", "line_number", "byte_offset", "landing_reason"])
        self._quarantine.write(kept.append_column("ciphertext", pa.array(sealed, pa.binary())))

    def finish(self) -> None:
        """Put both files under their names, durably; quarantine first, if there is any."""
        if self.unreadable:
            self._quarantine.finish()
        self._lines.finish()

        for folder in (self._home.lines, self._home.quarantine):
            for stray in folder.glob(f"{_PLACE}/{self.file_id}.parquet{_STRAY}"):
                stray.unlink()

    def discard(self) -> None:
        """Leave nothing of the drafts behind."""
        self._lines.discard()
        self._quarantine.discard()


class _Draft:
    """A Parquet file under a temporary name until it is finished."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._draft = draft_of(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(
            self._draft, schema, compression="zstd", compression_level=1
        )

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(table)

    def finish(self) -> None:
        self._writer.close()
        put_in_place(self._draft, self._path)

    def discard(self) -> None:
        self._writer.close()
        self._draft.unlink(missing_ok=True)


def draft_of(path: Path) -> Path:
    """Name what is to become *path*; `set_strays_aside` removes what a kill leaves of it."""
    return path.with_name(f".{path.name}.tmp")


def set_strays_aside(home: Home, known: set[str]) -> None:
    """Clear up after a killed landing: remove drafts, rename files that the ledger does not know.

    Not removed, for a ledger that was lost or put back from an older copy knows too few; nobody
    reads a `.stray`. It goes when its file lands again.
    """
    for folder in (home.lines, home.quarantine):
        for path in folder.glob(f"{_PLACE}/.*.tmp"):
            path.unlink()
        for path in folder.glob(f"{_PLACE}/*.parquet"):
            if path.stem not in known:
                path.rename(f"{path}{_STRAY}")


def path_of(folder: Path, file_id: str) -> Path | None:
    """Find what *folder*, the archive's or the quarantine's, holds of a landed file."""
    return next(folder.glob(f"{_PLACE}/{file_id}.parquet"), None)


def quarantined_lines(home: Home, path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the (line number, bytes) of one quarantine file, decrypted."""
    cipher = AESGCM(make_key(home.keys / KEY_NAME))
    for row in pq.read_table(path).to_pylist():
        sealed, bound = row["ciphertext"], _bound(row["file_id"], row["line_number"])
        yield (
            row["line_number"],
            cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound),
        )


def _seal(cipher: AESGCM, line: bytes, file_id: str, line_number: int) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, line, _bound(file_id, line_number))


def _bound(file_id: str, line_number: int) -> bytes:
    """Bind a line to its place, so that lines cannot be swapped."""
    return f"{file_id}:{line_number}".encode()
