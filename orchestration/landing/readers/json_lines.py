"""JSON lines: bytes cut at line feeds, before anything is decoded.

Whatever stands between two line feeds is one line, were it blank, NUL or no text at all,
and what follows the last one is a line unless it is empty.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.landing.readers.batches import CHUNK_BYTES, Batch, Reason

_LINE_FEED = 10
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_lines(chunks: Iterable[bytes]) -> Iterator[Batch]:
    """Yield the lines of a file, given as *chunks* of bytes cut anywhere."""
    for offset, block in whole_blocks(chunks):
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == _LINE_FEED) + 1
        if not block.endswith(b"\n"):
            ends = np.append(ends, len(block))
        starts = np.concatenate([[0], ends])
        raw = cut(block, starts)
        docs, reasons = as_text(raw)
        yield Batch(raw, docs, reasons, pa.array(starts[:-1] + offset))


def whole_blocks(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Regroup *chunks* into blocks that end where a line ends; each with its place in the file.

    A byte order mark at the very beginning is skipped.
    """
    offset, held, size = 0, list[bytes](), 0
    is_start = True
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size < CHUNK_BYTES or b"\n" not in chunk:
            continue
        block, rest = _cut_at_last_line(b"".join(held))
        if is_start:
            block, offset, is_start = *_without_mark(block), False
        yield offset, block
        offset += len(block)
        held, size = [rest], len(rest)
    block = b"".join(held)
    if is_start:
        block, offset = _without_mark(block)
    if block:
        yield offset, block


def cut(block: bytes, boundaries: np.ndarray) -> pa.Array:
    """Cut *block* at *boundaries* into a binary array, without copying."""
    places = pa.py_buffer(boundaries.astype(np.int32))
    return pa.Array.from_buffers(
        pa.binary(), len(boundaries) - 1, [None, places, pa.py_buffer(block)]
    )


def _cut_at_last_line(data: bytes) -> tuple[bytes, bytes]:
    end = data.rindex(b"\n") + 1
    return data[:end], data[end:]


def _without_mark(data: bytes) -> tuple[bytes, int]:
    if data.startswith(_BYTE_ORDER_MARK):
        return data[len(_BYTE_ORDER_MARK) :], len(_BYTE_ORDER_MARK)
    return data, 0


def as_text(raw: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Read *raw* lines as text; null, with the reason, where a line is none."""
    docs = raw.view(pa.string())
    try:
        docs.validate(full=True)
    except pa.ArrowInvalid:
        is_text = pa.array([text_of(line) is not None for line in raw.to_pylist()])
        return pc.if_else(is_text, docs, None), pc.if_else(is_text, None, str(Reason.NOT_TEXT))
    return docs, pa.nulls(len(raw), pa.string())


def text_of(line: bytes) -> str | None:
    """Decode a line; None where it is no UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None
