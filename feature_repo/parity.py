"""Parity: is what Feast serves online what the Parquet files say, for every key?

By another road than the publisher's: the newest rows are found by a window in SQL, and read online
by the stock SDK as any client reads them. Looks, and mends nothing.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from feature_repo.contract import View, read_views
from feature_repo.errors import reachable
from feature_repo.feature_types import Row, comparable
from feature_repo.offline import column_list, connection, identifier, source
from feature_repo.online import open_online
from feature_repo.parity_report import ParityReport
from feature_repo.protos import plain
from feature_repo.settings import open_store

BATCH = 1000
EXAMPLES = 10


@dataclass
class _Tally:
    """The counts of a comparison that goes on."""

    keys: int = 0
    equal: int = 0
    different: int = 0
    missing: int = 0
    extra: int = 0
    examples: list[str] = field(default_factory=list)

    def note(self, example: str) -> None:
        """Keep the first few differences in words."""
        if len(self.examples) < EXAMPLES:
            self.examples.append(example)

    def report(self) -> ParityReport:
        """Sum up."""
        return ParityReport(**vars(self), holds=self.equal == self.keys)


def check(home_root: Path, sample: int | None = None, online: str | None = None) -> ParityReport:
    """Compare every online view of the home, or *sample* keys of each.

    A sample does not look for keys that are online only.
    """
    tally = _Tally()
    with reachable("parity"):
        store = open_store(home_root, online)
        for view in read_views(home_root):
            if view.online:
                for batch in _newest_rows(home_root, view, sample):
                    _compare(store, view, batch.to_pylist(), tally)
                if sample is None:
                    _look_for_extra(home_root, store, view, tally)
    return tally.report()


def _newest_rows(home_root: Path, view: View, sample: int | None) -> Iterator[pa.RecordBatch]:
    key, moment = identifier(view.key.name), identifier(view.timestamp)
    rows = source(home_root, view)
    drawn = f"select key from (select distinct {key} as key from {rows})"  # noqa: S608
    chosen = (
        "" if sample is None else f"where key in ({drawn} using sample reservoir({sample} rows))"
    )
    with connection(home_root) as db:
        yield from db.execute(
            f"select {column_list(view)} from (select *, {key} as key from {rows}) {chosen} "  # noqa: S608
            f"qualify row_number() over (partition by {key} order by {moment} desc) = 1"
        ).to_arrow_reader(BATCH)


def _compare(store: Any, view: View, rows: list[Row], tally: _Tally) -> None:
    names = [column.name for column in view.features]
    answer = store.get_online_features(
        features=[f"{view.name}:{name}" for name in names],
        entity_rows={view.key.name: [row[view.key.name] for row in rows]},
    ).proto
    columns = dict(zip(answer.metadata.feature_names.val, answer.results, strict=True))
    whole_seconds = store.config.online_store.type == "sqlite"
    for place, row in enumerate(rows):
        tally.keys += 1
        key = f"{view.name} {row[view.key.name]!r}"
        moments = {_moment(columns[name].event_timestamps[place]) for name in names}
        if moments == {0}:
            tally.missing += 1
            tally.note(f"{key} is not online")
            continue
        wanted = _microseconds(row[view.timestamp])
        if whole_seconds:
            # Feast's SQLite store keeps whole seconds of an event's time.
            wanted -= wanted % 1_000_000
        unequal = [
            name
            for name in names
            if not _same(comparable(row[name]), plain(columns[name].values[place]))
        ]
        if moments != {wanted}:
            unequal.append(view.timestamp)
        if unequal:
            tally.different += 1
            tally.note(f"{key} differs in {', '.join(unequal)}")
        else:
            tally.equal += 1


def _look_for_extra(home_root: Path, store: Any, view: View, tally: _Tally) -> None:
    key = identifier(view.key.name)
    with connection(home_root) as db:
        for keys in open_online(store).keys(view):
            db.register("online_keys", pa.table({"key": pa.array(keys, view.key.type.arrow)}))
            rows = db.execute(
                f"select key from online_keys anti join "  # noqa: S608
                f"(select {key} as key from {source(home_root, view)}) using (key)"
            ).fetchall()
            tally.keys += len(rows)
            tally.extra += len(rows)
            for (extra,) in rows:
                tally.note(f"{view.name} {extra!r} is online only")


def _moment(timestamp: Any) -> int:
    return int(timestamp.seconds) * 1_000_000 + int(timestamp.nanos) // 1000


def _microseconds(moment: Any) -> int:
    return int(pa.scalar(moment, pa.timestamp("us", tz="UTC")).value)


def _same(offline: Any, online: Any) -> bool:
    if isinstance(offline, list) and isinstance(online, list):
        return len(offline) == len(online) and all(map(_same, offline, online))
    if isinstance(offline, float) and isinstance(online, float) and math.isnan(offline):
        return math.isnan(online)
    return type(offline) is type(online) and bool(offline == online)
