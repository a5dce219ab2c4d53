"""What every reader yields: a run of lines, whatever the file's format."""

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

CHUNK_BYTES = 8 << 20
"""How much of a file is held at once; a single line may be longer."""


class Reason(StrEnum):
    """Why the archive has no document of a line."""

    BLANK_LINE = "blank_line"
    NOT_TEXT = "not_text"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    WRONG_FIELD_COUNT = "wrong_field_count"
    NO_USER = "no_user"
    ERASED = "erased"  # the one that is not kept in quarantine either: a person was forgotten


@dataclass(frozen=True)
class Batch:
    """Lines that follow one another in a file, one row each.

    raw      binary, the line as it stands in the file
    docs     string, the line as JSON text; null where `reasons` says why not
    reasons  string, a Reason, or null
    offsets  int64, where the line begins in the (unpacked) file; null where rows have no bytes
    """

    raw: pa.Array
    docs: pa.Array
    reasons: pa.Array
    offsets: pa.Array

    def __len__(self) -> int:
        return len(self.raw)

    def filter(self, chosen: pa.Array) -> "Batch":
        """Keep the lines for which *chosen*, booleans, is true."""
        columns = (self.raw, self.docs, self.reasons, self.offsets)
        return Batch(*(column.filter(chosen) for column in columns))
