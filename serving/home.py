"""Where everything lies: the paths of a home, and the settings that choose one.

The only place that knows them, but for what is Feast's (`feature_repo.layout`) and for what lies
inside a release, an index, a model or a training set. `docs/reference/formats.md` lists them.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

# Patterns of file names, and what ends a path in a database's address.
_UNFIT = set("#?[]*\\")


class HomePathError(ValueError):
    """A home cannot lie there."""


class ClockError(ValueError):
    """What `TASTEMATE_NOW` says is no moment."""


class _At:
    """A path in whichever home is asked for it."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __get__(self, home: "Home", _: type["Home"]) -> Path:
        return home.root / self._path


@dataclass(frozen=True)
class Home:
    """One home. Two homes share nothing."""

    root: Path

    lock = _At(".lock")
    """Held by the run that works on the home."""

    # What landed
    ledger = _At("ledger.sqlite")
    vault = _At("vault.sqlite")
    tombstones = _At("tombstones.sqlite")
    landing_lock = _At("landing.lock")
    raw = _At("raw")
    landed_files = _At("raw/files.parquet")
    landed_fields = _At("raw/fields.parquet")
    lines = _At("raw/lines")
    all_lines = _At("raw/lines/**/*.parquet")
    """Every file of the archive, as a pattern for DuckDB."""
    quarantine = _At("quarantine")

    # What dbt makes of it
    warehouse = _At("warehouse/warehouse.duckdb")
    marts = _At("marts")
    features = _At("features")
    dbt = _At("dbt")
    dbt_target = _At("dbt/target")
    dbt_logs = _At("dbt/logs")
    manifest = _At("dbt/target/manifest.json")
    dbt_made_by = _At("dbt/made_by.csv")
    """What the last dbt run left of itself."""
    manifest_stamp = _At("dbt/manifest.sha256")
    """Of which project the manifest is."""
    dbt_page = _At("dbt/target/static_index.html")
    rebuilds = _At("rebuilds")
    rebuild_lock = _At("rebuilds.lock")
    rebuilt_mark = _At(".rebuilt")
    """In a home that is a past day built again."""
    rechecks = _At("rechecks")
    analysts = _At("analysts")
    analyst_copy = _At("analysts/tastemate.duckdb")
    docs_page = _At("analysts/docs/index.html")

    # What is learned and served
    feast = _At("feast")
    training_sets = _At("training_sets")
    models = _At("models")
    retraining = _At("retraining.yml")
    excluded_people = _At("excluded_people.csv")
    """Pseudonyms of people who count in no features, training or targets."""
    releases = _At("releases")
    indexes = _At("indexes")
    champion = _At("champion.json")
    champion_log = _At("champion.log.jsonl")

    # What tools keep
    bentoml = _At("bentoml")
    bentos = _At("bentoml/bentos")
    service_logs = _At("bentoml/logs")
    dagster = _At("dagster")
    dagster_runs = _At("dagster/history/runs.db")
    dagster_settings = _At("dagster/dagster.yaml")
    mlflow = _At("mlflow")
    mlflow_database = _At("mlflow/mlflow.db")
    mlflow_runs = _At("mlflow/runs")

    # What people read
    reports = _At("reports")
    check_interval = _At("reports/check-interval.png")

    # The sample city
    sample_city = _At("sample_city")
    sample_documents = _At("sample_city/documents")
    sample_truth = _At("sample_city/truth/truth.parquet")
    sample_size = _At("sample_city/city.json")

    # What one step or run leaves for the next
    state = _At("state")
    sources = _At("state/sources.json")
    last_landed = _At("state/landed.json")
    last_published = _At("state/published.json")
    last_handed_on = _At("state/handed_on.json")
    last_parity = _At("state/parity.json")
    check_log = _At("state/checks.jsonl")
    current_training_set = _At("state/training_set.json")
    current_model = _At("state/model.json")
    last_verdict = _At("state/retraining.json")
    gate_budget = _At("state/gate_budget.json")
    """What the gate's judgements of late have spent of the error that they share."""
    candidate = _At("state/candidate.json")
    """The release that the run has made, until it is promoted."""
    promoted_by_hand = _At("state/held.json")
    last_run = _At("state/run.json")
    docs_stamp = _At("state/dbt_docs.sha256")
    """Of which project the docs page is."""
    servers = _At("state/servers")
    """A note of each process that serves the home."""
    forgetting = _At("state/forgetting")
    """There while somebody is being forgotten."""

    @classmethod
    def find(cls, explicit: str | Path | None = None) -> "Home":
        """Take *explicit*, else `TASTEMATE_HOME`, else `.tastemate/` of the project around here.

        Raises:
            HomePathError: the path has a character that libraries take for something else.
        """
        home = cls(_chosen(explicit or os.environ.get("TASTEMATE_HOME")))
        wrong = sorted(_UNFIT & set(str(home.root)))
        if wrong:
            raise HomePathError(
                f"{home.root}: a home's path cannot have {' '.join(wrong)} in it, which DuckDB and "
                "dbt take for patterns and addresses. Choose another: tastemate --home DIR"
            )
        return home

    @property
    def keys(self) -> Path:
        chosen = os.environ.get("TASTEMATE_KEYS")
        return Path(chosen).expanduser().resolve() if chosen else self.root / "keys"

    def handed_on(self, model: str) -> Path:
        """Tell where dbt hands on a model, named with its stage: `marts/fct_events`."""
        return self.root / f"{model}.parquet"

    def report(self, name: str = "latest", kind: str = "json") -> Path:
        """Tell where a run report lies, by default the latest; `md` and `html` are for people."""
        return self.reports / f"{name}.{kind}"

    def run_reports(self) -> Iterable[Path]:
        """Find the reports of all runs."""
        return self.reports.glob("run-*.json")

    def rebuild_of(self, day: datetime) -> Path:
        """Tell where that day is built again."""
        return self.rebuilds / _name_of(day)

    def recheck_of(self, moment: datetime) -> Path:
        """Tell where a full refresh of that moment is compared."""
        return self.rechecks / _name_of(moment)

    def server_note(self, host: str, pid: int) -> Path:
        """Tell where a process that serves the home leaves its note."""
        return self.servers / f"{host}-{pid}.json"

    def server_notes(self) -> Iterable[Path]:
        """Find the notes of all that serve the home, and of some that did."""
        return self.servers.glob("*.json")

    def service_log(self, port: int) -> Path:
        """Tell where the service on that port writes its log."""
        return self.service_logs / f"serve-{port}.log"


def _chosen(path: str | Path | None) -> Path:
    if path:
        return Path(path).expanduser().resolve()
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "pyproject.toml").exists() and (folder / "dbt_project").is_dir():
            return folder / ".tastemate"
    return here / ".tastemate"


def _name_of(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%S.%fZ}"


def now() -> datetime:
    """Tell the time, UTC; `TASTEMATE_NOW` fixes it for tests and rebuilds.

    Raises:
        ClockError: `TASTEMATE_NOW` is no moment.
    """
    fixed = os.environ.get("TASTEMATE_NOW")
    if not fixed:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(fixed)
    except ValueError:
        raise ClockError(
            f"TASTEMATE_NOW is {fixed!r}, which is no moment in ISO 8601, such as "
            "2026-03-01T04:00:00Z. Set it to one, or not at all."
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
