"""What becomes of a line: judged as JSON, and its user's id replaced by the pseudonym.

DuckDB judges and rewrites, so that what landing calls JSON is what dbt will be able to read.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import duckdb
import h3
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.home.sql import literal
from orchestration.landing.readers.batches import Batch, Reason
from serving.pseudonyms import Pseudonyms, canonical_id

DISTRICT_RESOLUTION = 7
_MOST_REMEMBERED = 1_000_000


class UserKeeper(Protocol):
    """Keeps which id stands behind a pseudonym."""

    def add_many(self, users: list[tuple[str, str]]) -> None: ...


@dataclass(frozen=True)
class Reading:
    """Where landing itself has to look into a document; field names, outermost first."""

    user: tuple[str, ...] | None = None
    latitude: tuple[str, ...] | None = None
    longitude: tuple[str, ...] | None = None
    district: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Documents:
    """The lines of a batch as the archive keeps them; all strings, null where there is nothing."""

    docs: pa.Array
    reasons: pa.Array
    user_ids: pa.Array
    district_codes: pa.Array

    def filter(self, chosen: pa.Array) -> "Documents":
        """Keep the lines for which *chosen*, booleans, is true."""
        columns = (self.docs, self.reasons, self.user_ids, self.district_codes)
        return Documents(*(column.filter(chosen) for column in columns))


class DocumentReader:
    """Reads the batches of one file; of people who are refused it keeps nothing.

    *is_refused* tells it of a pseudonym: people who were forgotten, as `Tombstones` knows them.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        reading: Reading,
        pseudonyms: Pseudonyms,
        keeper: UserKeeper,
        is_refused: Callable[[str], bool],
    ) -> None:
        self._connection = connection
        self._reading = reading
        self._pseudonyms = pseudonyms
        self._keeper = keeper
        self._is_refused = is_refused
        self._refused: set[str] = set()
        self._remembered: dict[str | None, str | None] = {}

    def read(self, batch: Batch) -> Documents:
        """Judge every line of *batch* and take the user's id out of it."""
        docs = pc.ascii_rtrim(batch.docs, " \t\r\n")
        lines = pa.table({"doc": docs, "reason": batch.reasons})
        judged = self._ask(lines, _judged(self._reading))
        rewritten = judged
        user_ids = nobody = pa.nulls(len(batch), pa.string())
        if self._reading.user:
            user_ids = self._pseudonyms_of(_column(judged, "user_value"))
            told = judged.append_column("user_id", user_ids)
            is_once = _stands_once(_column(judged, "doc"), self._reading.user)
            told = told.append_column("is_once", is_once)
            rewritten = self._ask(told, _rewritten(self._reading.user))
        documents = Documents(
            docs=_column(rewritten, "doc"),
            reasons=_column(rewritten, "reason"),
            user_ids=user_ids,
            district_codes=_districts(judged) if self._reading.latitude else nobody,
        )
        return _without(documents, self._refused) if self._refused else documents

    def _ask(self, table: pa.Table, question: str) -> pa.Table:
        self._connection.register("lines", table)
        answer: pa.Table = self._connection.execute(question).to_arrow_table()
        self._connection.unregister("lines")
        return answer

    def _pseudonyms_of(self, values: pa.Array) -> pa.Array:
        """Give the pseudonyms of users as JSON values; null where a value names nobody."""
        coded = values.dictionary_encode()
        distinct = coded.dictionary.to_pylist()
        if len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.clear()
        fresh = {
            value: user_id
            for value in distinct
            if value not in self._remembered and (user_id := _user_of(value)) is not None
        }
        known = self._pseudonyms.of_many(fresh.values())
        self._refused.update(filter(self._is_refused, known))
        people = zip(known, fresh.values(), strict=True)
        self._keeper.add_many([told for told in people if told[0] not in self._refused])
        self._remembered.update(zip(fresh, known, strict=True))
        names = [self._remembered.get(value) for value in distinct]
        return pa.array(names, pa.string()).take(coded.indices)


def _without(documents: Documents, refused: set[str]) -> Documents:
    """Keep of the lines of *refused* people only that they were there."""
    is_theirs = pc.is_in(documents.user_ids, value_set=pa.array(sorted(refused), pa.string()))
    nothing = pa.scalar(None, pa.string())
    return Documents(
        docs=pc.if_else(is_theirs, nothing, documents.docs),
        reasons=pc.if_else(is_theirs, Reason.ERASED.value, documents.reasons),
        user_ids=pc.if_else(is_theirs, nothing, documents.user_ids),
        district_codes=documents.district_codes,
    )


def _user_of(value: str) -> str | None:
    try:
        return canonical_id(json.loads(value))
    except (ValueError, RecursionError):
        # A number of thousands of digits, or nesting without end: no id.
        return None


def _column(table: pa.Table, name: str) -> pa.Array:
    return table[name].combine_chunks()


def _pointer(path: tuple[str, ...]) -> str:
    """Write *path* as an SQL literal of a JSON pointer, which any field name fits into."""
    steps = (step.replace("~", "~0").replace("/", "~1") for step in path)
    return literal("".join(f"/{step}" for step in steps))


def _judged(reading: Reading) -> str:
    """Ask for each line's reason, its user's value as JSON, and where a place lies."""
    looked_up = {
        "user_value": f"json_extract(doc, {_pointer(reading.user)})" if reading.user else "null",
        "latitude": _number(reading.latitude),
        "longitude": _number(reading.longitude),
        "district": f"json_extract_string(doc, {_pointer(reading.district)})"
        if reading.district
        else "null",
    }
    columns = ", ".join(
        f"case when verdict is null then {look} end::varchar as {name}"
        for name, look in looked_up.items()
    )
    return f"""
        with judged as (
            select doc, case
                when reason is not null then reason
                when doc = '' then '{Reason.BLANK_LINE}'
                when not json_valid(doc) then '{Reason.NOT_JSON}'
                when not starts_with(ltrim(doc, ' \t\r\n'), '{{') then '{Reason.NOT_AN_OBJECT}'
            end as verdict
            from lines
        )
        select if(verdict is null, doc, null) as doc, verdict as reason, {columns} from judged
    """  # noqa: S608 - field names stand in quoted literals


def _number(path: tuple[str, ...] | None) -> str:
    if not path:
        return "null"
    plain, wrapped = _pointer(path), _pointer((*path, "$numberDouble"))
    return (
        f"try_cast(coalesce(json_extract_string(doc, {wrapped}), "
        f"json_extract_string(doc, {plain})) as double)"
    )


def _rewritten(user: tuple[str, ...]) -> str:
    """Ask for the documents with the pseudonym in place of the user's value.

    Where the field's name stands in the text once, without any escapes, a replacement of
    text does it and leaves the rest as it is. All others are put together anew from their
    top fields, not by json_merge_patch, which overflows the stack on deep nesting.
    """
    (name,) = user
    key = _key(name).replace("'", "''")
    field = name.replace("'", "''")
    return f"""
        with told as (
            select *, '"' || user_id || '"' as pseudonym, case
                when not is_once then null
                -- A number with a fraction may be written longer than DuckDB tells it.
                when user_value[1] not in ('"', '{{') and contains(user_value, '.') then null
                when contains(doc, '{key}:' || user_value) then '{key}:'
                when contains(doc, '{key}: ' || user_value) then '{key}: '
            end as opening
            from lines
        )
        select
            case
                when reason is not null or user_id is null then null
                when opening is not null
                then replace(doc, opening || user_value, opening || pseudonym)
                else '{{' || array_to_string(list_transform(json_keys(doc), lambda key:
                    to_json(key)::varchar || ':' || case
                        when key = '{field}' then pseudonym
                        else json_extract(doc, '/' || replace(replace(key, '~', '~0'), '/', '~1'))
                            ::varchar
                    end), ',') || '}}'
            end as doc,
            case
                when reason is null and user_id is null then '{Reason.NO_USER}' else reason
            end as reason
        from told
    """  # noqa: S608 - the field's name stands in quoted literals


def _stands_once(docs: pa.Array, user: tuple[str, ...]) -> pa.Array:
    """Tell where the field's name stands exactly once, in a text without escapes."""
    (name,) = user
    is_single = pc.equal(pc.count_substring(docs, _key(name)), 1)
    return pc.and_not(is_single, pc.match_substring(docs, "\\"))


def _key(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _districts(places: pa.Table) -> pa.Array:
    """Give the H3 cell of each place that has coordinates and no district of its own."""
    columns = (places[name].to_pylist() for name in ("latitude", "longitude", "district"))
    codes = [_cell(*values) for values in zip(*columns, strict=True)]
    return pa.array(codes, pa.string())


def _cell(latitude: str | None, longitude: str | None, district: str | None) -> str | None:
    if latitude is None or longitude is None or (district or "").strip():
        return None
    north, east = float(latitude), float(longitude)
    if not (-90 <= north <= 90 and -180 <= east <= 180):  # noqa: PLR2004 - the globe
        return None
    cell: str = h3.latlng_to_cell(north, east, DISTRICT_RESOLUTION)
    return cell
