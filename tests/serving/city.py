"""A small city, served for real: trained model, Feast, online store, vault, release and index.

Forty people of two tastes and thirty places. Even places are cafes, odd ones bars;
the first twenty people go to cafes, the others to bars, and all now and then to the rest.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.publish import publish
from models_ml.loading import load
from serving import index
from serving.answers import Answers
from serving.histories import discoverable
from serving.home import Home
from serving.live import Live
from serving.pseudonyms import Pseudonyms
from serving.release import Release

BEGIN = datetime(2025, 3, 1, tzinfo=UTC)
KNOWN_AT = datetime(2025, 6, 1, 12, tzinfo=UTC)
USERS = [str(number) for number in range(1000, 1040)]
PLACES = [f"p{number:02}" for number in range(30)]
NEW_PLACE = "new-bar"
HIDDEN = "1005"
FORGOTTEN = "1006"

COLUMNS = {
    "user_favor": {
        "user_id": "varchar",
        "known_at": "timestamptz",
        "event_place_ids": "varchar[]",
        "event_kinds": "varchar[]",
        "event_ats": "bigint[]",
        "event_ratings": "double[]",
        "event_ids": "varchar[]",
        "like_stat_display_ids": "varchar[]",
        "like_stat_counts": "bigint[]",
        "is_discoverable": "boolean",
        "is_time_synthetic": "boolean",
    },
    "place": {
        "place_id": "varchar",
        "known_at": "timestamptz",
        "category_codes": "varchar[]",
        "district_code": "varchar",
        "latitude": "double",
        "longitude": "double",
        "event_count": "bigint",
    },
}
META = {
    "user_favor": {"entity": "user", "timestamp": "known_at", "service": "tastemate_v1"},
    "place": {"entity": "place", "timestamp": "known_at", "service": "tastemate_places_v1"},
}
ARROW = {
    "varchar": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamptz": pa.timestamp("us", tz="UTC"),
}
Row = dict[str, Any]


@dataclass
class City:
    """A home in which all is made, and the rows it was made from."""

    home: Home
    favors: dict[str, Row]
    places: list[Row]
    release: Release

    def pseudonym(self, user_id: str) -> str:
        return Pseudonyms(self.home.keys).of(user_id)

    def answers(self) -> Answers:
        """Load what a service of this home loads."""
        live = Live()
        live.open(self.home, self.release.folder, self.release.release_id)
        return live.answers()

    def write(self) -> None:
        """Write the feature models' files, as dbt hands them on."""
        favors = [row | {"user_id": self.pseudonym(user)} for user, row in self.favors.items()]
        self.home.features.mkdir(parents=True, exist_ok=True)
        for view, rows in (("user_favor", favors), ("place", self.places)):
            table = pa.Table.from_pylist(rows, schema=arrow_schema(view))
            pq.write_table(table, self.home.features / f"{view}.parquet")

    def publish(self, online: str = "") -> None:
        """Write the rows as they now are and put them online."""
        self.write()
        publish(self.home.root, online=online)

    def build_index(self, as_of: datetime = KNOWN_AT) -> index.Index:
        known = set(load(self.release.folder).places.place_ids)
        features = self.home.features
        entries = discoverable(
            features / "user_favor.parquet", features / "place.parquet", known, as_of
        )
        return index.build(self.release.folder, entries, self.home.indexes, as_of)


def arrow_type(kind: str) -> pa.DataType:
    return pa.list_(ARROW[kind[:-2]]) if kind.endswith("[]") else ARROW[kind]


def arrow_schema(view: str) -> pa.Schema:
    return pa.schema([(name, arrow_type(kind)) for name, kind in COLUMNS[view].items()])


def history_of(number: int, random: np.random.Generator) -> list[str]:
    """Choose twelve places: mostly of the person's own taste, now and then of the other."""
    own = 0 if number < len(USERS) // 2 else 1
    return [
        PLACES[2 * int(random.integers(15)) + (own if random.random() < 0.9 else 1 - own)]
        for _ in range(12)
    ]


def favor(user: str, place_ids: list[str], **changes: Any) -> Row:
    moments = [BEGIN + timedelta(days=day) for day in range(len(place_ids))]
    row: Row = {
        "known_at": KNOWN_AT,
        "event_place_ids": place_ids,
        "event_kinds": ["visit"] * len(place_ids),
        "event_ats": [int(moment.timestamp()) * 1_000_000 for moment in moments],
        "event_ratings": [-1.0] * len(place_ids),
        "event_ids": [f"{user}-{number}" for number in range(len(place_ids))],
        "like_stat_display_ids": [],
        "like_stat_counts": [],
        "is_discoverable": user != HIDDEN,
        "is_time_synthetic": False,
    }
    return row | changes


def place(place_id: str, category: str, district: str) -> Row:
    return {
        "place_id": place_id,
        "known_at": KNOWN_AT,
        "category_codes": [category, "any"],
        "district_code": district,
        "latitude": None,
        "longitude": None,
        "event_count": 10,
    }


def write_training_set(folder: Path, histories: dict[str, list[str]], places: list[Row]) -> None:
    folder.mkdir(parents=True)
    rows = [favor(user, place_ids) for user, place_ids in histories.items()]
    columns = ("event_kinds", "event_ats", "event_ratings", "event_ids")
    table = pa.table(
        {"user_id": list(histories), "place_ids": list(histories.values())}
        | {name: [row[name] for row in rows] for name in columns}
    )
    pq.write_table(table, folder / "histories.parquet")
    wanted = ("place_id", "category_codes", "district_code", "latitude", "longitude")
    schema = pa.schema([arrow_schema("place").field(name) for name in wanted])
    pq.write_table(
        pa.Table.from_pylist([{name: row[name] for name in wanted} for row in places], schema),
        folder / "places.parquet",
    )
    manifest = {
        "format": 1,
        "as_of": KNOWN_AT.isoformat(),
        "cut_at": (BEGIN + timedelta(days=11)).isoformat(),
        "is_time_synthetic": False,
        "feature_services": ["tastemate_v1"],
        "users": len(histories),
        "places": len(places),
        "events": sum(map(len, histories.values())),
        "hash": "0" * 64,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def write_manifest(home: Home) -> None:
    """Write what dbt says of the two feature models."""
    nodes = {
        f"model.tastemate.{view}": {
            "resource_type": "model",
            "name": view,
            "description": f"The view {view}.",
            "original_file_path": f"models/features/{view}.sql",
            "patch_path": f"tastemate://models/features/{view}.yml",
            "config": {"contract": {"enforced": True}, "meta": {"feast": META[view]}},
            "columns": {
                name: {"name": name, "data_type": kind, "description": f"What {name} says."}
                for name, kind in columns.items()
            },
        }
        for view, columns in COLUMNS.items()
    }
    manifest = home.dbt / "target" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"nodes": nodes}))
