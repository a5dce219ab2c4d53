"""A small home: two feature models with their manifest and Parquet files, and a real Redis."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redis
from hypothesis import settings

# A busy machine is no failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

MOMENT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
DAY = timedelta(days=1)

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
    "integer": pa.int32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamptz": pa.timestamp("us", tz="UTC"),
}


class World:
    """A home whose feature models a test can change as an analyst would."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lock = root / "features.lock.json"
        self.columns = {view: dict(columns) for view, columns in COLUMNS.items()}
        self.meta: dict[str, dict[str, Any]] = {view: dict(meta) for view, meta in META.items()}
        self.rows: dict[str, list[dict[str, Any]]] = {
            "user_favor": [favor(f"u{n}", n + 1) for n in range(4)],
            "place": [place(f"p{n}") for n in range(3)],
        }

    def write(self) -> "World":
        """Write the manifest and the Parquet files as they now are."""
        self.write_manifest()
        (self.root / "features").mkdir(exist_ok=True)
        for view, rows in self.rows.items():
            schema = pa.schema([(n, arrow_type(k)) for n, k in self.columns[view].items()])
            table = pa.Table.from_pylist(rows, schema=schema)
            pq.write_table(table, self.root / "features" / f"{view}.parquet")
        return self

    def write_manifest(self) -> "World":
        nodes = {
            f"model.tastemate.{view}": {
                "resource_type": "model",
                "name": view,
                "description": f"The view {view}.",
                "original_file_path": f"models/features/{view}.sql",
                "patch_path": f"tastemate://models/features/{view}.yml",
                "config": {"contract": {"enforced": True}, "meta": {"feast": self.meta[view]}},
                "columns": {
                    name: {"name": name, "data_type": kind, "description": f"What {name} says."}
                    for name, kind in columns.items()
                },
            }
            for view, columns in self.columns.items()
        }
        manifest = self.root / "dbt" / "target" / "manifest.json"
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text(json.dumps({"nodes": nodes}))
        return self

    def moments(self, rows: list[tuple[str, datetime, str]]) -> None:
        """Write the model that lists which moments of which user are kept."""
        names = ["user_id", "as_of", "purpose"]
        schema = pa.schema(
            [("user_id", pa.string()), ("as_of", ARROW["timestamptz"]), ("purpose", pa.string())]
        )
        (self.root / "marts").mkdir(exist_ok=True)
        table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema)
        pq.write_table(table, self.root / "marts" / "feature_moments.parquet")

    def events(self, known_ats: list[datetime], orders: list[float | None] | None = None) -> None:
        """Write `fct_events` as far as a training set looks at it: known when they happened."""
        (self.root / "marts").mkdir(exist_ok=True)
        ats = pa.array(known_ats, pa.timestamp("us", "UTC"))
        ids = [f"u0-e{nth}" for nth in range(len(ats))]
        told = pa.array(orders or [None] * len(ats), pa.float64())
        table = pa.table(
            {"event_id": ids, "user_id": ["u0"] * len(ats), "known_at": ats, "event_at": ats,
             "event_order": told, "is_counted": [True] * len(ats)}
        )  # fmt: skip
        pq.write_table(table, self.root / "marts" / "fct_events.parquet")

    def apply(self, online: str = "") -> "World":
        """Write, agree to the definitions and apply them."""
        from feature_repo import lock

        self.write()
        lock.accept(self.root, self.lock)
        lock.apply(self.root, self.lock, online)
        return self


def empty(world: World, online: str) -> None:
    """Empty the online store, as a Redis without a disk is after a restart."""
    if online:
        redis.Redis.from_url(online).flushall()
        return
    path = world.root / "feast" / "online.db"
    with sqlite3.connect(path) as database:
        for table in ("tastemate_user_favor", "tastemate_place", "tastemate_marks"):
            database.execute(f"delete from {table}")


def arrow_type(kind: str) -> pa.DataType:
    return pa.list_(ARROW[kind[:-2]]) if kind.endswith("[]") else ARROW[kind]


def favor(user: str, events: int, known_at: datetime = MOMENT, first: int = 0) -> dict[str, Any]:
    """Make a row of `user_favor` with that many events, one a second before *known_at*."""
    numbers = range(first, first + events)
    start = int(known_at.timestamp()) - events
    return {
        "user_id": user,
        "known_at": known_at,
        "event_place_ids": [f"p{n % 3}" for n in numbers],
        "event_kinds": ["visit" for _ in numbers],
        "event_ats": [(start + index) * 1_000_000 + 7 for index in range(events)],
        "event_ratings": [-1.0 for _ in numbers],
        "event_ids": [f"{user}-e{n}" for n in numbers],
        "like_stat_display_ids": [],
        "like_stat_counts": [],
        "is_discoverable": True,
        "is_time_synthetic": False,
    }


def place(name: str, known_at: datetime = MOMENT) -> dict[str, Any]:
    return {
        "place_id": name,
        "known_at": known_at,
        "category_codes": ["cafe", "bar"],
        "district_code": "",
        "latitude": None,
        "longitude": 12.5,
        "event_count": 2,
    }


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "TASTEMATE_ONLINE",
        "TASTEMATE_HOME",
        "DBT_TARGET_PATH",
        "FEAST_FS_YAML_FILE_PATH",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.redis)])
def online(request: pytest.FixtureRequest) -> str:
    """An empty online store, as `TASTEMATE_ONLINE` names it: SQLite, then Redis."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("redis_url"))


@pytest.fixture
def redis_url(redis_server) -> str:
    redis.Redis(port=redis_server.port).flushall()
    return redis_server.url
