"""Small worlds: four people by hand, and a made-up town with habits."""

import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from models_ml.train import train

MINUTE = 60_000_000
START = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000

# A person's choices in order: (place, minute).
Choices = dict[str, list[tuple[str, int]]]


def write_training_set(
    folder: Path,
    choices: Choices,
    cut_minute: int,
    categories: dict[str, list[str]] | None = None,
    *,
    is_time_synthetic: bool = False,
) -> Path:
    """Write *choices* as a training set; places stand in districts by their first letter."""
    folder.mkdir(parents=True, exist_ok=True)
    users = sorted(choices)
    rows = [sorted(choices[user], key=lambda choice: choice[1]) for user in users]
    known = sorted({place for row in rows for place, _ in row} | set(categories or {}))
    histories = pa.table(
        {
            "user_id": users,
            "place_ids": pa.array([[p for p, _ in row] for row in rows], pa.list_(pa.string())),
            "event_kinds": pa.array([["visit"] * len(r) for r in rows], pa.list_(pa.string())),
            "event_ats": pa.array(
                [[START + minute * MINUTE for _, minute in row] for row in rows],
                pa.list_(pa.int64()),
            ),
            "event_ratings": pa.array([[-1.0] * len(r) for r in rows], pa.list_(pa.float64())),
            "event_ids": pa.array(
                [[f"{u}-{n}" for n in range(len(r))] for u, r in zip(users, rows, strict=True)],
                pa.list_(pa.string()),
            ),
        }
    )
    places = pa.table(
        {
            "place_id": known,
            "category_codes": pa.array(
                [(categories or {}).get(place, []) for place in known], pa.list_(pa.string())
            ),
            "district_code": [place[0] for place in known],
            "latitude": pa.array([None] * len(known), pa.float64()),
            "longitude": pa.array([None] * len(known), pa.float64()),
        }
    )
    pq.write_table(histories, folder / "histories.parquet")
    pq.write_table(places, folder / "places.parquet")
    content = json.dumps([choices, categories, cut_minute], sort_keys=True).encode()
    moment = datetime.fromtimestamp((START + cut_minute * MINUTE) / 1_000_000, tz=UTC)
    manifest = {
        "format": 1,
        "as_of": moment.isoformat(),
        "cut_at": moment.isoformat(),
        "is_time_synthetic": is_time_synthetic,
        "feature_services": [],
        "users": len(users),
        "places": len(known),
        "events": sum(len(row) for row in rows),
        "hash": hashlib.sha256(content).hexdigest(),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def town_choices(people: int = 60, seed: int = 1) -> Choices:
    """People who go round three places of their own taste, and stray now and then."""
    generator = np.random.default_rng(seed)
    choices: Choices = {}
    for person in range(people):
        taste = "abc"[person % 3]
        minute = int(generator.integers(0, 60))
        choices[f"u{person:02d}"] = []
        for step in range(int(generator.integers(8, 30))):
            place = f"{taste}{step % 3}" if generator.random() < 0.8 else f"d{step % 2}"
            choices[f"u{person:02d}"].append((place, minute))
            minute += int(generator.integers(30, 200))
    return choices


TOWN_CUT = 2200
TOWN_CATEGORIES = {
    f"{letter}{number}": [letter.upper()] for letter in "abcd" for number in range(3)
}


@pytest.fixture(scope="session", autouse=True)
def _two_threads() -> None:
    # Before any training: weights are equal only where the number of threads is.
    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town's training set."""
    folder = tmp_path_factory.mktemp("town")
    return write_training_set(folder, town_choices(), TOWN_CUT, TOWN_CATEGORIES)


@pytest.fixture(scope="session")
def trained(town: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder trained on the town."""
    out = tmp_path_factory.mktemp("models") / "trained"
    train(town, out, preset="tiny")
    return out


@pytest.fixture
def changed_town(tmp_path: Path) -> Callable[[Callable[[Choices], None]], Path]:
    """Write the town's training set after a change to its choices."""

    def write(change: Callable[[Choices], None]) -> Path:
        choices = town_choices()
        change(choices)
        return write_training_set(tmp_path / "changed", choices, TOWN_CUT, TOWN_CATEGORIES)

    return write


@pytest.fixture
def world(tmp_path: Path) -> Callable[..., Path]:
    """Write a small training set of one's own."""

    def write(choices: Choices, cut_minute: int, **more: Any) -> Path:
        return write_training_set(tmp_path / "world", choices, cut_minute, **more)

    return write


# Checkpoints after each step, and no warning before the end comes.
_KILLED_AT_STEP = """
import os, signal, sys
from pathlib import Path
import torch
from models_ml import train as training
torch.set_num_threads(2)
training._SECONDS_BETWEEN_CHECKPOINTS = 0.0
steps, step = [], training.Training.step
def dying(*arguments):
    steps.append(0)
    if len(steps) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return step(*arguments)
training.Training.step = dying
warm_start = Path(sys.argv[4]) if sys.argv[4:] else None
training.train(Path(sys.argv[1]), Path(sys.argv[2]), "tiny", warm_start=warm_start)
"""


def train_until_killed(data: Path, out: Path, step: int, warm_start: Path | None = None) -> None:
    """Train in a process of its own that ends itself at *step*, as `kill -9` would."""
    told = [data, out, str(step), *([warm_start] if warm_start else [])]
    killed = subprocess.run([sys.executable, "-c", _KILLED_AT_STEP, *told], check=False)
    assert killed.returncode == -signal.SIGKILL
