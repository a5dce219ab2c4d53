"""Reading features at request time: what a release's feature service says of some keys.

Knows no feature by name: a column added to a feature model reaches the answer by the release's
registry alone.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feature_repo.errors import OnlineStoreUnavailable, reachable
from feature_repo.feature_types import Row
from feature_repo.online import is_marked, renew_where_replaced
from feature_repo.protos import plain
from feature_repo.settings import PROJECT, REQUEST_PATIENCE_S, online_store, quiet_feast

if TYPE_CHECKING:
    from feast.protos.feast.serving.ServingService_pb2 import GetOnlineFeaturesResponse

__all__ = ["OnlineReader", "OnlineStoreUnavailable", "open_readers"]


class OnlineReader:
    """Reads one feature service from the online store."""

    def __init__(self, store: Any, service: str) -> None:
        self._store = store
        self._service = store.get_feature_service(service)
        self._views = [
            store.get_feature_view(found.name) for found in self._service.feature_view_projections
        ]
        self.key = str(self._views[0].entity_columns[0].name)
        """The column that names a row."""

    def read(self, keys: Sequence[str], now: datetime | None = None) -> dict[str, Row]:
        """Read what is known of the *keys*: rows by column name, as dbt handed them on.

        A key of which nothing is known has no row. Values older than their view's ttl count as not
        there (None), although Feast would still hand them out. Where several views know the key,
        the newest of their times counts.
        """
        if not keys:
            return {}
        with reachable("features"):
            renew_where_replaced(self._store)
            answer = self._store.get_online_features(
                features=self._service, entity_rows={self.key: list(keys)}
            ).proto
        columns = dict(zip(answer.metadata.feature_names.val, answer.results, strict=True))
        moment = now or datetime.now(UTC)
        rows = ((key, self._row(place, columns, moment)) for place, key in enumerate(keys))
        return {key: {self.key: key, **row} for key, row in rows if row}

    def refuse_if_emptied(self) -> None:
        """Ask of the store in which a key was not found whether it has what was put there at all.

        Raises:
            OnlineStoreUnavailable: the mark that publishing leaves is gone, and the rows with it.
        """
        with reachable("features"):
            renew_where_replaced(self._store)
            if any(is_marked(self._store, view.name) for view in self._views):
                return
        raise OnlineStoreUnavailable(
            "The online store was emptied, or nothing was ever published there: tastemate run"
        )

    def _row(
        self,
        place: int,
        columns: "Mapping[str, GetOnlineFeaturesResponse.FeatureVector]",
        now: datetime,
    ) -> Row:
        row: Row = {}
        known = False
        for view in self._views:
            names = [feature.name for feature in view.projection.features]
            stamp = columns[names[0]].event_timestamps[place]
            # The one sign of an unknown key that both stores give: its status differs between them.
            moment = stamp.ToDatetime(UTC) if stamp.seconds or stamp.nanos else None
            if moment is None or ((view.ttl or timedelta(0)) and moment + view.ttl < now):
                row |= dict.fromkeys(names)
                continue
            known = True
            field = view.batch_source.timestamp_field
            row[field] = max(row.get(field, moment), moment)
            row |= {name: plain(columns[name].values[place]) for name in names}
        return row if known else {}


def open_readers(
    registry_pb: Path, home_root: Path, services: Sequence[str], online: str | None = None
) -> list[OnlineReader]:
    """Open a reader of each of the *services* on a release's frozen registry, in that order.

    All read the home's online store through one Feast store: what Feast has worked out for a
    request is forgotten as soon as another store asks. The registry is read once and never again:
    a release does not change.
    """
    quiet_feast()
    from feast import FeatureStore
    from feast.repo_config import RepoConfig

    config = RepoConfig(
        project=PROJECT,
        provider="local",
        registry={"registry_type": "file", "path": str(registry_pb), "cache_ttl_seconds": 0},
        offline_store={"type": "duckdb"},
        online_store=online_store(home_root, online, REQUEST_PATIENCE_S),
        entity_key_serialization_version=3,
        repo_path=str(home_root),
    )
    store = FeatureStore(config=config)
    return [OnlineReader(store, service) for service in services]
