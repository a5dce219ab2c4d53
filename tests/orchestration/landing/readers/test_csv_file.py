import csv
import io
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.landing.readers.csv_file import LONGEST_QUOTED_RECORD, read_header, read_records


def read(content: bytes, step: int = 1 << 30) -> list[tuple[bytes, str | None, str | None]]:
    chunks = [content[start : start + step] for start in range(0, len(content), step)]
    return [
        row
        for batch in read_records(chunks)
        for row in zip(
            batch.raw.to_pylist(), batch.docs.to_pylist(), batch.reasons.to_pylist(), strict=True
        )
    ]


FIELD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=6)


@settings(deadline=None)
@given(st.lists(st.lists(FIELD, min_size=3, max_size=3), max_size=12), st.booleans())
def test_records_are_read_as_they_were_written(rows: list[list[str]], is_ended: bool) -> None:  # noqa: FBT001
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["a", "b", "c"], *rows])
    content = text.getvalue() if is_ended else text.getvalue()[:-1]
    docs = [json.loads(doc or "null") for _, doc, _ in read(content.encode(), step=7)]
    assert docs == [
        {name: field or None for name, field in zip("abc", row, strict=True)} for row in rows
    ]


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"a,b", b'"', b",", b"\n", b"\xff", b"\0", b"\r\n", b'"x\ny",z'])))
def test_every_byte_after_the_header_is_in_one_record(parts: list[bytes]) -> None:
    body = b"".join(parts)
    records = read(b"a,b\n" + body)
    assert b"".join(raw for raw, _, _ in records) == body
    assert all((doc is None) != (reason is None) for _, doc, reason in records)


def test_what_does_not_fit_the_header_is_told_apart() -> None:
    content = b'a,b\n1,2\n1\n1,2,3\n\n\xff,1\n"1"x,2\n1,"2\n'
    assert [reason for _, _, reason in read(content)] == [
        None, "wrong_field_count", "wrong_field_count", "blank_line", "not_text",
        "wrong_field_count", "wrong_field_count",
    ]  # fmt: skip


def test_a_stray_quote_costs_its_own_line_only() -> None:
    rows = LONGEST_QUOTED_RECORD // 4
    records = read(b'a,b\n1,"2\n' + b"3,4\n" * (rows + 10), step=1000)
    assert [reason for _, _, reason in records] == ["wrong_field_count"] + [None] * (rows + 10)


def test_an_empty_file_has_no_header() -> None:
    assert read_header([]) is None
    assert read_header([b'\xef\xbb\xbfa,"b\nc"\n1,2']) == ["a", "b\nc"]
