"""The bytes of a file, unpacked where it is gzip; a cut or spoilt end is told, not fatal."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from orchestration.landing.readers.batches import CHUNK_BYTES

# RFC 1952: two bytes that name the format, and deflate, the only method there is.
_GZIP = b"\x1f\x8b\x08"
_WINDOW_OF_GZIP = 31
_READ_BYTES = 1 << 20


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the file in an error of reading it, which says nothing of which file was open."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


class Unpacked:
    """A file's bytes, chunk by chunk. Whether it is gzip is seen from the bytes, not the name.

    `position` tells how much of the file itself has been read; `is_truncated`, once all is read,
    whether packed data was cut off or spoilt: what stands before that place is still given.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.position = 0
        self.is_truncated = False

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            is_packed = self._read(file, len(_GZIP)) == _GZIP
            file.seek(0)
            size = _READ_BYTES if is_packed else CHUNK_BYTES
            pieces = self._pieces(iter(lambda: self._read(file, size), b""))
            yield from self._inflated(pieces) if is_packed else pieces

    def _read(self, file: BinaryIO, size: int) -> bytes:
        with naming(self._path):
            return file.read(size)

    def _pieces(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.position += len(piece)
            yield piece

    def _inflated(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        inflater = zlib.decompressobj(_WINDOW_OF_GZIP)
        for piece in pieces:
            packed = piece
            while packed:
                if inflater.eof:
                    # Padding with zeros after the last member is common and means nothing.
                    packed = packed.lstrip(b"\0")
                    if not packed:
                        break
                    inflater = zlib.decompressobj(_WINDOW_OF_GZIP)
                try:
                    yield inflater.decompress(packed, CHUNK_BYTES)
                except zlib.error:
                    self.is_truncated = True
                    return
                packed = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        if not inflater.eof:
            yield inflater.flush()
            self.is_truncated = True
