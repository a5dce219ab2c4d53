"""Where everything lies: the paths of a home, and the settings that choose one.

The only place that knows them; `docs/reference/formats.md` lists them.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """One home. Two homes share nothing."""

    root: Path

    @classmethod
    def find(cls, explicit: str | Path | None = None) -> "Home":
        """Take *explicit*, else `TASTEMATE_HOME`, else `.tastemate/` of the project around here."""
        chosen = explicit or os.environ.get("TASTEMATE_HOME")
        if chosen:
            return cls(Path(chosen).expanduser().resolve())
        here = Path.cwd().resolve()
        for folder in (here, *here.parents):
            if (folder / "pyproject.toml").exists() and (folder / "dbt_project").is_dir():
                return cls(folder / ".tastemate")
        return cls(here / ".tastemate")

    @property
    def keys(self) -> Path:
        chosen = os.environ.get("TASTEMATE_KEYS")
        return Path(chosen).expanduser().resolve() if chosen else self.root / "keys"

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.sqlite"

    @property
    def vault(self) -> Path:
        return self.root / "vault.sqlite"

    @property
    def tombstones(self) -> Path:
        return self.root / "tombstones.sqlite"

    @property
    def raw(self) -> Path:
        return self.root / "raw"

    @property
    def landed_files(self) -> Path:
        return self.raw / "files.parquet"

    @property
    def landed_fields(self) -> Path:
        return self.raw / "fields.parquet"

    @property
    def lines(self) -> Path:
        return self.raw / "lines"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse" / "warehouse.duckdb"

    @property
    def marts(self) -> Path:
        return self.root / "marts"

    @property
    def features(self) -> Path:
        return self.root / "features"

    @property
    def analysts(self) -> Path:
        return self.root / "analysts"

    @property
    def dbt(self) -> Path:
        return self.root / "dbt"

    @property
    def feast(self) -> Path:
        return self.root / "feast"

    @property
    def training_sets(self) -> Path:
        return self.root / "training_sets"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def indexes(self) -> Path:
        return self.root / "indexes"

    @property
    def champion(self) -> Path:
        return self.root / "champion.json"

    @property
    def retraining(self) -> Path:
        return self.root / "retraining.yml"

    @property
    def bentoml(self) -> Path:
        return self.root / "bentoml"

    @property
    def mlflow(self) -> Path:
        return self.root / "mlflow"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def state(self) -> Path:
        return self.root / "state"


def now() -> datetime:
    """Tell the time, UTC; `TASTEMATE_NOW` fixes it for tests and rebuilds."""
    fixed = os.environ.get("TASTEMATE_NOW")
    if not fixed:
        return datetime.now(UTC)
    moment = datetime.fromisoformat(fixed)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
