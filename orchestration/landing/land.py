"""Landing, idempotent: files come in, every line is kept, and the ledger says so last.

The order makes it safe to be killed anywhere: archive files under their names, then the
vault, then the ledger, then what is exported. What the ledger does not know has not landed,
and the next landing sets it aside and does it again.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import duckdb

from models_ml.files import hold
from orchestration.landing import archive
from orchestration.landing.archive import ArchivedFile, set_strays_aside
from orchestration.landing.documents import DocumentReader, Documents, Reading
from orchestration.landing.erasing import erase_refused
from orchestration.landing.errors import FileChangedError, LandingBusyError, MappingError
from orchestration.landing.field_counts import FieldCounter
from orchestration.landing.ledger import Entry, Ledger, Offsets
from orchestration.landing.mapping import Mapping
from orchestration.landing.readers.batches import Batch
from orchestration.landing.readers.unpacking import Unpacked, naming
from orchestration.landing.sources import Arrival, Source, arrivals, name_of, reading_of
from orchestration.landing.tombstones import Tombstones
from serving import pseudonyms, vault
from serving.home import Home, now
from serving.keys import make_key, open_key
from serving.pseudonyms import Pseudonyms
from serving.vault import Vault

Progress = Callable[[str, int, int], None]
"""Called with a file's name, the bytes done and the bytes in all."""


@dataclass(frozen=True)
class LandedFile:
    """What became of one file.

    ``unreadable`` counts lines by reason; ``first_unreadable`` has the first ones' numbers.
    ``returned`` counts the people who had been forgotten, and of whom it tells anew.
    """

    name: str
    source: str
    kind: str
    file_id: str
    status: Literal["landed", "already_landed"]
    lines_in: int
    bytes: int
    is_truncated: bool = False
    is_remapped: bool = False
    unreadable: dict[str, int] = field(default_factory=dict)
    first_unreadable: dict[str, list[int]] = field(default_factory=dict)
    returned: int = 0
    seconds: float = 0.0


def land(
    home: Home,
    source: Source,
    path: Path,
    progress: Progress | None = None,
    *,
    day: date | None = None,
) -> list[LandedFile]:
    """Land the files of *source* found at *path*, places first; of a *day* those that arrived then.

    A file whose bytes have landed before under the same source and kind is left alone.
    """
    with ready(home) as ledger:
        files = arrivals(source, path)
        due = [arrival for arrival in files if day is None or arrival.day == day]
        with loading(home, ledger, source) as landing:
            landed = [landing.land(arrival, progress or silent) for arrival in due]
            landed += landing.earlier({one.file_id for one in landed})
            if landing.is_backfill:
                landing.takes_all = all(landing.knows(one) for one in files if one not in due)
            return landed


def recover(home: Home) -> None:
    """Bring the archive and its export in line with the ledger and the tombstones.

    After a kill, or after somebody put back a copy of the archive.
    """
    with alone_landing(home), _ledger(home) as ledger:
        _recover(home, ledger)


@contextmanager
def ready(home: Home) -> Iterator[Ledger]:
    """Hold *home* alone, cleared up after a kill and with its keys; give its ledger."""
    with alone_landing(home), _ledger(home) as ledger:
        _recover(home, ledger)
        _prepare_keys(home, ledger)
        yield ledger


@contextmanager
def loading(home: Home, ledger: Ledger, source: Source) -> Iterator["Landing"]:
    """Load *source*; it has had its first load when this ends without an error, and took all."""
    landed_at = now()
    is_backfill = ledger.begin_load(name_of(source), landed_at)
    landing = Landing(home, ledger, source, landed_at, is_backfill=is_backfill)
    try:
        yield landing
    finally:
        landing.export_mappings()
    if landing.takes_all:
        ledger.finish_load(name_of(source))


def _recover(home: Home, ledger: Ledger) -> None:
    set_strays_aside(home, {entry.file_id for entry in ledger.files()})
    erase_refused(home, ledger)
    ledger.export(home)


def _prepare_keys(home: Home, ledger: Ledger) -> None:
    """Make the home's keys before anything lands; once something has, only open them."""
    has_landed = bool(ledger.files()) or home.vault.exists()
    for name in (pseudonyms.KEY_NAME, vault.KEY_NAME, archive.KEY_NAME):
        (open_key if has_landed else make_key)(home.keys / name)


@dataclass(frozen=True)
class Content:
    """What lands as one file."""

    kind: str
    name: str
    sha256: str
    bytes: int
    is_truncated: bool = False


class Landing:
    """What all that lands at one moment of one source has in common.

    Of a first load, ``takes_all`` says whether nothing of the source is left to land; where days
    are loaded one by one, it goes on until then.
    """

    def __init__(
        self,
        home: Home,
        ledger: Ledger,
        source: Source,
        landed_at: datetime,
        *,
        is_backfill: bool,
    ) -> None:
        self._home = home
        self._ledger = ledger
        self.source = name_of(source)
        self.takes_all = True
        self.is_backfill = is_backfill
        self._mapping = source.to_json() if isinstance(source, Mapping) else None
        self._is_remapped = False
        self._landed_at = landed_at
        self._pseudonyms = Pseudonyms.create(home.keys)
        self._tombstones = Tombstones(home)
        self._refuses = self._tombstones.refusal(landed_at, is_backfill=is_backfill)

    def land(self, arrival: Arrival, progress: Progress) -> LandedFile:
        """Land a file, unless its bytes have landed before."""
        begun = time.perf_counter()
        name = _printable(arrival.path.name)
        seen = _fingerprint(arrival.path)
        sha256, file_id = self._identify(arrival)
        known = self._ledger.file(file_id)
        if known is not None:
            return self.again(known, arrival.reading, name, str(arrival.path))
        unpacked = Unpacked(arrival.path)
        archived = self.archive(
            file_id,
            arrival.kind,
            arrival.reading,
            lambda connection: _batches(arrival, unpacked, connection, seen, progress),
        )
        content = Content(arrival.kind, name, sha256, seen.size, unpacked.is_truncated)
        return self.count(archived, content, begun)

    def knows(self, arrival: Arrival) -> bool:
        """Say whether a file's bytes have landed before."""
        _, file_id = self._identify(arrival)
        return self._ledger.file(file_id) is not None

    def _identify(self, arrival: Arrival) -> tuple[str, str]:
        with naming(arrival.path), arrival.path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return sha256, file_id_of(self.source, arrival.kind, sha256)

    def archive(
        self,
        file_id: str,
        kind: str,
        reading: Reading,
        batches: Callable[[duckdb.DuckDBPyConnection], Iterator[Batch]],
    ) -> ArchivedFile:
        """Put all *batches* into the archive; nothing of them if one cannot be had."""
        archived = ArchivedFile(
            self._home,
            source=self.source,
            kind=kind,
            landed_date=self._landed_at.date(),
            file_id=file_id,
        )
        opened = Vault.create(self._home)
        returned: set[str] = set()

        def is_refused(pseudonym: str) -> bool:
            if self._refuses(pseudonym):
                return True
            if pseudonym in self._tombstones:
                returned.add(pseudonym)
            return False

        try:
            with duckdb.connect() as connection:
                connection.execute("set TimeZone = 'UTC'; set threads = 1")
                reader = DocumentReader(connection, reading, self._pseudonyms, opened, is_refused)
                fields = FieldCounter(connection.cursor())

                def keep(batch: Batch, documents: Documents) -> None:
                    archived.add(batch, documents)
                    fields.add(documents.docs)

                # One batch is written while the next one is read.
                with ThreadPoolExecutor(max_workers=1) as writer:
                    writing: Future[None] | None = None
                    for batch in batches(connection):
                        documents = reader.read(batch)
                        if writing:
                            writing.result()
                        writing = writer.submit(keep, batch, documents)
                    if writing:
                        writing.result()
                archived.fields = fields.counts()
                archived.returned = len(returned)
            archived.finish()
        finally:
            archived.discard()
            opened.close()
        return archived

    def count(
        self, archived: ArchivedFile, content: Content, begun: float, offsets: Offsets | None = None
    ) -> LandedFile:
        """Make what is in the archive count, together with the *offsets* it was read from."""
        entry = Entry(
            file_id=archived.file_id,
            source=self.source,
            **asdict(content),
            lines_in=archived.lines_in,
            landed_at=self._landed_at.isoformat(),
            is_backfill=self.is_backfill,
            mapping=self._mapping,
        )
        self._ledger.add(entry, archived.fields, offsets)
        self._ledger.export(self._home)
        return LandedFile(
            name=entry.name,
            source=entry.source,
            kind=entry.kind,
            file_id=entry.file_id,
            status="landed",
            lines_in=entry.lines_in,
            bytes=entry.bytes,
            is_truncated=entry.is_truncated,
            unreadable=archived.unreadable,
            first_unreadable=archived.first_unreadable,
            returned=archived.returned,
            seconds=time.perf_counter() - begun,
        )

    def export_mappings(self) -> None:
        """Tell dbt of mappings that have changed: once, however many files they hold for."""
        if self._is_remapped:
            self._ledger.export(self._home)

    def earlier(self, seen: set[str]) -> list[LandedFile]:
        """Let a changed mapping hold for what landed before and is there no more, either.

        An export that is overwritten is *seen* as it is now; what it was lies in the archive. Only
        where that has every column that the mapping names: its columns may have been others then.
        """
        if self._mapping is None:
            return []
        mapping = Mapping.model_validate_json(self._mapping)
        return [
            self.again(entry, reading_of(mapping, entry.kind), entry.name, entry.name)
            for entry in self._ledger.files()
            if entry.source == self.source
            and entry.file_id not in seen
            and entry.mapping not in (None, self._mapping)
            and self._speaks_of(mapping, entry)
        ]

    def _speaks_of(self, mapping: Mapping, entry: Entry) -> bool:
        was = Mapping.model_validate_json(str(entry.mapping))
        reading = reading_of(mapping, entry.kind)
        if reading != reading_of(was, entry.kind):
            return False
        named = mapping.events if entry.kind == "events" else mapping.places
        # What landing itself reads is no longer in the archive, or not as it was.
        read = {name for names in vars(reading).values() for name in names or ()}
        # Beside a time the order may be missing.
        order = {mapping.events.order} if mapping.events.time else set()
        wanted = set(named.columns() if named else ()) - read - order
        return wanted <= self._ledger.fields_of(entry.file_id)

    def again(self, entry: Entry, reading: Reading, name: str, where: str) -> LandedFile:
        """Leave alone what has landed; if its mapping has changed, the new one holds.

        Raises:
            MappingError: the new one differs in what landing itself has read.
        """
        is_remapped = entry.mapping is not None and entry.mapping != self._mapping
        if is_remapped:
            was = Mapping.model_validate_json(str(entry.mapping))
            if reading_of(was, entry.kind) != reading:
                raise MappingError(
                    f"{where}: it has landed under a mapping of '{self.source}' with "
                    "another column for the user, the coordinates or the district. Those are read "
                    "when a file lands. Choose another name as the mapping's source and a home of "
                    "its own: tastemate --home DIR"
                )
            self._ledger.remap(entry.file_id, self._mapping, self._landed_at)
            self._is_remapped = True
        return LandedFile(
            name=name,
            source=entry.source,
            kind=entry.kind,
            file_id=entry.file_id,
            status="already_landed",
            lines_in=entry.lines_in,
            bytes=entry.bytes,
            is_truncated=entry.is_truncated,
            is_remapped=is_remapped,
        )


def _batches(
    arrival: Arrival,
    unpacked: Unpacked,
    connection: duckdb.DuckDBPyConnection,
    seen: "_Fingerprint",
    progress: Progress,
) -> Iterator[Batch]:
    for batch in arrival.batches(connection, unpacked):
        yield batch
        progress(arrival.path.name, unpacked.position, seen.size)
    if not arrival.path.exists() or _fingerprint(arrival.path) != seen:
        raise FileChangedError(
            f"{arrival.path}: the file was written to while it was read; nothing of it "
            "has landed. Wait until it is complete, then ingest again."
        )


def file_id_of(source: str, kind: str, sha256: str) -> str:
    """Give the id of a landed file."""
    return hashlib.sha256(f"{source}|{kind}|{sha256}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Fingerprint:
    inode: int
    size: int
    modified: int


def _fingerprint(path: Path) -> _Fingerprint:
    status = path.stat()
    return _Fingerprint(status.st_ino, status.st_size, status.st_mtime_ns)


def _printable(name: str) -> str:
    """Give a file name that can be stored; names on disk need not be text."""
    return os.fsencode(name).decode(errors="replace")


def silent(name: str, done: int, size: int) -> None:
    """Show no progress."""


@contextmanager
def _ledger(home: Home) -> Iterator[Ledger]:
    ledger = Ledger(home)
    try:
        yield ledger
    finally:
        ledger.close()


def alone_landing(home: Home) -> AbstractContextManager[None]:
    """Hold the home's landing lock.

    Raises:
        LandingBusyError: another process holds it.
    """
    busy = LandingBusyError(
        f"{home.root}: another process is landing data into this home. "
        "Wait for it to end, or choose another home: tastemate --home DIR."
    )
    return hold(home.landing_lock, busy)
