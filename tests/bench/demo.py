"""How long a newcomer waits: `tastemate demo` with set-up done, and a city of a million events.

python -m tests.bench.demo

The demo is typed in turn on this build and on commit d71da48, each time in a home of its own. Both
must tell of the same city, judge it by the same checks and recommenders, and rank alike.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson
import pyarrow.parquet as pq

from models_ml.evaluation.report import MODEL, TIME
from models_ml.metrics import RESAMPLES
from serving.home import Home
from tests.bench.before import built
from tests.bench.figures import Figure, publish

BEFORE = "d71da48"
ROUNDS = 3
MOST, MINUTES = 0.4, 4
LEAST_RESAMPLES = 1000
TASTEMATE = Path(sys.executable).with_name("tastemate")
MANY = 1_000_000
GENERATE = f"""
import sys
from pathlib import Path
from orchestration.sample import generate
generate(Path(sys.argv[1]), events={MANY}, seed=0)
"""


@dataclass(frozen=True)
class Ran:
    """One demo: seconds by the clock and of the processor, and how it judged the model."""

    clock: float
    processor: float
    told: dict[str, Any]
    judged: dict[str, Any]


def main() -> None:
    """Run both as processes of their own and write `.bench/demo.json`."""
    sides = {"now": TASTEMATE, "before": built(BEFORE)}
    ran: dict[str, list[Ran]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory() as scratch:
        for nth in range(ROUNDS):
            for side, tastemate in sides.items():
                one = _demo(tastemate, Home(Path(scratch) / f"{side}-{nth}"))
                ran[side].append(one)
                click.echo(f"{side}: {one.clock:.1f} s, {one.processor:.1f} s of the processor")
        city = _seconds(sys.executable, "-c", GENERATE, f"{scratch}/city")
    _same(ran["now"][0], ran["before"][0])
    publish("demo", [*_times(ran), *_quality(ran), Figure(
        f"a city of {MANY:,} events made", city, "s", 60, "lower", "must"
    )])  # fmt: skip


def _demo(tastemate: Path, home: Home) -> Ran:
    started = time.monotonic()
    with subprocess.Popen(
        [tastemate, "--home", home.root, "demo"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    clock = time.monotonic() - started
    if process.returncode:
        raise RuntimeError(f"{tastemate}: {said[-2000:]}")
    (judged,) = home.models.glob("*/evaluation.json")
    return Ran(
        clock, used.ru_utime + used.ru_stime, _facts(home), orjson.loads(judged.read_bytes())
    )


def _facts(home: Home) -> dict[str, Any]:
    """Tell what must be the same: rows of the marts, and what a report says of the events."""
    rows = {
        path.stem: pq.read_metadata(path).num_rows
        for path in (*home.marts.glob("*.parquet"), *home.features.glob("*.parquet"))
    }
    report = orjson.loads((home.reports / "latest.json").read_bytes())
    return {"rows": rows, "city": {name: report[name] for name in ("users", "places", "events")}}


def _same(now: Ran, before: Ran) -> None:
    """Refuse to compare what does not do the same.

    Raises:
        RuntimeError: it does not; the message says what differs.
    """
    shared = now.told["rows"].keys() & before.told["rows"].keys()
    facts = {
        "tables": (sorted(shared), sorted(before.told["rows"])),
        "rows": tuple({name: one.told["rows"][name] for name in shared} for one in (now, before)),
        "cities": (now.told["city"], before.told["city"]),
        # Ours is asked beside all that it was asked beside before; what counts better came later.
        "who is compared": (sorted(now.judged[TIME].keys() & before.judged[TIME]),
                            sorted(before.judged[TIME])),
        "behaviours": tuple([told["name"] for told in one.judged["behaviours"]]
                            for one in (now, before)),
        "slices": tuple({way: sorted(groups) for way, groups in one.judged["slices"][TIME].items()}
                        for one in (now, before)),
    }  # fmt: skip
    for what, (ours, theirs) in facts.items():
        if ours != theirs:
            raise RuntimeError(f"{what} differ: {ours}, {BEFORE}: {theirs}")


def _times(ran: dict[str, list[Ran]]) -> list[Figure]:
    figures = []
    for what, unit in (("clock", "s"), ("processor", "s of processor time")):
        now, before = (
            statistics.median(getattr(one, what) for one in ran[side]) for side in ("now", "before")
        )
        level = "must" if what == "clock" else "goal"
        figures += [
            Figure(f"demo, set-up done, {what}", now, unit, None, "lower", "goal"),
            Figure(f"the same, {BEFORE}", before, unit, None, "lower", "goal"),
            Figure(f"{what}, ratio to {BEFORE}", now / before, "", MOST, "lower", level),
        ]
        if what == "clock":
            figures.append(Figure("demo", now / 60, "minutes", MINUTES, "lower", "must"))
    return figures


def _quality(ran: dict[str, list[Ran]]) -> list[Figure]:
    now, before = (
        statistics.median(one.judged[TIME][MODEL]["ndcg_10"] for one in ran[side])
        for side in ("now", "before")
    )
    least = ran["before"][0].judged[TIME][MODEL]["ndcg_10_interval"]["low"]
    return [
        Figure("NDCG@10", now, "", least, "higher", "must"),
        Figure(f"NDCG@10, {BEFORE}", before, "", None, "higher", "goal"),
        Figure("resamplings of an interval", RESAMPLES, "", LEAST_RESAMPLES, "higher", "must"),
    ]


def _seconds(*command: str | Path) -> float:
    started = time.monotonic()
    subprocess.run(command, check=True)
    return time.monotonic() - started


if __name__ == "__main__":
    main()
