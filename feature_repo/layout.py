"""Where the features of a home lie, and what Feast keeps beside them.

The only place in this folder that spells a path of the home; `serving.home` knows all the others.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The part of a home that features come from and go to."""

    root: Path

    @classmethod
    def around(cls, feature_store: Path) -> "Layout":
        """Find the home whose `feature_store` is that file."""
        return cls(feature_store.resolve().parents[1])

    @property
    def manifest(self) -> Path:
        """What dbt says of the models, unless `DBT_TARGET_PATH` has it written elsewhere."""
        return self.root / "dbt" / "target" / "manifest.json"

    @property
    def features(self) -> Path:
        return self.root / "features"

    def rows_of(self, view: str) -> Path:
        """Tell where the rows of a view lie."""
        return self.features / f"{view}.parquet"

    @property
    def moments(self) -> Path:
        """For which moments the views keep rows."""
        return self.root / "marts" / "feature_moments.parquet"

    @property
    def events(self) -> Path:
        return self.root / "marts" / "fct_events.parquet"

    @property
    def feast(self) -> Path:
        return self.root / "feast"

    @property
    def feature_store(self) -> Path:
        """Feast's settings."""
        return self.feast / "feature_store.yaml"

    @property
    def registry(self) -> Path:
        return self.feast / "registry.db"

    @property
    def online_store(self) -> Path:
        """The SQLite online store; with Redis nothing is there."""
        return self.feast / "online.db"

    @property
    def publish_lock(self) -> Path:
        return self.feast / "publish.lock"

    @property
    def published(self) -> Path:
        """What has been put online: a SQLite file per view and online store."""
        return self.feast / "published"

    @property
    def online_stores(self) -> Path:
        """Where the online stores are that rows were ever put into."""
        return self.feast / "online_stores.json"

    def published_rows(self, view: str, store: str) -> Path:
        """Tell where it is noted what of a view has been put into the *store*."""
        return self.published / f"{view}-{store}.sqlite"

    @property
    def spill(self) -> Path:
        """What DuckDB has no memory for."""
        return self.feast / "spill"
