"""Training data by point-in-time join: what was known of everybody at the moments asked for.

Each user's windows of events are joined by Feast as of their moments, and put together again into
one history per user; nothing that became known later can get in. Places are as known at the cut.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from feature_repo.feature_types import UTC_MICROSECONDS
from feature_repo.files import draft_folder
from feature_repo.layout import Layout
from feature_repo.settings import open_store

USERS_SERVICE = "tastemate_v1"
PLACES_SERVICE = "tastemate_places_v1"
EVENT_TIMESTAMP = "event_timestamp"
MOMENTS_AT_A_TIME = 20_000
"""Entity rows in one join: with 200 events each, some 300 MB."""

HISTORIES = pa.schema(
    [
        ("user_id", pa.string()),
        ("place_ids", pa.list_(pa.string())),
        ("event_kinds", pa.list_(pa.string())),
        ("event_ats", pa.list_(pa.int64())),
        ("event_ratings", pa.list_(pa.float64())),
        ("event_ids", pa.list_(pa.string())),
    ]
)
_CURRENT = pa.schema(
    [
        ("place_id", pa.string()),
        ("category_codes", pa.list_(pa.string())),
        ("district_code", pa.string()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
    ]
)
_LEARNED = ("category_codes", "district_code")
PLACES = pa.schema(
    [*_CURRENT, *(_CURRENT.field(one).with_name(f"current_{one}") for one in _LEARNED)]
)

# Of an event in several windows counts what was known last. Of one moment the order is that of
# user_favor, which the windows tell only each for itself.
_PUT_TOGETHER = """
    with events as (
        select
            user_id, event_timestamp,
            unnest(event_place_ids) as place_id, unnest(event_kinds) as event_kind,
            unnest(event_ats) as event_at, unnest(event_ratings) as event_rating,
            unnest(event_ids) as event_id
        from windows
    ),
    latest as (
        select * from events
        qualify row_number() over (partition by user_id, event_id order by event_timestamp desc) = 1
    ),
    in_order as (
        select
            latest.*,
            row_number() over (
                partition by user_id order by event_at, event_order, md5(event_id)
            ) as event_rank
        from latest left join orders using (event_id)
    )
    select
        user_id,
        list(place_id order by event_rank) as place_ids,
        list(event_kind order by event_rank) as event_kinds,
        list(event_at order by event_rank) as event_ats,
        list(event_rating order by event_rank) as event_ratings,
        list(event_id order by event_rank) as event_ids
    from in_order group by user_id order by user_id
"""

_ORDERS = """
    create temp table orders as select event_id, event_order from read_parquet($1)
    where event_order is not null and user_id in (select user_id from windows)
"""
_NO_ORDERS = "create temp table orders (event_id varchar, event_order double)"


class TrainingSetError(ValueError):
    """A training set that cannot be made."""


def point_in_time(store: Any, entities: pa.Table, service: str) -> pa.Table:
    """Join what *service* knew of each row of *entities* at its `event_timestamp`, as Arrow.

    Feast's join is inclusive: a row known at that very moment is seen. Ask one microsecond before
    where it must not be.
    """
    features = store.get_feature_service(service)
    frame = entities.to_pandas(types_mapper=None)
    return store.get_historical_features(entity_df=frame, features=features).to_arrow()


def training_histories(home_root: Path, as_of: datetime, store: Any) -> Iterator[pa.Table]:
    """Give everybody's whole history as known at *as_of*, in tables of some users, by user id."""
    events = _events(home_root)
    has_orders = _has_orders(events)
    for entities in _moments(home_root, as_of):
        windows = point_in_time(store, entities, USERS_SERVICE)
        windows = windows.filter(pc.is_valid(windows["event_ids"]))
        with closing(duckdb.connect()) as db:
            db.register("windows", windows)
            db.execute(_ORDERS if has_orders else _NO_ORDERS, [str(events)] if has_orders else [])
            yield db.execute(_PUT_TOGETHER).to_arrow_table().cast(HISTORIES)


def training_places(
    home_root: Path, as_of: datetime, store: Any, cutoff: datetime | None = None
) -> pa.Table:
    """Give every place known at *as_of*, by place id.

    Its category and district are those known at the *cutoff*, if one is given, and none where
    nothing was; what is known of it at *as_of* stands beside them, in ``current_...``.
    """
    ids = pq.read_table(Layout(home_root).rows_of("place"), columns=["place_id", "known_at"])
    ids = ids.filter(pc.less_equal(ids["known_at"], pa.scalar(as_of, UTC_MICROSECONDS)))
    names = pc.unique(ids["place_id"])
    if not len(names):
        return PLACES.empty_table()
    places = _places_at(as_of, names, store)
    learned = _places_at(cutoff, names, store) if cutoff else places
    for name in _LEARNED:
        places = places.append_column(f"current_{name}", places[name])
        nothing = pa.scalar([] if name == "category_codes" else "", _CURRENT.field(name).type)
        known = pc.coalesce(learned[name], nothing)
        places = places.set_column(places.schema.get_field_index(name), name, known)
    return places.cast(PLACES)


def _places_at(moment: datetime, names: pa.Array, store: Any) -> pa.Table:
    places = point_in_time(
        store, _entities("place_id", names, [moment] * len(names)), PLACES_SERVICE
    )
    return places.select(_CURRENT.names).cast(_CURRENT).sort_by("place_id")


def write_training_set(home_root: Path, out: Path, as_of: datetime) -> Path:
    """Write the training set known at *as_of* into a folder of *out*, named by its hash.

    Returns the folder. It appears whole or not at all; one that is there is left alone.
    """
    with draft_folder(out) as draft:
        folder = out / _fill(draft, home_root, as_of)[:16]
        if not folder.exists():
            draft.rename(folder)
    return folder


def _fill(folder: Path, home_root: Path, as_of: datetime) -> str:
    """Write the set into *folder*; return its hash."""
    store = open_store(home_root)
    digest = hashlib.sha256()
    users = events = 0
    with pq.ParquetWriter(folder / "histories.parquet", HISTORIES) as writer:
        for table in training_histories(home_root, as_of, store):
            writer.write_table(table)
            users += table.num_rows
            events += pc.sum(pc.list_value_length(table["event_ids"])).as_py() or 0
            _digest(digest, table)
    if not users:
        raise TrainingSetError(
            f"{Layout(home_root).features}: nobody has events known at {as_of.isoformat()}. "
            "Ingest some and build: tastemate run"
        )
    cutoff = _cutoff(home_root, as_of)
    # What became known of a place after the cut would tell of what is held out. Where nobody was
    # known before it, or times are made up, there is no such moment.
    is_made_up = _is_time_synthetic(home_root)
    places = training_places(home_root, as_of, store, None if is_made_up else cutoff)
    pq.write_table(places, folder / "places.parquet")
    _digest(digest, places)
    cut = cutoff + timedelta(microseconds=1) if cutoff else _last_tenth(home_root, as_of)
    cut_at = cut.isoformat()
    digest.update(cut_at.encode())
    manifest = {
        "format": 1,
        "cut_at": cut_at,
        "is_time_synthetic": is_made_up,
        "feature_services": [USERS_SERVICE, PLACES_SERVICE],
        "users": users,
        "places": places.num_rows,
        "events": events,
        "events_left_out": _known_events(home_root, as_of) - events,
        "as_of": as_of.astimezone(UTC).isoformat(),
        "hash": digest.hexdigest(),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return digest.hexdigest()


def _moments(home_root: Path, as_of: datetime) -> Iterator[pa.Table]:
    """Give the moments to ask for, a limited number at a time and never half a user's."""
    path = Layout(home_root).moments
    if not path.exists():
        raise TrainingSetError(f"{path}: no such file. Make it: tastemate build")
    with closing(duckdb.connect()) as db:
        db.read_parquet(str(path)).create_view("moments")
        rows = db.execute(
            "select user_id, least(as_of, $1::timestamptz) as as_of from moments group by all "
            "order by user_id, as_of",
            [as_of],
        ).to_arrow_table()
    users, moments = rows["user_id"].to_pylist(), rows["as_of"].to_pylist()
    start = 0
    while start < len(users):
        stop = min(start + MOMENTS_AT_A_TIME, len(users))
        while stop < len(users) and users[stop] == users[stop - 1]:
            stop += 1
        yield _entities("user_id", users[start:stop], moments[start:stop])
        start = stop


def _entities(key: str, names: Sequence[str] | pa.Array, moments: Sequence[datetime]) -> pa.Table:
    return pa.table({key: names, EVENT_TIMESTAMP: pa.array(moments, UTC_MICROSECONDS)})


def _cutoff(home_root: Path, as_of: datetime) -> datetime | None:
    """Tell the last moment before the last tenth of the events; None if nobody was known by then.

    As in a file of one moment, or in the first of a log that tells of days long past.
    """
    path = Layout(home_root).moments
    moments = pq.read_table(path)
    cutoffs = moments.filter(pc.equal(moments["purpose"], "cutoff"))["as_of"]
    if not len(cutoffs):
        return None
    known = cutoffs.filter(pc.less_equal(cutoffs, pa.scalar(as_of, UTC_MICROSECONDS)))
    if not len(known):
        raise TrainingSetError(
            f"{path}: no cut-off at or before {as_of.isoformat()}. Build again: tastemate build"
        )
    latest: datetime = pc.max(known).as_py()
    return latest.astimezone(UTC)


def _last_tenth(home_root: Path, as_of: datetime) -> datetime:
    """Tell where the last tenth of the events begins, by when they happened."""
    columns = ["known_at", "event_at", "is_counted"]
    events = pq.read_table(_events(home_root), columns=columns)
    known = pc.less_equal(events["known_at"], pa.scalar(as_of, UTC_MICROSECONDS))
    ats = events.filter(pc.and_(known, events["is_counted"]))["event_at"].sort()
    first: datetime = ats[len(ats) * 9 // 10].as_py()
    return first.astimezone(UTC)


def _known_events(home_root: Path, as_of: datetime) -> int:
    events = pq.read_table(_events(home_root), columns=["known_at", "is_counted"])
    known = pc.less_equal(events["known_at"], pa.scalar(as_of, UTC_MICROSECONDS))
    return int(pc.sum(pc.and_(known, events["is_counted"])).as_py() or 0)


def _events(home_root: Path) -> Path:
    """Tell where the events lie, if this version built them."""
    path = Layout(home_root).events
    if not path.exists() or "is_counted" not in pq.read_schema(path).names:
        raise TrainingSetError(
            f"{path}: was not built, or by an earlier version. Build again: tastemate build"
        )
    return path


def _has_orders(events: Path) -> bool:
    """Whether any source tells the order within equal times, by the file's statistics alone."""
    metadata = pq.read_metadata(events)
    column = metadata.schema.names.index("event_order")
    parts = (metadata.row_group(nth).column(column) for nth in range(metadata.num_row_groups))
    return any(
        part.statistics is None or part.statistics.null_count < part.num_values for part in parts
    )


def _is_time_synthetic(home_root: Path) -> bool:
    path = Layout(home_root).rows_of("user_favor")
    told = pq.read_table(path, columns=["is_time_synthetic"])["is_time_synthetic"]
    return bool(pc.any(told).as_py())


def _digest(digest: Any, table: pa.Table) -> None:
    """Add the logical rows: what Parquet makes of them may differ between versions."""
    for batch in table.to_batches(1000):
        for row in batch.to_pylist():
            digest.update(json.dumps(list(row.values()), separators=(",", ":")).encode())
