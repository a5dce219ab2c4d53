from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.landing.readers.json_lines import read_lines

ODD = st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\xff", b"\0", b"\xc3\xa9", b"\xef\xbb\xbf"]))


@settings(deadline=None)
@given(ODD.map(b"".join), st.integers(1, 9))
def test_lines_are_the_same_wherever_chunks_are_cut(content: bytes, step: int) -> None:
    chunks = [content[start : start + step] for start in range(0, len(content), step)]
    raw = [line for batch in read_lines(chunks) for line in batch.raw.to_pylist()]
    offsets = [offset for batch in read_lines(chunks) for offset in batch.offsets.to_pylist()]
    mark = 3 if content.startswith(b"\xef\xbb\xbf") else 0
    assert b"".join(raw) == content[mark:]
    assert all(line.count(b"\n") == line.endswith(b"\n") for line in raw)
    assert [content[start:][: len(line)] for start, line in zip(offsets, raw, strict=True)] == raw


@settings(deadline=None)
@given(ODD.map(b"".join))
def test_a_line_that_is_no_text_takes_no_other_with_it(content: bytes) -> None:
    for batch in read_lines([content]):
        for raw, doc, reason in zip(
            batch.raw.to_pylist(), batch.docs.to_pylist(), batch.reasons.to_pylist(), strict=True
        ):
            assert (doc.encode() == raw) if doc is not None else (reason == "not_text")
