"""CSV: records by RFC 4180, which may hold line feeds inside quotes; all values are text."""

import csv
from collections.abc import Iterable, Iterator

import numpy as np
import orjson
import pyarrow as pa

from orchestration.landing.readers.batches import Batch, Reason
from orchestration.landing.readers.json_lines import cut, text_of, whole_blocks

_LINE_FEED, _QUOTE = 10, 34
LONGEST_QUOTED_RECORD = 256 << 10
"""A record whose quotes run on for longer has a stray quote: its first line stands alone."""

csv.field_size_limit(1 << 30)


def read_records(chunks: Iterable[bytes]) -> Iterator[Batch]:
    """Yield the records after the header."""
    header: list[str] | None = None
    for offset, block in _whole_records(chunks):
        raw, starts = block
        lines = raw.to_pylist()
        if header is None:
            header = _fields(text_of(lines[0]) or "") or []
            lines, raw, starts = lines[1:], raw[1:], starts[1:]
        docs, reasons = as_documents(lines, header)
        yield Batch(raw, docs, reasons, offsets=pa.array(starts + offset, pa.int64()))


def as_documents(records: list[bytes], header: list[str]) -> tuple[pa.Array, pa.Array]:
    """Write each record as JSON text; null, with the reason, where it does not fit the header."""
    documents = [_document(record, header) for record in records]
    docs = pa.array([doc for doc, _ in documents], pa.string())
    return docs, pa.array([reason for _, reason in documents], pa.string())


def read_header(chunks: Iterable[bytes]) -> list[str] | None:
    """Give the names of the columns; None for an empty file."""
    for _, (raw, _) in _whole_records(chunks):
        return _fields(text_of(raw[0].as_py()) or "") or []
    return None


def _whole_records(
    chunks: Iterable[bytes],
) -> Iterator[tuple[int, tuple[pa.Array, np.ndarray]]]:
    """Yield records and where each begins; a record that a block cuts waits for the next one."""
    waiting, start = b"", 0
    for offset, block in whole_blocks(chunks):
        start = start if waiting else offset
        data = waiting + block
        ends = _record_ends(data)
        done = int(ends[-1]) if len(ends) else 0
        if done:
            boundaries = np.concatenate([[0], ends])
            yield start, (cut(data[:done], boundaries), boundaries[:-1])
        waiting, start = data[done:], start + done
    if waiting:
        boundaries = _boundaries_at_the_end(waiting)
        yield start, (cut(waiting, boundaries), boundaries[:-1])


def _boundaries_at_the_end(data: bytes) -> np.ndarray:
    """Cut what no block completed: a last record without a line feed, or an open quote's lines."""
    boundaries, done = [0], 0
    while done < len(data):
        rest = data[done:]
        closed = rest if rest.endswith(b"\n") else rest + b"\n"
        ends = _record_ends(closed)
        ends = ends if len(ends) else _line_ends(closed)[:1]
        boundaries += [min(done + int(end), len(data)) for end in ends]
        done = boundaries[-1]
    return np.array(boundaries)


def _line_ends(data: bytes) -> np.ndarray:
    return np.flatnonzero(np.frombuffer(data, np.uint8) == _LINE_FEED) + 1


def _record_ends(data: bytes) -> np.ndarray:
    """Find where records end: at line feeds that an even number of quotes precedes."""
    lines = _line_ends(data)
    quotes = np.flatnonzero(np.frombuffer(data, np.uint8) == _QUOTE)
    if not len(quotes):
        return lines
    before = np.searchsorted(quotes, lines)
    earlier: list[np.ndarray] = []
    start, quotes_passed = 0, 0
    while True:
        ahead = lines > start
        ends = lines[ahead & ((before - quotes_passed) % 2 == 0)]
        lengths = np.diff(np.concatenate([[start], ends, [len(data)]]))
        runaway = np.flatnonzero(lengths > LONGEST_QUOTED_RECORD)
        if not len(runaway):
            return np.concatenate([*earlier, ends])
        ends = ends[: runaway[0]]
        last = int(ends[-1]) if len(ends) else start
        after = lines[lines > last]
        if not len(after):
            return np.concatenate([*earlier, ends])
        start = int(after[0])
        quotes_passed = int(np.searchsorted(quotes, start))
        earlier += [ends, np.array([start])]


def _document(line: bytes, header: list[str]) -> tuple[str | None, Reason | None]:
    text = text_of(line)
    if text is None:
        return None, Reason.NOT_TEXT
    if not text.strip():
        return None, Reason.BLANK_LINE
    fields = _fields(text)
    if fields is None or len(fields) != len(header):
        return None, Reason.WRONG_FIELD_COUNT
    # An empty field is how CSV says that there is no value.
    values = {name: field or None for name, field in zip(header, fields, strict=True)}
    return orjson.dumps(values).decode(), None


def _fields(text: str) -> list[str] | None:
    """Split a record into its fields; None where it is not exactly one record."""
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None
