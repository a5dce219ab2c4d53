"""What the newest training set is beside the one that a model has learned from."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from models_ml.model_folder import ModelFolder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from orchestration.model.retraining.data_drift import Counts

_EVENTS = """
create temp table held as
    select unnest(place_ids) as place_id, unnest(event_kinds) as kind, unnest(event_ids) as event_id
    from held_histories;
create temp table newest as
    select unnest(place_ids) as place_id, unnest(event_kinds) as kind,
        unnest(event_ids) as event_id, unnest(event_ats) as event_at
    from newest_histories;
create temp table since as select * from newest anti join held using (event_id);
create temp table told as
    select false as is_new, kind, place_id, category_codes, district_code
    from held left join held_places using (place_id)
    union all
    select true as is_new, kind, place_id, category_codes, district_code
    from since left join newest_places using (place_id);
"""
_SIZES = """
select
    (select count(*) from held),
    (select count(*) from since),
    (select count(*) from since anti join model_places using (place_id)),
    (select count(*) from model_places),
    (select count(distinct place_id) from (select * from newest where event_at < epoch_us($cut_at))
        anti join model_places using (place_id))
"""
_CODES = {
    "places": "place_id",
    "categories": "unnest(category_codes)",
    "districts": "district_code",
    "kinds": "kind",
}
_COUNTS = """
select code, count(*) filter (not is_new), count(*) filter (is_new)
from (select is_new, {code} as code from told) where code is not null group by code order by code
"""


@dataclass(frozen=True)
class Figures:
    """What a verdict rests on.

    new_events      events told since, as a share of those in the model's training set
    since           how many they are
    unknown_places  share of them at places that the model does not know
    new_places      places that the training would add, as a share of those that the model knows
    drift           of places, categories, districts and kinds: see `data_drift.distance`
    age_days        days between the two training sets
    """

    new_events: float
    since: int
    unknown_places: float
    new_places: float
    drift: dict[str, float]
    age_days: float


def compare(
    held: Path, newest: Path, model: ModelFolder, *, cut_at: datetime, age_days: float
) -> Figures:
    """Compare the training set *newest* with *held*, from which *model* has learned.

    *cut_at* is where the part that would be learned of *newest* ends. Events are
    told apart by their ids: one that was corrected is none that is new.
    """
    # Whoever only reads figures, as in a report, needs none of these.
    import duckdb

    from models_ml.data.training_set import TrainingSetFolder
    from orchestration.model.retraining.data_drift import distance

    with duckdb.connect() as db:
        for name, path in {
            "held_histories": TrainingSetFolder(held).histories,
            "held_places": TrainingSetFolder(held).places,
            "newest_histories": TrainingSetFolder(newest).histories,
            "newest_places": TrainingSetFolder(newest).places,
            "model_places": model.places,
        }.items():
            db.read_parquet(str(path)).create_view(name)
        db.execute(_EVENTS)
        events, since, unknown, places, new_places = map(int, _row(db, _SIZES, cut_at))
        drift = {name: distance(_counts(db, code)) for name, code in _CODES.items()}
    return Figures(
        new_events=since / max(1, events),
        since=since,
        unknown_places=unknown / max(1, since),
        new_places=new_places / max(1, places),
        drift=drift,
        age_days=age_days,
    )


def _row(db: "DuckDBPyConnection", sql: str, cut_at: datetime) -> tuple[int, ...]:
    found: tuple[int, ...] = db.execute(sql, {"cut_at": cut_at}).fetchall()[0]
    return found


def _counts(db: "DuckDBPyConnection", code: str) -> "Counts":
    rows = db.execute(_COUNTS.format(code=code)).fetchall()
    return {str(name): (int(learned), int(newest)) for name, learned, newest in rows}
