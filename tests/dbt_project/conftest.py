"""Four homes, built by dbt once per session and side by side, since dbt is slow to start."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.home.environment import exports
from serving.home import Home
from tests.dbt_project.archive import Archive
from tests.dbt_project.histories import Event, land_histories
from tests.dbt_project.worlds import land_films, land_mixed, land_sample

DBT_PROJECT = Path(__file__).parents[2] / "dbt_project"
NOW = "2024-03-01T00:00:00+00:00"


@dataclass
class Built:
    """A home that dbt builds, and what was landed there."""

    home: Path
    process: subprocess.Popen[str]
    landed: Any
    output: str = ""

    def wait(self) -> "Built":
        """Wait for dbt; show what it said where it failed."""
        if not self.output:
            self.output = self.process.communicate(timeout=600)[0]
        assert self.process.returncode == 0, self.output
        return self

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the Parquet files that were handed on; `{name}` in *sql* stands for one."""
        files = {path.stem: _quoted(path) for path in self.home.glob("*/*.parquet")}
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql.format_map(files), values).fetchall()


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Built]]:
    """Start building every home."""
    # A few dozen events in a part, so that there are many.
    in_parts = ["run", "--vars", "events_in_part: 50"]
    recipes: dict[str, tuple[list[str], Callable[[Archive], Any], str]] = {
        "mixed": (["build"], land_mixed, NOW),
        "histories": (in_parts, lambda archive: land_histories(archive, seed=5), NOW),
        "films": (["run"], land_films, "2000-01-01T02:00:00Z"),
        "sample": (["run"], land_sample, ""),
    }
    built = {}
    for name, (command, land, now) in recipes.items():
        # A home's name may hold anything.
        home = tmp_path_factory.mktemp(name) / "o'home {x}"
        landed = land(Archive(home))
        built[name] = Built(home, _start(command, home, now), landed)
    yield built
    for one in built.values():
        one.process.kill()


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _start(command: list[str], home: Path, now: str) -> subprocess.Popen[str]:
    settings = exports(Home(home)) | {"TASTEMATE_NOW": now}
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("dbt")), "--no-use-colors", *command],
        cwd=DBT_PROJECT,
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="session")
def mixed(homes: dict[str, Built]) -> Built:
    """A home with the sample and mapped sources, dirt and all."""
    return homes["mixed"].wait()


@pytest.fixture(scope="session")
def histories(homes: dict[str, Built]) -> Built:
    """A home of random histories with late rows and corrections."""
    return homes["histories"].wait()


@pytest.fixture(scope="session")
def versions(histories: Built) -> list[Event]:
    """Tell every version of every event of the random histories."""
    return list(histories.landed)


@pytest.fixture(scope="session")
def films(homes: dict[str, Built]) -> Built:
    """A home with nothing but a mapped source that knows only an order, seen two hours in."""
    return homes["films"].wait()


@pytest.fixture(scope="session")
def sample(homes: dict[str, Built]) -> Built:
    """A home with nothing but likes of the sample, all of them good, built at the real time."""
    return homes["sample"].wait()
