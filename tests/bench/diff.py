"""How long it takes to find which rows of a million differ between two tables.

python -m tests.bench.diff [--rows N]

Both tables are made of the same seed, then rows are taken out, put in and changed; all of them,
and no others, must be found, or the benchmark stops.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import duckdb
from rich.progress import track

from orchestration.warehouse.table_diff import Differences, diff
from tests.bench.figures import Figure, publish

EVERY = {"deleted": 10_007, "changed": 5_003, "inserted": 20_011}
"""One row in so many is deleted, changed, inserted."""
TRIALS = 5


def main() -> None:
    """Time it, and write `.bench/diff.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as scratch:
        a, b, expected = _make(Path(scratch), rows)
        seconds = [_checked(diff(a, b, ["event_id"]), expected) for _ in track(range(TRIALS))]
        equal = [diff(a, a, ["event_id"]).seconds for _ in track(range(TRIALS))]
    differing = sum(expected.values())
    many = f"{rows:,} rows"
    publish(
        Path(__file__).stem,
        [
            Figure(f"{many}, {differing:,} differ", statistics.median(seconds), "s", 1.0, "lower",
                   "must"),
            Figure(f"{many}, equal", statistics.median(equal), "s", None, "lower", "goal"),
        ],
    )  # fmt: skip


def _make(folder: Path, rows: int) -> tuple[str, str, dict[str, int]]:
    """Write two tables like fct_events; tell how many rows differ, and how."""
    a, b = str(folder / "a.parquet"), str(folder / "b.parquet")
    event = (
        "md5(n::varchar)[:24] as event_id, md5((n // 50)::varchar) as user_id, "
        "'p' || n % 20000 as place_id, ['like', 'review', 'visit'][n % 3 + 1] as event_kind, "
        "make_timestamptz(1700000000000000 + n * 1000003) as event_at, n % 6 as rating"
    )
    altered = event.replace("n % 6", f"n % 6 + (n % {EVERY['changed']} = 1)::int")
    with duckdb.connect() as connection:
        connection.execute(f"copy (select {event} from range({rows}) as ns (n)) to '{a}'")
        connection.execute(
            f"copy (select {altered} "
            f"from range({rows}) as ns (n) where n % {EVERY['deleted']} != 0 union all "
            f"select {event} from range(-{rows}, 0) as ns (n) where n % {EVERY['inserted']} = 0) "
            f"to '{b}'"
        )
    return a, b, {
        "deleted": len(range(0, rows, EVERY["deleted"])),
        "changed": sum(n % EVERY["deleted"] != 0 for n in range(1, rows, EVERY["changed"])),
        "inserted": len(range(-EVERY["inserted"], -rows - 1, -EVERY["inserted"])),
    }  # fmt: skip


def _checked(found: Differences, expected: dict[str, int]) -> float:
    told = {name: getattr(found, name) for name in expected}
    if told != expected:
        raise SystemExit(f"found {told}, where {expected} were made.")
    return found.seconds


if __name__ == "__main__":
    main()
