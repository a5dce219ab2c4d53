"""The data contract of feature models: dbt's manifest read, and checked against the Parquet files.

The warehouse is never opened: whoever serves or applies features needs no access to it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.feature_models import ContractError, FeatureModel, feature_models
from feature_repo.feature_types import FEATURE_TYPES, FeatureType, canonical
from feature_repo.layout import Layout


@dataclass(frozen=True)
class Column:
    """A column of a feature model."""

    name: str
    data_type: str
    description: str = ""

    @property
    def type(self) -> FeatureType:
        return FEATURE_TYPES[self.data_type]


@dataclass(frozen=True)
class View:
    """A feature model as Feast will see it."""

    name: str
    description: str
    entity: str
    key: Column
    timestamp: str
    features: tuple[Column, ...]
    service: str
    ttl: timedelta = timedelta(0)
    """How long a row is valid; zero: for ever."""
    online: bool = True
    owner: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


def manifest_path(home_root: Path) -> Path:
    """Tell where dbt's manifest lies: in `DBT_TARGET_PATH`, by default in the home."""
    target = os.environ.get("DBT_TARGET_PATH")
    manifest = Layout(home_root).manifest
    return Path(target) / manifest.name if target else manifest


def read_views(home_root: Path) -> list[View]:
    """Read every feature model of the home's manifest, by name."""
    path = manifest_path(home_root)
    if not path.exists():
        raise ContractError(f"{path}: no dbt manifest here. Make it: tastemate build, or dbt parse")
    views = [_view(model) for model in feature_models(path)]
    for view in views:
        _check_parquet(view, Layout(home_root).rows_of(view.name))
    return views


def _view(model: FeatureModel) -> View:
    place, meta = model.place, model.feast()
    if not model.has_contract:
        raise ContractError(
            f"{place}: model '{model.name}' has no enforced contract. "
            "Write config: contract: {enforced: true}; a feature's type must not drift."
        )
    columns = {
        name: Column(name, canonical(told.data_type), told.description)
        for name, told in model.columns.items()
    }
    key, timestamp, excluded = f"{meta.entity}_id", meta.timestamp, set(meta.exclude)
    if absent := sorted(({key, timestamp} | excluded) - set(columns)):
        raise ContractError(f"{place}: model '{model.name}' has no column {absent}.")
    features = tuple(
        column
        for name, column in columns.items()
        if name not in {key, timestamp} and name not in excluded
    )
    for column in (columns[key], *features):
        if column.data_type not in FEATURE_TYPES:
            raise ContractError(
                f"{place}: column '{column.name}' has data_type '{column.data_type}', which Feast "
                f"cannot serve. Use one of {sorted(FEATURE_TYPES)}, "
                "or put it under meta.feast.exclude."
            )
    if columns[timestamp].data_type != "timestamptz":
        raise ContractError(
            f"{place}: timestamp '{timestamp}' has data_type '{columns[timestamp].data_type}'. "
            "It must be timestamptz."
        )
    return View(
        name=model.name,
        description=" ".join(model.description.split()),
        entity=meta.entity,
        key=columns[key],
        timestamp=timestamp,
        features=features,
        service=meta.service,
        ttl=timedelta(days=meta.ttl),
        online=bool(meta.online),
        owner=meta.owner,
        tags={"dbt_model": model.original_file_path, "pii": meta.pii},
    )


def _check_parquet(view: View, path: Path) -> None:
    """Compare the contract with the file, where there is one already."""
    if not path.exists():
        return
    schema = pq.read_schema(path)
    wanted = {column.name: column.type.arrow for column in (view.key, *view.features)}
    for name, kind in wanted.items():
        if name not in schema.names:
            raise ContractError(
                f"{path}: column '{name}' of the contract is missing. Build again: tastemate build"
            )
        if not _same_type(schema.field(name).type, kind):
            raise ContractError(
                f"{path}: column '{name}' is {schema.field(name).type}, the contract says {kind}. "
                "Build again: tastemate build"
            )


def _same_type(actual: pa.DataType, wanted: pa.DataType) -> bool:
    if pa.types.is_list(actual) and pa.types.is_list(wanted):
        return _same_type(actual.value_type, wanted.value_type)
    if pa.types.is_timestamp(actual) and pa.types.is_timestamp(wanted):
        return actual.tz is not None
    return bool(actual == wanted)
