"""How fast raw documents become marts and features, beside the least that has to be done.

python -m tests.bench.mart [--events N ...]

Ingest is measured against reading, hashing and compressing the same bytes; the build against a
hand-written script of SQL and, up to 10 million events, against polars as people would write it.
All of them give the same rows, which is checked.
"""

import argparse
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
from rich.console import Console

from orchestration.sample import generate
from serving.home import Home
from tests.bench.figures import Figure, publish

TASTEMATE = Path(sys.executable).with_name("tastemate")
SIZES = [1_000_000, 10_000_000, 30_000_000]
IN_POLARS = 10_000_000
"""It holds all events in memory."""
ALIKE = {
    "events": ("marts/fct_events", ("event_id, user_id, place_id, event_kind, event_at, known_at, "
               "rating, display_id, is_discoverable")),
    "users": ("marts/dim_users", ("user_id, is_discoverable, first_event_at, last_event_at, "
              "event_count, like_count, review_count")),
    "place": ("features/place", ("place_id, category_codes, district_code, latitude, longitude, "
              "event_count")),
    "user_favor": ("features/user_favor", ("user_id, known_at, event_place_ids, event_kinds, "
                   "event_ats, event_ratings, event_ids, like_stat_display_ids, "
                   "like_stat_counts, is_discoverable")),
}  # fmt: skip
console = Console(highlight=False)


@dataclass(frozen=True)
class Cost:
    """What a command took."""

    seconds: float
    peak_gib: float


@dataclass(frozen=True)
class Size:
    """What a city of some size took, and its floors."""

    events: int
    ingest: Cost
    ingest_floor: Cost
    build: Cost
    build_floor: Cost
    in_polars: Cost | None
    next_day: Cost
    archive_gib: float
    mart_gib: float


def main() -> None:
    """Measure each size and write `.bench/mart.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=SIZES)
    sizes = [_measured(events) for events in sorted(parser.parse_args().events)]
    publish("mart", [figure for size in sizes for figure in _figures(size)] + _growth(sizes))


def _measured(events: int) -> Size:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        home = Home(folder / "home")
        console.print(f"a city of {events:,} events ...")
        city = generate(folder / "city", events=events * 101 // 100, seed=0)
        _hold_back(city.documents, folder / "next_day")
        ingest_floor = _cost("mart_floor", "ingest", city.documents, folder / "ingest_floor")
        ingest = _tastemate(home, "ingest", "--source", "sample", "--path", city.documents)
        build = _tastemate(home, "build", "--exclude-resource-type", "unit_test")
        archive_gib = _gib(home.raw)
        floor = folder / "build_floor"
        build_floor = _cost("mart_floor", "build", home.root, floor, _as_of(home))
        _check_alike(home, floor)
        shutil.rmtree(floor)
        in_polars = None
        if events <= IN_POLARS:
            in_polars = _cost("mart_polars", home.root, floor, _as_of(home))
            _check_alike(home, floor)
            shutil.rmtree(floor)
        return Size(
            events, ingest, ingest_floor, build, build_floor, in_polars,
            next_day=_next_day(home, folder / "next_day"),
            archive_gib=archive_gib, mart_gib=_gib(home.marts) + _gib(home.features),
        )  # fmt: skip


def _hold_back(documents: Path, folder: Path) -> None:
    """Move the last 1 in 101 of the events, which stand in the order of time, to *folder*."""
    folder.mkdir()
    for kind in ("likes", "reviews"):
        path = documents / f"{kind}.jsonl"
        with path.open("r+b") as file, (folder / f"{kind}-2.jsonl").open("wb") as later:
            file.seek(path.stat().st_size * 100 // 101)
            file.readline()
            end = file.tell()
            shutil.copyfileobj(file, later)
            file.truncate(end)


def _next_day(home: Home, documents: Path) -> Cost:
    """Land one more day, and build again."""
    _tastemate(home, "ingest", "--source", "sample", "--path", documents)
    return _tastemate(home, "build", "--exclude-resource-type", "unit_test")


def _tastemate(home: Home, *arguments: str | Path) -> Cost:
    return _timed(TASTEMATE, "--home", home.root, *arguments)


def _cost(module: str, *arguments: str | Path) -> Cost:
    return _timed(sys.executable, "-m", f"tests.bench.{module}", *arguments)


def _timed(*command: str | Path) -> Cost:
    """Run a command; the peak is that of its largest process."""
    console.print("  " + " ".join(map(str, command[1:4])))
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, [str(part) for part in command])
    return Cost(time.monotonic() - started, usage.ru_maxrss / (1 << 20))


def _as_of(home: Home) -> str:
    path = home.marts / "feature_moments.parquet"
    ((moment,),) = duckdb.execute(
        "select max(as_of)::varchar from read_parquet(?) where purpose = 'current'", [str(path)]
    ).fetchall()
    return str(moment)


def _check_alike(home: Home, floor: Path) -> None:
    """Stop where both roads do not give the same rows, or count lines otherwise."""
    for name, (model, columns) in ALIKE.items():
        files = f"{home.root}/{model}.parquet", f"{floor}/{name}.parquet"
        if _told(files[0], columns) != _told(files[1], columns):
            raise SystemExit(f"{files[0]} and {files[1]} hold other rows: no fair comparison.")
    ours = duckdb.execute(
        "select sum(accepted), sum(duplicates), sum(quarantined) from read_parquet(?)",
        [str(home.marts / "fct_landed_files.parquet")],
    ).fetchall()
    theirs = duckdb.execute(
        "select sum(lines) filter (verdict = 'accepted'), sum(lines) filter "
        "(verdict = 'duplicate'), sum(lines) filter (verdict not in ('accepted', 'duplicate')) "
        "from read_parquet(?)",
        [f"{floor}/verdicts.parquet"],
    ).fetchall()
    if ours != theirs:
        raise SystemExit(f"lines are counted otherwise: {ours} and {theirs}.")


def _told(path: str, columns: str) -> tuple[int, ...]:
    """Sum the hashes of all rows, which needs no order and no memory; rows, and values in each."""
    # A list without entries hashes as NULL does, so values are counted, too.
    values = ", ".join(f"count({column})" for column in columns.split(", "))
    (told,) = duckdb.execute(
        f"select count(*), sum(hash({columns})), {values} from read_parquet(?)",
        [path],
    ).fetchall()
    return told


def _gib(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / (1 << 30)


def _figures(size: Size) -> list[Figure]:
    many = f"{size.events / 1e6:g} M events"
    speed = size.events / size.build.seconds / 1000
    ingest, build = size.ingest, size.build
    polars = [
        Figure(f"{many}: polars / build", size.in_polars.seconds / build.seconds, "times", None,
               "higher", "goal"),
        Figure(f"{many}: peak memory of polars", size.in_polars.peak_gib, "GiB", None, "lower",
               "goal"),
    ] if size.in_polars else []  # fmt: skip
    return [
        *polars,
        Figure(f"{many}: ingest", ingest.seconds, "s", None, "lower", "goal"),
        Figure(f"{many}: ingest / floor", ingest.seconds / size.ingest_floor.seconds, "times",
               2.0, "lower", "goal"),
        Figure(f"{many}: build", build.seconds, "s", None, "lower", "goal"),
        Figure(f"{many}: build / floor", build.seconds / size.build_floor.seconds, "times",
               1.5, "lower", "goal"),
        Figure(f"{many}: build speed", speed, "k events/s", 300, "higher", "goal"),
        Figure(f"{many}: a day of 1 % / full build", size.next_day.seconds / build.seconds,
               "times", 0.05, "lower", "goal"),
        Figure(f"{many}: peak memory", max(ingest.peak_gib, build.peak_gib), "GiB",
               6.0 if size.events >= SIZES[-1] else None, "lower", "goal"),
        Figure(f"{many}: archive", size.archive_gib, "GiB", None, "lower", "goal"),
        Figure(f"{many}: marts and features", size.mart_gib, "GiB", None, "lower", "goal"),
    ]  # fmt: skip


def _growth(sizes: list[Size]) -> list[Figure]:
    """Fit time to a power of the events between the smallest and the largest size."""
    if len(sizes) == 1:
        return []
    small, large = sizes[0], sizes[-1]
    ratio = math.log(large.events / small.events)
    return [
        Figure(f"growth of {name}", math.log(late.seconds / early.seconds) / ratio, "exponent",
               1.05, "lower", "goal")
        for name, early, late in (
            ("ingest", small.ingest, large.ingest), ("build", small.build, large.build)
        )
    ]  # fmt: skip


if __name__ == "__main__":
    main()
