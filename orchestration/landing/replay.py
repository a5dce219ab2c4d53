"""Replay of dead letters: quarantined lines are read once more, after the fault is mended.

The archive is append-only, and so is replay: lines that can be read now land as a file of their
own, under their old numbers, and the ledger says whose they are. The old file keeps its counts.
"""

import hashlib
import shlex
import subprocess
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import duckdb
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.landing.archive import ArchivedFile, path_of, quarantined_lines
from orchestration.landing.documents import DocumentReader, Documents
from orchestration.landing.errors import ReplayError
from orchestration.landing.field_counts import FieldCounter, Fields
from orchestration.landing.land import file_id_of, ready
from orchestration.landing.ledger import Entry, Ledger
from orchestration.landing.mapping import SAMPLE, Mapping
from orchestration.landing.readers.batches import Batch, Reason
from orchestration.landing.readers.csv_file import as_documents
from orchestration.landing.readers.json_lines import as_text
from orchestration.landing.sources import Source, reading_of
from orchestration.landing.tombstones import Tombstones
from serving.home import Home, now
from serving.processes import ending
from serving.pseudonyms import Pseudonyms
from serving.vault import Vault

REASONS = [reason.value for reason in Reason if reason is not Reason.ERASED]


@dataclass(frozen=True)
class Replayed:
    """What became of the lines of one file that were still in quarantine.

    Of ``lines``, ``landed`` can be read now; ``reasons`` counts the others, which stay.
    ``file_id`` is the file they landed as; None where nothing landed, or nothing was to.
    """

    name: str
    source: str
    kind: str
    replays_file_id: str
    file_id: str | None
    lines: int
    landed: int
    reasons: dict[str, int]


def replay(
    home: Home, reason: str | None = None, through: str | None = None, *, is_trial: bool = False
) -> list[Replayed]:
    """Read once more what landing could not read, and land what it can read now.

    Only lines that were set aside for *reason*, if one is given. They go *through* a command that
    mends them: it reads them on its standard input and writes as many to its standard output.
    With *is_trial* nothing lands.

    Raises:
        ReplayError: the command failed, or gave another number of lines back; no line can be in
            quarantine for *reason*.
        LandingBusyError: another process is landing into this home.
    """
    if reason is not None and reason not in REASONS:
        raise ReplayError(
            f"landing sets no line aside for {reason!r}, but for {', '.join(REASONS)}. What the "
            "models set aside is judged anew by every build."
        )
    with ready(home) as ledger:
        replaying = _Replaying(home, ledger, reason, through, is_trial=is_trial)
        return [found for entry in ledger.files() if (found := replaying.file(entry))]


class _Users:
    """Keeps in memory which ids stand behind pseudonyms, until it is known that lines land."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []

    def add_many(self, users: list[tuple[str, str]]) -> None:
        self.pairs += users


class _Replaying:
    def __init__(
        self, home: Home, ledger: Ledger, reason: str | None, through: str | None, *, is_trial: bool
    ) -> None:
        self._home = home
        self._ledger = ledger
        self._reason = reason
        self._through = through
        self._is_trial = is_trial
        self._landed_at = now()

    def file(self, entry: Entry) -> Replayed | None:
        """Replay the lines of one file; None where none wait."""
        waiting = self._waiting(entry)
        if not len(waiting):
            return None
        raw = waiting["raw"].to_pylist()
        if self._through:
            raw = _mended(raw, self._through, entry.name)
        batch = self._as_batch(entry, raw, waiting["byte_offset"])
        documents, users = self._read(entry, batch)
        is_read = documents.reasons.is_null()
        file_id = None
        if is_read.true_count and not self._is_trial:
            numbers = waiting["line_number"].combine_chunks().filter(is_read)
            lines = batch.filter(is_read), documents.filter(is_read), numbers
            file_id = self._land(entry, lines, users)
        return Replayed(
            name=entry.name,
            source=entry.source,
            kind=entry.kind,
            replays_file_id=entry.file_id,
            file_id=file_id,
            lines=len(batch),
            landed=is_read.true_count,
            reasons=dict(Counter(documents.reasons.drop_null().to_pylist())),
        )

    def _waiting(self, entry: Entry) -> pa.Table:
        """Decrypt the lines that no earlier replay has landed."""
        path = path_of(self._home.quarantine, entry.file_id)
        columns = ["line_number", "byte_offset", "landing_reason"]
        if path is None:
            return pa.table({})
        lines = pq.read_table(path, columns=columns, partitioning=None)
        raw = [line for _, line in quarantined_lines(self._home, path)]
        lines = lines.append_column("raw", pa.array(raw, pa.binary())).combine_chunks()
        is_wanted = pc.invert(pc.is_in(lines["line_number"], pa.array(self._landed(entry))))
        if self._reason:
            is_wanted = pc.and_(is_wanted, pc.equal(lines["landing_reason"], self._reason))
        return lines.filter(is_wanted).combine_chunks()

    def _landed(self, entry: Entry) -> list[int]:
        """List the numbers of the lines that earlier replays have landed."""
        paths = [
            path_of(self._home.lines, replayed.file_id)
            for replayed in self._ledger.replays_of(entry.file_id)
        ]
        return [
            number
            for path in paths
            for number in pq.read_table(path, columns=["line_number"], partitioning=None)[
                "line_number"
            ].to_pylist()
        ]

    def _as_batch(self, entry: Entry, raw: list[bytes], offsets: pa.ChunkedArray) -> Batch:
        source = _source(entry)
        lines = pa.array(raw, pa.binary())
        if isinstance(source, Mapping) and source.format == "csv":
            docs, reasons = as_documents(raw, self._header(entry))
        else:
            docs, reasons = as_text(lines)
        return Batch(lines, docs, reasons, offsets.combine_chunks())

    def _header(self, entry: Entry) -> list[str]:
        """Read the names of a CSV file's columns from a document that could be made of it."""
        path = path_of(self._home.lines, entry.file_id)
        docs = pq.read_table(path, columns=["doc"], partitioning=None)["doc"].drop_null()
        if not len(docs):
            raise ReplayError(
                f"{entry.name}: no line of it could be read, so that the names of its columns are "
                "not known. Mend the file itself and ingest it."
            )
        return list(orjson.loads(docs[0].as_py()))

    def _read(self, entry: Entry, batch: Batch) -> tuple[Documents, _Users]:
        users = _Users()
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'; set threads = 1")
            reading = reading_of(_source(entry), entry.kind)
            pseudonyms = Pseudonyms.create(self._home.keys)
            # The lines were known when they went into quarantine.
            is_refused = Tombstones(self._home).refusal(
                datetime.fromisoformat(entry.landed_at), is_backfill=entry.is_backfill
            )
            reader = DocumentReader(connection, reading, pseudonyms, users, is_refused)
            return reader.read(batch), users

    def _land(self, entry: Entry, lines: tuple[Batch, Documents, pa.Array], users: _Users) -> str:
        """Land lines in the order that keeps a kill harmless: archive, vault, ledger, export."""
        batch, documents, numbers = lines
        content = b"\n".join(batch.raw.to_pylist())
        sha256 = hashlib.sha256(content).hexdigest()
        # Like lines of two files are two lines: each file's replay is a file of its own.
        file_id = file_id_of(entry.source, entry.kind, f"{entry.file_id}|{sha256}")
        archived = ArchivedFile(
            self._home,
            source=entry.source,
            kind=entry.kind,
            landed_date=self._landed_at.date(),
            file_id=file_id,
        )
        try:
            archived.add(batch, documents, numbers)
            archived.finish()
        finally:
            archived.discard()
        vault = Vault.create(self._home)
        vault.add_many(users.pairs)
        vault.close()
        self._ledger.add(
            Entry(
                file_id=file_id,
                source=entry.source,
                kind=entry.kind,
                name=f"{entry.name} (replayed)",
                sha256=sha256,
                bytes=len(content),
                lines_in=len(batch),
                landed_at=self._landed_at.isoformat(),
                is_backfill=False,
                is_truncated=False,
                mapping=entry.mapping,
                replays_file_id=entry.file_id,
            ),
            _fields(documents.docs),
        )
        self._ledger.export(self._home)
        return file_id


def sentence(replayed: Replayed, *, is_trial: bool) -> str:
    """Tell a person what became of one file's lines."""
    counts = (
        f"{replayed.name} ({replayed.source}, {replayed.kind}): {replayed.landed:,} of the "
        f"{replayed.lines:,} in quarantine {'would land' if is_trial else 'landed'}"
    )
    still = ", ".join(f"{count:,} {reason}" for reason, count in replayed.reasons.items())
    return f"{counts}; still unreadable: {still}" if still else counts


def _fields(docs: pa.Array) -> Fields:
    with duckdb.connect() as connection:
        counter = FieldCounter(connection)
        counter.add(docs)
        return counter.counts()


def _source(entry: Entry) -> Source:
    return Mapping.model_validate_json(entry.mapping) if entry.mapping else SAMPLE


def _mended(lines: list[bytes], through: str, name: str) -> list[bytes]:
    """Give *lines* to a command and take as many back."""
    if any(b"\n" in line for line in lines):
        raise ReplayError(
            f"{name}: a record in its quarantine has line feeds inside, so that a command could "
            "not tell where it ends. Mend the file itself and ingest it."
        )
    try:
        ended = subprocess.run(  # noqa: S603 - what the operator typed
            shlex.split(through),
            input=b"".join(line + b"\n" for line in lines),
            capture_output=True,
            check=True,
        )
    except (OSError, ValueError) as error:
        raise ReplayError(f"--through {through!r} cannot be run: {error}.") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip() or "it said nothing"
        raise ReplayError(
            f"{name}: --through {through!r} {ending(error.returncode)}: {said}"
        ) from error
    mended = ended.stdout.removesuffix(b"\n").split(b"\n")
    if len(mended) != len(lines):
        raise ReplayError(
            f"{name}: --through {through!r} was given {len(lines)} lines and wrote {len(mended)}. "
            "It must write one line for each it reads."
        )
    return mended
