import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.landing import land, load_mapping
from orchestration.landing.errors import MappingError, NothingToLandError, UnreadableFileError
from serving.home import Home
from serving.pseudonyms import Pseudonyms

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "orchestration/mappings"
DATA = ROOT.parent / "shared/data"
VISITS = """
source: visits
format: {format}
events: {{file: visits, user: who, place: where, time: {{column: when}}, kind: visit}}
"""
Lines = Callable[[], list[dict[str, Any]]]
Write = Callable[[str, bytes], Path]


def described(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mapping.yml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("format: csv", "format: xml"), r"mapping\.yml: format is 'xml'.*'csv'"),
        (("user: who, ", ""), r"mapping\.yml: events\.user is missing"),
        (("user: who", "user: who, colour: red"), r"events\.colour is no field.*'red'"),
        (("kind: visit", "kind: visit, max_events_per_day: 0"), "max_events_per_day"),
        (("time: {column: when}", "rating: stars"), "'time' or 'order' must be there"),
        (
            ("time: {column: when}", "order: nth, max_events_per_day: 9"),
            "'max_events_per_day' needs 'time'",
        ),
        (("column: when", "column: when, timezone: America/Gotham"), r"no time zone.*Gotham"),
        (("column: when", "column: when, unit: h"), r"events\.time\.unit is 'h'.*'ms'"),
        (("source: visits", "source: ../up"), r"source is '\.\./up'.*my_reviews"),
        (("source: visits", "source: sample"), "taken by the sample city"),
        (("source: visits", "source: [visits"), "this is no YAML"),
    ],
)
def test_a_wrong_mapping_says_where_and_what_is_right(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    path = described(tmp_path, VISITS.format(format="csv").replace(*change))
    with pytest.raises(MappingError, match=f"(?s){said}"):
        load_mapping(path)


def test_an_order_may_stand_beside_the_time(tmp_path: Path) -> None:
    text = VISITS.format(format="csv").replace("kind: visit", "kind: visit, order: pos")
    events = load_mapping(described(tmp_path, text)).events
    assert (events.time, events.order) != (None, None)
    assert "pos" in events.columns()


def test_a_mapping_that_is_not_there_leads_to_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"foursquare\.yml"):
        load_mapping(tmp_path / "none.yml")


@pytest.mark.parametrize("name", ["foursquare", "movielens", "reviews"])
def test_the_shipped_mappings_are_right(name: str) -> None:
    assert load_mapping(SHIPPED / f"{name}.yml").source == name


def test_one_table_lands_alike_in_every_format(
    home: Home, write: Write, tmp_path: Path, lines: Lines
) -> None:
    rows = [
        {"who": "ann", "where": "x,1", "when": "2026-01-01T00:00:00"},
        {"who": None, "where": "y"},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    contents = {
        "parquet": (tmp_path / "rows.parquet").read_bytes(),
        "csv": b'who,where,when\r\nann,"x,1",2026-01-01T00:00:00\r\n,y,\r\n',
        "jsonl": "\n".join(json.dumps(row) for row in rows).encode(),
    }
    for format_, content in contents.items():
        text = VISITS.format(format=format_).replace("source: visits", f"source: {format_}")
        mapping = load_mapping(described(tmp_path, text))
        (file,) = land(home, mapping, write("visits", content))
        assert (file.kind, file.lines_in, file.unreadable) == ("events", 2, {"no_user": 1})
    pseudonym = Pseudonyms(home.keys).of("ann")
    for source in contents:
        first, second = (row for row in lines() if row["source"] == source)
        assert first["doc"] == {**rows[0], "who": pseudonym}
        assert first["user_id"] == pseudonym
        assert (second["doc"], second["landing_reason"]) == (None, "no_user")


@pytest.mark.parametrize(
    ("format_", "content"), [("csv", b"who,place\n"), ("parquet", b"")], ids=["csv", "parquet"]
)
def test_columns_that_are_not_there_are_told_before_anything_lands(
    home: Home, write: Write, tmp_path: Path, format_: str, content: bytes
) -> None:
    pq.write_table(pa.table({"who": ["a"], "place": ["b"]}), tmp_path / "rows.parquet")
    folder = write("visits", content or (tmp_path / "rows.parquet").read_bytes())
    mapping = load_mapping(described(tmp_path, VISITS.format(format=format_)))
    with pytest.raises(MappingError, match=r"\['where', 'when'\].*\['who', 'place'\]"):
        land(home, mapping, folder)
    assert not list(home.lines.rglob("*"))


def test_a_path_to_one_file_is_the_events_file(home: Home, write: Write, tmp_path: Path) -> None:
    folder = write("other-name.csv", b"who,where,when\na,b,2026-01-01\n")
    mapping = load_mapping(described(tmp_path, VISITS.format(format="csv")))
    with pytest.raises(NothingToLandError, match=r"events\.file"):
        land(home, mapping, folder)
    (file,) = land(home, mapping, folder / "other-name.csv")
    assert (file.name, file.lines_in) == ("other-name.csv", 1)


def test_a_file_of_another_format_is_told(home: Home, write: Write, tmp_path: Path) -> None:
    mapping = load_mapping(described(tmp_path, VISITS.format(format="parquet")))
    with pytest.raises(UnreadableFileError, match="no Parquet file"):
        land(home, mapping, write("visits", b"who,where,when\n"))


@pytest.mark.parametrize(
    ("name", "folder", "names"),
    [
        ("foursquare", "foursquare_nyc", ["places.parquet", "checkins.parquet"]),
        ("movielens", "ml-1m", ["movies.parquet", "sequences_bert4rec.parquet"]),
    ],
)
def test_the_shipped_mappings_fit_the_real_data(  # noqa: PLR0913, PLR0917 - fixtures and cases
    home: Home, tmp_path: Path, lines: Lines, name: str, folder: str, names: list[str]
) -> None:
    if not (DATA / folder).is_dir():
        pytest.skip(f"the data set {folder} does not lie beside the repository")
    for file in names:
        rows = next(pq.ParquetFile(DATA / folder / file).iter_batches(2000))
        pq.write_table(pa.table(rows), tmp_path / file)
    landed = land(home, load_mapping(SHIPPED / f"{name}.yml"), tmp_path)
    assert [(file.name, file.lines_in, file.unreadable) for file in landed] == [
        (file, 2000, {}) for file in names
    ]
    for row in lines():
        assert (row["user_id"] is None) == (row["kind"] == "places")
        assert (row["district_code"] is None) == (name == "movielens" or row["kind"] == "events")
