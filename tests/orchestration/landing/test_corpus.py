"""The corpus of hard input, as it stands and mutated: nothing crashes, everything is counted."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.landing import land
from orchestration.landing.archive import quarantined_lines
from orchestration.landing.mapping import Mapping
from orchestration.landing.sources import Source
from serving.home import Home
from tests.corpus import CORPUS

TABLE = Mapping.model_validate(
    {
        "source": "table",
        "format": "csv",
        "events": {
            "file": "likes.jsonl", "user": "user_id", "place": "contents_id",
            "order": "order", "kind": "like",
        },
    }
)  # fmt: skip
GZIP = b"\x1f\x8b\x08"

EDITS = st.lists(
    st.tuples(
        st.sampled_from(["insert", "remove", "double"]),
        st.floats(0, 1),
        st.integers(1, 40),
        st.binary(max_size=6) | st.sampled_from([b"\n", b'"', b"{", b"\\", b"\0", b"\xff", b","]),
    ),
    max_size=4,
)


def mutated(content: bytes, edits: list[tuple[str, float, int, bytes]]) -> bytes:
    """Apply *edits*, each at a share of the content's length."""
    for edit, share, length, new in edits:
        at = int(share * len(content))
        before, after = content[:at], content[at:]
        match edit:
            case "insert":
                content = before + new + after
            case "remove":
                content = before + after[length:]
            case _:
                content = before + after[:length] + after
    return content


def landed(content: bytes, source: Source) -> tuple[int, list[bytes | None]]:
    """Land *content*; give the count of lines, and of each the bytes kept in quarantine."""
    with TemporaryDirectory() as folder:
        home, path = Home(Path(folder, "home")), Path(folder, "likes.jsonl")
        path.write_bytes(content)
        (file,) = land(home, source, path)
        (archived,) = home.lines.rglob("*.parquet")
        rows = pq.read_table(archived, partitioning=None).to_pylist()
        assert [row["line_number"] for row in rows] == list(range(1, file.lines_in + 1))
        assert all((row["doc"] is None) == bool(row["landing_reason"]) for row in rows)
        kept = [pair for path in home.quarantine.rglob("*.parquet")
                for pair in quarantined_lines(home, path)]  # fmt: skip
        by_number = dict(kept)
        assert set(by_number) == {row["line_number"] for row in rows if row["landing_reason"]}
        return file.lines_in, [by_number.get(row["line_number"]) for row in rows]


def lines_of(content: bytes) -> list[bytes]:
    """Split plain *content* as the docs say: at line feeds, after one byte order mark."""
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return lines if lines[-1] else lines[:-1]


def assert_each_line_is_kept(content: bytes) -> None:
    count, kept = landed(content, "sample")
    if content.startswith(GZIP):
        return
    lines = lines_of(content)
    assert count == len(lines)
    assert all(raw in {None, line} for raw, line in zip(kept, lines, strict=True))


@pytest.mark.parametrize("name", CORPUS)
def test_each_line_of_the_corpus_is_kept(name: str) -> None:
    assert_each_line_is_kept(CORPUS[name])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(set(CORPUS) - {"long_line"})), EDITS)
def test_each_line_of_a_mutated_file_is_kept(
    name: str, edits: list[tuple[str, float, int, bytes]]
) -> None:
    assert_each_line_is_kept(mutated(CORPUS[name], edits))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(set(CORPUS) - {"long_line", "gzip_in_gzip"})), EDITS)
def test_no_mutated_table_crashes(name: str, edits: list[tuple[str, float, int, bytes]]) -> None:
    header = b"user_id,contents_id,order\n"
    content = mutated(CORPUS[name], edits)
    count, _ = landed(header + content, TABLE)
    assert count <= len(lines_of(content)) + 1
